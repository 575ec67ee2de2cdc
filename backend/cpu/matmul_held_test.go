package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// What a loop holds of a matrix is right in every run, also after the matrix has changed, and where it has several leaves and blocks of columns.
func TestALoopHoldsAnOperandForOneRun(t *testing.T) {
	const samples, rows = 5, 3
	for _, size := range []struct{ terms, cols int }{{7, 9}, {7, 3}, {2, 9}, {300, 90}, {5, 2}} {
		onEveryEngine(t, func(t *testing.T, r *rig) {
			x, got, want := r.random(backend.Float32, samples, rows, size.terms), r.empty(backend.Float32, samples, rows, size.cols),
				r.empty(backend.Float32, samples, rows, size.cols)
			weight := permuted(r.random(backend.Float32, 1, size.cols, size.terms), 0, 2, 1)
			loop := &backend.Loop{
				Count: samples, Moves: [][]int{{rows * size.cols, rows * size.terms, 0}},
				Body: []backend.Cmd{{Op: backend.MatMul, Dst: []backend.View{first(got)}, Src: []backend.View{first(x), weight}}},
			}
			all := broadcast(weight, 0, samples)
			for range 3 {
				r.exec(backend.Cmd{Op: backend.Repeat, Loop: loop})
				r.exec(backend.Cmd{Op: backend.MatMul, Dst: []backend.View{want}, Src: []backend.View{x, all}})
				require.Equal(t, values(&want), values(&got))
				for i := range weight.Len() {
					set(&weight, i, r.rnd.NormFloat64())
				}
			}
		})
	}
}

// first returns the first sample.
func first(v backend.View) backend.View {
	v.Dims[0] = 1
	return v
}
