package autograd

import (
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// MaskedFill returns x with value where mask, of bools, is true.
func MaskedFill(x *Var, mask *tensor.Tensor, value float64) *Var {
	return record(tensor.MaskedFill(x.value, mask, value), into(x, func(g *Var) *Var { return MaskedFill(g, mask, 0) }))
}

// MaskedSelect returns the elements of x where mask, of bools, is true, on one axis in row-major order. mask broadcasts to the shape of x. The host
// reads it: see tensor.MaskedSelect. What has failed on the stream before is its error.
func MaskedSelect(x *Var, mask *tensor.Tensor) (*Var, error) {
	if mask.DType() != backend.Bool {
		tensor.Fail("masked select", []*tensor.Tensor{x.value, mask}, "wants a mask of bools")
	}
	wide := tensor.Broadcast(x.tape.stream.Use(mask), x.Shape()...)
	places, err := tensor.NonZero(tensor.Reshape(wide, -1))
	if err != nil {
		return nil, err
	}
	return Gather(Reshape(x, -1), 0, tensor.Reshape(places, -1)), nil
}

// Tril returns x with zeros above diagonal number k of its last two axes.
func Tril(x *Var, k int) *Var {
	return record(tensor.Tril(x.value, k), into(x, func(g *Var) *Var { return Tril(g, k) }))
}

// Triu returns x with zeros below diagonal number k of its last two axes.
func Triu(x *Var, k int) *Var {
	return record(tensor.Triu(x.value, k), into(x, func(g *Var) *Var { return Triu(g, k) }))
}
