package simd

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// What has a kernel here says its cost, and nothing else does; a function costs more than an addition.
func TestKernelsSayTheirCost(t *testing.T) {
	for _, i := range inAssembly() {
		for _, d := range backend.DTypes() {
			for _, op := range backend.MapOps() {
				if op == backend.Cast || !op.Accepts(d) {
					continue
				}
				cost := mapCost(i, op, d)
				require.Equal(t, mapKernel(i, op, d) != nil, cost > 0, "%v of %v", op, d)
				if op >= backend.Exp && op <= backend.Softplus && d.IsFloat() && cost > 0 {
					require.Greater(t, cost, mapCost(i, backend.Add, d), "%v of %v", op, d)
				}
			}
		}
	}
}

// Every instruction on float32, float64 and Bool is in assembly but for those named here and functions that have no cost.
func TestWhatIsLeftToGo(t *testing.T) {
	left := map[backend.DType][]backend.MapOp{
		backend.Float32: {backend.Mod},
		backend.Float64: {backend.Mod},
		backend.Bool:    {backend.Eq, backend.Ne},
		backend.Int32:   {backend.Abs, backend.Sign, backend.Div, backend.Mod, backend.Pow},
		backend.Int64:   {backend.Abs, backend.Sign, backend.Div, backend.Mod, backend.Pow},
	}
	for d, want := range left {
		var got []backend.MapOp
		for _, op := range backend.MapOps() {
			if op.IsFunction() && functionCost[op] == 0 {
				continue
			}
			if op != backend.Cast && op.Accepts(d) && mapKernel(avx512, op, d) == nil {
				got = append(got, op)
			}
		}
		require.Equal(t, want, got, "%v", d)
	}
}
