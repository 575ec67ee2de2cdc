package autograd

import "github.com/weir-ml/weir/tensor"

// Reshape returns x with other dimensions and the same elements; one dimension may be -1.
func Reshape(x *Var, shape ...int) *Var {
	return record(tensor.Reshape(x.value, shape...), into(x, func(g *Var) *Var { return Reshape(g, x.Shape()...) }))
}

// Broadcast returns x stretched to a shape.
func Broadcast(x *Var, shape ...int) *Var {
	return record(tensor.Broadcast(x.value, shape...), into(x, same))
}

// Permute returns x with its axes in the given order.
func Permute(x *Var, order ...int) *Var {
	return record(tensor.Permute(x.value, order...), into(x, func(g *Var) *Var {
		inverse := make([]int, len(order))
		for i, a := range order {
			inverse[(a+len(order))%len(order)] = i
		}
		return Permute(g, inverse...)
	}))
}

// Transpose returns x with two axes exchanged.
func Transpose(x *Var, a, b int) *Var {
	return record(tensor.Transpose(x.value, a, b), into(x, func(g *Var) *Var { return Transpose(g, a, b) }))
}

// Slice returns the elements lo, …, hi−1 along an axis.
func Slice(x *Var, axis, lo, hi int) *Var {
	return record(tensor.Slice(x.value, axis, lo, hi), into(x, func(g *Var) *Var {
		parts := []*Var{g}
		if lo > 0 {
			parts = []*Var{zeroRun(g, axis, lo), g}
		}
		if rest := x.Dim(axis) - hi; rest > 0 {
			parts = append(parts, zeroRun(g, axis, rest))
		}
		return Concat(axis, parts...)
	}))
}

// zeroRun returns n slices of zeros in the shape of g along an axis, stored as one element.
func zeroRun(g *Var, axis, n int) *Var {
	shape := append([]int(nil), g.Shape()...)
	shape[(axis+len(shape))%len(shape)] = n
	return Broadcast(g.like(0), shape...)
}

// Select returns element i along an axis, without that axis.
func Select(x *Var, axis, i int) *Var { return Squeeze(Slice(x, axis, i, i+1), axis) }

// Flip returns x with an axis reversed.
func Flip(x *Var, axis int) *Var {
	return record(tensor.Flip(x.value, axis), into(x, func(g *Var) *Var { return Flip(g, axis) }))
}

// Squeeze returns x without those axes, which must be 1 long.
func Squeeze(x *Var, axes ...int) *Var {
	return record(tensor.Squeeze(x.value, axes...), into(x, func(g *Var) *Var { return Reshape(g, x.Shape()...) }))
}

// Unsqueeze returns x with an axis of dimension 1 inserted.
func Unsqueeze(x *Var, axis int) *Var {
	return record(tensor.Unsqueeze(x.value, axis), into(x, func(g *Var) *Var { return Reshape(g, x.Shape()...) }))
}

// Concat returns the operands joined along an axis.
func Concat(axis int, xs ...*Var) *Var {
	values := make([]*tensor.Tensor, len(xs))
	for i, x := range xs {
		values[i] = x.value
	}
	joined := tensor.Concat(axis, values...)
	edges := make([]edge, len(xs))
	at := 0
	for i, x := range xs {
		lo, hi := at, at+x.Dim(axis)
		edges[i] = into(x, func(g *Var) *Var { return Slice(g, axis, lo, hi) })
		at = hi
	}
	return record(joined, edges...)
}

// Stack returns the operands, which have one shape, joined along a new axis.
func Stack(axis int, xs ...*Var) *Var {
	rows := make([]*Var, len(xs))
	for i, x := range xs {
		rows[i] = Unsqueeze(x, axis)
	}
	if axis < 0 && len(rows) > 0 {
		axis += rows[0].Rank()
	}
	return Concat(axis, rows...)
}

// Gather returns the elements of x at positions index (int64) along an axis.
func Gather(x *Var, axis int, index *tensor.Tensor) *Var {
	return record(tensor.Gather(x.value, axis, index), into(x, func(g *Var) *Var {
		zeros := x.tape.Const(tensor.Zeros(x.tape.stream, g.value.DType(), x.Shape()...))
		return ScatterAdd(zeros, axis, index, g)
	}))
}

// ScatterAdd returns x with items added at positions index along an axis.
func ScatterAdd(x *Var, axis int, index *tensor.Tensor, items *Var) *Var {
	return record(tensor.ScatterAdd(x.value, axis, index, items.value),
		into(x, same),
		into(items, func(g *Var) *Var { return Gather(g, axis, index) }))
}
