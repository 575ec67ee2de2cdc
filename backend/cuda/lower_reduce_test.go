package cuda

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func TestReductionsNeedFewLaunches(t *testing.T) {
	for _, test := range []struct {
		name    string
		op      backend.ReduceOp
		dtype   backend.DType
		dims    []int
		reduced []int
		kernels []string
		blocks  []uint32
	}{
		{"rows", backend.ReduceSum, backend.Float32, []int{50_000, 64}, []int{50_000, 1}, []string{"reduce_sum_f32"}, []uint32{6250}},
		{"short rows", backend.ReduceSum, backend.Float32, []int{50_000, 2}, []int{50_000, 1}, []string{"reduce_sum_f32"}, []uint32{391}},
		{"columns", backend.ReduceSum, backend.Float32, []int{50_000, 64}, []int{1, 64},
			[]string{"reduce_sum_f32", "reduce_sum_f32"}, []uint32{196, 8}},
		{"columns of halves", backend.ReduceSum, backend.Float16, []int{50_000, 64}, []int{1, 64},
			[]string{"reduce_sum_f16", "reduce_sum_f32"}, []uint32{196, 8}},
		{"a few numbers", backend.ReduceMax, backend.Float64, []int{500}, []int{1}, []string{"reduce_max_f64"}, []uint32{1}},
		{"all of very many", backend.ReduceSum, backend.Float32, []int{1_000_000_000}, []int{1},
			[]string{"reduce_sum_f32", "reduce_sum_f32"}, []uint32{3815, 1}},
		{"none", backend.ReduceMin, backend.Uint8, []int{7, 0}, []int{7, 1}, []string{"reduce_min_u8"}, []uint32{1}},
		{"no axis", backend.ReduceSum, backend.Int64, []int{40, 50}, []int{40, 50}, []string{"reduce_sum_i64"}, []uint32{8}},
		{"a long search", backend.ReduceArgMax, backend.Float32, []int{1_000_000_000}, []int{1}, []string{"argmax_f32", "argmax_f32"}, []uint32{528, 1}},
		{"a search of each row", backend.ReduceArgMin, backend.Float32, []int{50_000, 64}, []int{50_000, 1}, []string{"argmin_f32"}, []uint32{12_500}},
	} {
		t.Run(test.name, func(t *testing.T) {
			to := test.dtype
			if test.op.IsArg() {
				to = backend.Int64
			}
			c := backend.Cmd{Op: backend.Reduce, ReduceOp: test.op, Dst: []backend.View{viewIn(to, test.reduced)}, Src: []backend.View{viewIn(test.dtype, test.dims)}}
			kernels, blocks := launches(t, &c)
			require.Equal(t, test.kernels, kernels)
			require.Equal(t, test.blocks, blocks)
		})
	}
}

// A launch has less than 2³¹ blocks, however large the memory of a GPU gets.
func TestHugeReductionsFitALaunch(t *testing.T) {
	for _, dims := range [][2][]int{
		{{1 << 37}, {1}}, {{1 << 30, 100}, {1 << 30, 1}}, {{100, 1 << 30}, {1, 1 << 30}}, {{1 << 34, 8}, {1, 8}}, {{1 << 16, 5000, 400}, {1, 5000, 1}},
	} {
		c := backend.Cmd{Op: backend.Reduce, Dst: []backend.View{viewIn(backend.Uint8, dims[1])}, Src: []backend.View{viewIn(backend.Uint8, dims[0])}}
		_, blocks := launches(t, &c)
		for _, n := range blocks {
			require.LessOrEqual(t, n, uint32(math.MaxInt32))
			require.NotZero(t, n)
		}
	}
}
