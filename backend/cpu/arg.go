package cpu

import "github.com/weir-ml/weir/backend"

// argFold finds the position of the extreme of each lane along the one summed axis.
type argFold[T any] struct {
	find func(src []T, at, stride, n int) int
}

var argFolders = func() (t [2][backend.Float64 + 1]folder) {
	t[0][backend.Uint8], t[1][backend.Uint8] = &argFold[uint8]{argMax[uint8]}, &argFold[uint8]{argMin[uint8]}
	t[0][backend.Int32], t[1][backend.Int32] = &argFold[int32]{argMax[int32]}, &argFold[int32]{argMin[int32]}
	t[0][backend.Int64], t[1][backend.Int64] = &argFold[int64]{argMax[int64]}, &argFold[int64]{argMin[int64]}
	t[0][backend.Float16], t[1][backend.Float16] = argHalf(f16.float, 1), argHalf(f16.float, -1)
	t[0][backend.BFloat16], t[1][backend.BFloat16] = argHalf(bf16.float, 1), argHalf(bf16.float, -1)
	t[0][backend.Float32], t[1][backend.Float32] = &argFold[float32]{argMax[float32]}, &argFold[float32]{argMin[float32]}
	t[0][backend.Float64], t[1][backend.Float64] = &argFold[float64]{argMax[float64]}, &argFold[float64]{argMin[float64]}
	return t
}()

func argFolder(op backend.ReduceOp, d backend.DType) folder {
	return argFolders[op-backend.ReduceArgMax][d]
}

func (f *argFold[T]) piece(r *reducing, w *reduceScratch, block, _ int) {
	src, dst := elements[T](&r.src), elements[int64](&r.dst)
	n, stride := r.axis()
	lane := r.place(w, 0, block)
	w.term = grow(w.term, laneBlock)
	at := w.term[:len(lane)]
	r.lanes.offsets(at, 1, block*laneBlock)
	for i := range lane {
		dst[r.dst.Offset+at[i]] = int64(f.find(src, r.src.Offset+lane[i], stride, n))
	}
}

// join has nothing to do: a lane is never cut.
func (f *argFold[T]) join(*reducing, *reduceScratch, int) {}

// axis returns the one summed axis; without one every lane has a single element.
func (r *reducing) axis() (n, stride int) {
	if r.grain.depth > 0 {
		return r.grain.levels[0].dim, r.grain.levels[0].stride[0]
	}
	return r.grain.cut.dim, r.grain.cut.stride[0]
}

// argMax returns the first position of NaN, or else of the maximum.
func argMax[T number](src []T, at, stride, n int) int {
	best, where := src[at], 0
	for i := 1; i < n && best == best; i++ {
		at += stride
		if x := src[at]; !(x <= best) {
			best, where = x, i
		}
	}
	return where
}

// argMin returns the first position of NaN, or else of the minimum.
func argMin[T number](src []T, at, stride, n int) int {
	best, where := src[at], 0
	for i := 1; i < n && best == best; i++ {
		at += stride
		if x := src[at]; !(x >= best) {
			best, where = x, i
		}
	}
	return where
}

// argHalf finds the maximum of the halves times sign, which for −1 is their minimum.
func argHalf[T f16 | bf16](load func(T) float32, sign float32) folder {
	return &argFold[T]{func(src []T, at, stride, n int) int {
		best, where := sign*load(src[at]), 0
		for i := 1; i < n && best == best; i++ {
			at += stride
			if x := sign * load(src[at]); !(x <= best) {
				best, where = x, i
			}
		}
		return where
	}}
}
