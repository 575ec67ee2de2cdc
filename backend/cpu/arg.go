package cpu

import "github.com/weir-ml/weir/backend"

// argFold finds the position of the extreme of each lane along the one summed axis.
type argFold[T any, A number] struct {
	load   func(T) A
	beyond func(x, best A) bool // neither is NaN
}

var argFolders = func() (t [2][backend.Float64 + 1]folder) {
	for i, op := range []backend.ReduceOp{backend.ReduceArgMax, backend.ReduceArgMin} {
		t[i][backend.Uint8] = newArg(op, same[uint8])
		t[i][backend.Int32] = newArg(op, same[int32])
		t[i][backend.Int64] = newArg(op, same[int64])
		t[i][backend.Float16] = newArg(op, f16.float)
		t[i][backend.BFloat16] = newArg(op, bf16.float)
		t[i][backend.Float32] = newArg(op, same[float32])
		t[i][backend.Float64] = newArg(op, same[float64])
	}
	return t
}()

func argFolder(op backend.ReduceOp, d backend.DType) folder {
	return argFolders[op-backend.ReduceArgMax][d]
}

func newArg[T any, A number](op backend.ReduceOp, load func(T) A) folder {
	if op == backend.ReduceArgMin {
		return &argFold[T, A]{load, func(x, best A) bool { return x < best }}
	}
	return &argFold[T, A]{load, func(x, best A) bool { return x > best }}
}

func (f *argFold[T, A]) piece(r *reducing, w *reduceScratch, block, _ int) {
	src, dst := elements[T](&r.src), elements[int64](&r.dst)
	n, stride := r.axis()
	lane := r.place(w, 0, block)
	w.term = grow(w.term, laneBlock)
	at := w.term[:len(lane)]
	r.lanes.offsets(at, 1, block*laneBlock)
	for i := range lane {
		dst[r.dst.Offset+at[i]] = f.find(src, r.src.Offset+lane[i], stride, n)
	}
}

// join has nothing to do: a lane is never cut.
func (f *argFold[T, A]) join(*reducing, *reduceScratch, int) {}

// find returns the first position of NaN, or else of the extreme.
func (f *argFold[T, A]) find(src []T, at, stride, n int) int64 {
	best, where := f.load(src[at]), 0
	for i := 0; i < n; i++ {
		x := f.load(src[at])
		if x != x {
			return int64(i)
		}
		if f.beyond(x, best) {
			best, where = x, i
		}
		at += stride
	}
	return int64(where)
}

// axis returns the one summed axis; without one every lane has a single element.
func (r *reducing) axis() (n, stride int) {
	if r.grain.depth > 0 {
		return r.grain.levels[0].dim, r.grain.levels[0].stride[0]
	}
	return r.grain.cut.dim, r.grain.cut.stride[0]
}
