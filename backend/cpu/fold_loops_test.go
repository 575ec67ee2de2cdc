package cpu

import (
	"math"
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

// TestLoopsGiveTheSameBits reduces with loops for rows and columns and without, also transposed, where rows are columns: lengths are around
// those that are cut.
func TestLoopsGiveTheSameBits(t *testing.T) {
	plain, own := newPlainRig(t), newRig(t, 2)
	shapes := [][3]int{{1, 700, 11}, {1, 11, 700}, {3, 300, 12}, {1, 2, 9000}, {1, 1, 70_001}, {2, 2049, 3}, {1, 1025, 10}, {5, 4, 2}}
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		for _, shape := range shapes {
			x := own.random(d, shape[:]...)
			for i := range x.Len() / 50 {
				set(&x, i*47, []float64{0, math.Copysign(0, -1), 9, -9, math.NaN()}[i*47%29%5])
			}
			y := plain.of(d, values(&x), shape[:]...)
			for op := backend.ReduceSum; op <= backend.ReduceArgMin; op++ {
				for mask := 1; mask < 8; mask++ {
					if op.IsArg() && mask&(mask-1) != 0 {
						continue // takes one axis
					}
					requireSameReduction(t, own, plain, op, mask, x, y)
					requireSameReduction(t, own, plain, op, mask, permuted(x, 0, 2, 1), permuted(y, 0, 2, 1))
				}
			}
		}
	}
}

func requireSameReduction(t *testing.T, r, s *rig, op backend.ReduceOp, mask int, x, y backend.View) {
	t.Helper()
	d := x.DType
	if op.IsArg() {
		d = backend.Int64
	}
	want, got := r.reduced(d, &x, mask), s.reduced(d, &y, mask)
	r.exec(backend.Cmd{Op: backend.Reduce, ReduceOp: op, Dst: []backend.View{want}, Src: []backend.View{x}})
	s.exec(backend.Cmd{Op: backend.Reduce, ReduceOp: op, Dst: []backend.View{got}, Src: []backend.View{y}})
	for i, v := range values(&want) {
		w := get(&got, i)
		same := v == w && (math.Signbit(v) == math.Signbit(w) || op == backend.ReduceSum) || v != v && w != w
		require.True(t, same, "%v of %v over %03b: element %d is %v; want %v", op, &x, mask, i, w, v)
	}
}
