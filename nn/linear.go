package nn

import (
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Linear is the affine map x·Wᵀ + b over the last axis.
type Linear struct {
	Weight *tensor.Tensor // (out, in)
	Bias   *tensor.Tensor // (out)
}

// NewLinear returns a layer with PyTorch's initialisation: weight and bias uniform in ±1/√in, and a bias of 0 if there is no input.
func NewLinear(rng *tensor.RNG, d backend.DType, in, out int) *Linear {
	bound := 0.0
	if in > 0 {
		bound = 1 / math.Sqrt(float64(in))
	}
	return &Linear{
		Weight: symmetric(rng, d, bound, out, in),
		Bias:   symmetric(rng, d, bound, out),
	}
}

// symmetric returns a fresh tensor of numbers uniform in ±bound.
func symmetric(rng *tensor.RNG, d backend.DType, bound float64, shape ...int) *tensor.Tensor {
	var t *tensor.Tensor
	rng.Stream().Scope(func() {
		u := rng.Uniform(d, shape...)
		t = tensor.MulScalar(tensor.AddScalar(u, -0.5), 2*bound).Keep()
	})
	return t
}

// Forward maps (…, in) to (…, out).
func (l *Linear) Forward(x *autograd.Var) *autograd.Var {
	tape := x.Tape()
	return autograd.Linear(x, tape.Leaf(l.Weight), tape.Leaf(l.Bias))
}

// Params returns weight and bias.
func (l *Linear) Params() []Param {
	return []Param{{"weight", l.Weight}, {"bias", l.Bias}}
}
