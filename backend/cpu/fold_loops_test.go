package cpu

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// plainWidth is how many lanes the plain loops for columns take.
const plainWidth = 3

// plainLane returns what folds a lane in Go.
func plainLane[T float](op backend.ReduceOp) func(src []T, at, stride, terms int) T {
	return map[backend.ReduceOp]func([]T, int, int, int) T{
		backend.ReduceSum: sumWide[T], backend.ReduceProd: prodWide[T], backend.ReduceMax: maxLane[T], backend.ReduceMin: minLane[T],
	}[op]
}

func plainFold[T float](op backend.ReduceOp) *Fold {
	return &Fold{Width: plainWidth, Rows: plainRows[T](op), Columns: func(dst, src unsafe.Pointer, stride, terms int) {
		x := block[T](src, (terms-1)*stride+plainWidth)
		for j := range block[T](dst, plainWidth) {
			block[T](dst, plainWidth)[j] = plainLane[T](op)(x, j, stride, terms)
		}
	}}
}

func plainRows[T float](op backend.ReduceOp) Rows {
	return func(dst, src unsafe.Pointer, lanes *int, n, terms int) {
		for i, lane := range unsafe.Slice(lanes, n) {
			x := block[T](unsafe.Add(src, lane*int(unsafe.Sizeof(T(0)))), terms)
			block[T](dst, n)[i] = plainLane[T](op)(x, 0, 1, terms)
		}
	}
}

func plainArg[T float](op backend.ReduceOp) *Arg {
	position, extreme := argMax[T], backend.ReduceMax
	if op == backend.ReduceArgMin {
		position, extreme = argMin[T], backend.ReduceMin
	}
	return &Arg{
		Width: plainWidth,
		Columns: func(where *int64, best, src unsafe.Pointer, stride, terms int) {
			x := block[T](src, (terms-1)*stride+plainWidth)
			for j := range plainWidth {
				at := position(x, j, stride, terms)
				unsafe.Slice(where, plainWidth)[j], block[T](best, plainWidth)[j] = int64(at), x[j+at*stride]
			}
		},
		Extreme: plainRows[T](extreme),
		Find: func(where *int64, values, src unsafe.Pointer, lanes *int, n, terms int) {
			for i, lane := range unsafe.Slice(lanes, n) {
				want := block[T](values, n)[i]
				for k, x := range block[T](unsafe.Add(src, lane*int(unsafe.Sizeof(want))), terms) {
					if x == want || x != x {
						unsafe.Slice(where, n)[i] = int64(k)
						break
					}
				}
			}
		},
	}
}

// TestColumnsHaveTheSameBits sums a matrix with and without a loop for columns, and as its transpose, which has none.
func TestColumnsHaveTheSameBits(t *testing.T) {
	plain, r := newPlainRig(t), newRig(t, 2)
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		x := r.random(d, 700, 11)
		want := r.empty(d, 1, 11)
		r.exec(backend.Cmd{Op: backend.Reduce, Dst: []backend.View{want}, Src: []backend.View{x}})
		y, turned := plain.of(d, values(&x), 700, 11), plain.empty(d, 11, 700)
		for i := range 700 {
			for j := range 11 {
				set(&turned, j*700+i, get(&x, i*11+j))
			}
		}
		for _, src := range []backend.View{y, permuted(turned, 1, 0)} {
			got := plain.empty(d, 1, 11)
			plain.exec(backend.Cmd{Op: backend.Reduce, Dst: []backend.View{got}, Src: []backend.View{src}})
			require.Equal(t, values(&want), values(&got))
		}
	}
}
