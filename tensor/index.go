package tensor

import "github.com/weir-ml/weir/backend"

// Gather returns the elements of x at positions index along an axis: result[…, i, …] = x[…, index[…, i, …], …]. index is int64, with
// x's dimensions but for the axis.
func Gather(x *Tensor, axis int, index *Tensor) *Tensor {
	s := streamOf("gather", x, index)
	axis = x.axis("gather", axis)
	checkIndex("gather", x, axis, index)
	out := s.alloc("gather", x.DType(), index.Shape())
	s.run2(backend.Cmd{Op: backend.Gather, Axis: axis}, out, x, index)
	return out
}

// Take returns the slices of x at positions index (int64, one axis) along an axis.
func Take(x *Tensor, axis int, index *Tensor) *Tensor {
	axis = x.axis("take", axis)
	return Gather(x, axis, spread("take", x, axis, index))
}

// ScatterAdd returns x with items added at positions index along an axis: result[…, index[…, i, …], …] += items[…, i, …], in the
// order of i. index has the shape of items.
func ScatterAdd(x *Tensor, axis int, index, items *Tensor) *Tensor {
	s := streamOf("scatter add", x, index, items)
	axis = x.axis("scatter add", axis)
	checkIndex("scatter add", x, axis, index)
	if x.DType() == backend.Bool {
		Fail("scatter add", []*Tensor{x, index, items}, "not defined for bool")
	}
	if !index.SameShape(items) || items.DType() != x.DType() {
		Fail("scatter add", []*Tensor{x, index, items}, "wants items of the index's shape and the target's dtype")
	}
	out := Clone(s.Use(x))
	s.run2(backend.Cmd{Op: backend.ScatterAdd, Axis: axis}, out, items, index)
	return out
}

// spread returns a one-axis index repeated along the other axes of x.
func spread(op string, x *Tensor, axis int, index *Tensor) *Tensor {
	if index.Rank() != 1 {
		Fail(op, []*Tensor{x, index}, "wants an index with one axis")
	}
	shape := append([]int(nil), x.Shape()...)
	shape[axis] = index.Len()
	column := make([]int, x.Rank())
	for i := range column {
		column[i] = 1
	}
	column[axis] = index.Len()
	return Broadcast(Reshape(index, column...), shape...)
}

func checkIndex(op string, x *Tensor, axis int, index *Tensor) {
	if index.DType() != backend.Int64 || index.Rank() != x.Rank() {
		Fail(op, []*Tensor{x, index}, "wants an int64 index of rank %d", x.Rank())
	}
	for i, n := range x.Shape() {
		if i != axis && index.Dim(i) != n {
			Fail(op, []*Tensor{x, index}, "the index differs on axis %d", i)
		}
	}
}

// Concat returns the operands joined along an axis. Their other dimensions agree; their dtypes are promoted to one.
func Concat(axis int, xs ...*Tensor) *Tensor {
	s := streamOf("concat", xs...)
	axis = xs[0].axis("concat", axis)
	shape := append([]int(nil), xs[0].Shape()...)
	d := xs[0].DType()
	shape[axis] = 0
	for _, x := range xs {
		if x.Rank() != len(shape) {
			Fail("concat", xs, "the ranks differ")
		}
		for i, n := range x.Shape() {
			if i != axis && n != shape[i] {
				Fail("concat", xs, "the shapes differ on axis %d", i)
			}
		}
		shape[axis] += x.view.Dims[axis]
		d = Promote(d, x.DType())
	}
	out := s.alloc("concat", d, shape)
	at := 0
	for _, x := range xs {
		next := at + x.view.Dims[axis]
		s.run1(backend.Cmd{Op: backend.Copy}, Slice(out, axis, at, next), x)
		at = next
	}
	return out
}

// Stack returns the operands, which have one shape, joined along a new axis.
func Stack(axis int, xs ...*Tensor) *Tensor {
	rows := make([]*Tensor, len(xs))
	for i, x := range xs {
		rows[i] = Unsqueeze(x, axis)
	}
	if axis < 0 && len(rows) > 0 {
		axis += rows[0].Rank()
	}
	return Concat(axis, rows...)
}
