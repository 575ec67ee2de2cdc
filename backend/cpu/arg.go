package cpu

import "github.com/weir-ml/weir/backend"

// argFold finds the position of the extreme of each lane along the one summed axis.
type argFold[T any] struct {
	find positions[T]
}

// positions sets where[i] to the position of the extreme of src[at+lanes[i]], src[at+lanes[i]+stride], …, n of them.
type positions[T any] func(w *reduceScratch, where []int64, src []T, at int, lanes []int, stride, n int)

// argFolders are the folds by reduction, of which the first is ArgMax, and type.
var argFolders = func() (t [2][backend.Float64 + 1]folder) {
	for i := range t {
		op := backend.ReduceArgMax + backend.ReduceOp(i)
		t[i][backend.Uint8] = argNumber[uint8](op)
		t[i][backend.Int32] = argNumber[int32](op)
		t[i][backend.Int64] = argNumber[int64](op)
		t[i][backend.Float16] = argHalf(op, f16.float)
		t[i][backend.BFloat16] = argHalf(op, bf16.float)
		t[i][backend.Float32] = argNumber[float32](op)
		t[i][backend.Float64] = argNumber[float64](op)
	}
	return t
}()

func (d *device) argFolder(op backend.ReduceOp, t backend.DType) folder {
	if f := d.argFolders[op-backend.ReduceArgMax][t]; f != nil {
		return f
	}
	return argFolders[op-backend.ReduceArgMax][t]
}

func (f *argFold[T]) piece(r *reducing, w *reduceScratch, block, _ int) {
	dst := elements[int64](&r.dst)
	n, stride := r.axis()
	lane := r.place(w, 0, block)
	w.where = grow(w.where, laneBlock)
	where := w.where[:len(lane)]
	f.find(w, where, elements[T](&r.src), r.src.Offset, lane, stride, n)
	w.term = grow(w.term, laneBlock)
	at := w.term[:len(lane)]
	r.lanes.offsets(at, 1, block*laneBlock)
	for i, position := range where {
		dst[r.dst.Offset+at[i]] = position
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

// eachPosition returns the positions that a function of one lane finds.
func eachPosition[T any](find func(src []T, at, stride, n int) int) positions[T] {
	return func(_ *reduceScratch, where []int64, src []T, at int, lanes []int, stride, n int) {
		for i, lane := range lanes {
			where[i] = int64(find(src, at+lane, stride, n))
		}
	}
}

// argNumber finds the positions of lanes that lie side by side term by term, so that it goes through memory in order.
func argNumber[T number](op backend.ReduceOp) folder {
	each, beside := eachPosition(argMax[T]), argMaxBeside[T]
	if op == backend.ReduceArgMin {
		each, beside = eachPosition(argMin[T]), argMinBeside[T]
	}
	return &argFold[T]{func(w *reduceScratch, where []int64, src []T, at int, lanes []int, stride, n int) {
		for len(lanes) > 0 {
			width := besides(lanes)
			if width < fewestBeside {
				each(w, where[:width], src, at, lanes[:width], stride, n)
			} else {
				beside(where[:width], words[T](&w.best, width), src, at+lanes[0], stride, n)
			}
			where, lanes = where[width:], lanes[width:]
		}
	}}
}

// argMaxBeside is argMax of lanes that lie side by side from src[at] on; best is for their maxima.
func argMaxBeside[T number](where []int64, best, src []T, at, stride, n int) {
	clear(where)
	copy(best, src[at:])
	for i := 1; i < n; i++ {
		at += stride
		for j, x := range src[at : at+len(best)] {
			if b := best[j]; !(x <= b) && b == b {
				best[j], where[j] = x, int64(i)
			}
		}
	}
}

// argMinBeside is argMin of such lanes.
func argMinBeside[T number](where []int64, best, src []T, at, stride, n int) {
	clear(where)
	copy(best, src[at:])
	for i := 1; i < n; i++ {
		at += stride
		for j, x := range src[at : at+len(best)] {
			if b := best[j]; !(x >= b) && b == b {
				best[j], where[j] = x, int64(i)
			}
		}
	}
}

// argHalf finds the maximum of the halves times 1, or for their minimum times −1.
func argHalf[T f16 | bf16](op backend.ReduceOp, load func(T) float32) folder {
	sign := float32(1)
	if op == backend.ReduceArgMin {
		sign = -1
	}
	return &argFold[T]{eachPosition(func(src []T, at, stride, n int) int {
		best, where := sign*load(src[at]), 0
		for i := 1; i < n && best == best; i++ {
			at += stride
			if x := sign * load(src[at]); !(x <= best) {
				best, where = x, i
			}
		}
		return where
	})}
}
