package optim

import (
	"errors"
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// AdamConfig holds Adam's settings. A zero field stands for the default noted with it.
type AdamConfig struct {
	LR    float64 // learning rate; 1e-3
	Beta1 float64 // decay of the mean of gradients; 0.9
	Beta2 float64 // decay of the mean of their squares; 0.999
	Eps   float64 // added to the denominator; 1e-8
}

func (c AdamConfig) withDefaults() AdamConfig {
	set := func(field *float64, value float64) {
		if *field == 0 {
			*field = value
		}
	}
	set(&c.LR, 1e-3)
	set(&c.Beta1, 0.9)
	set(&c.Beta2, 0.999)
	set(&c.Eps, 1e-8)
	return c
}

func (c AdamConfig) check() error {
	for _, f := range []struct {
		name  string
		value float64
		below float64
		want  string
	}{
		{"learning rate", c.LR, math.Inf(1), "a finite number above 0"},
		{"beta1", c.Beta1, 1, "a number above 0 and below 1"},
		{"beta2", c.Beta2, 1, "a number above 0 and below 1"},
		{"eps", c.Eps, math.Inf(1), "a finite number above 0"},
	} {
		if !(f.value > 0 && f.value < f.below) {
			return fmt.Errorf("optim: adam: %s is %v; want %s, or 0 for the default", f.name, f.value, f.want)
		}
	}
	return nil
}

// Adam is the method of Kingma and Ba (2015) as PyTorch computes it: with g the gradient of a parameter p at step t,
//
//	m = β₁·m + (1−β₁)·g      v = β₂·v + (1−β₂)·g²
//	p = p − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
type Adam struct {
	config AdamConfig
	params []nn.Param
	mean   []*tensor.Tensor
	square []*tensor.Tensor
	count  *tensor.Tensor // t, float64, rank 0
	rate   *tensor.Tensor // lr, float64, rank 0
}

// NewAdam returns an optimiser of params, which are float32 or float64 on one stream. Its state has their dtypes, and a narrower one holds
// neither ε = 1e-8 (float16) nor β₂ = 0.999 (bfloat16).
func NewAdam(params []nn.Param, c AdamConfig) (_ *Adam, err error) {
	defer tensor.Catch(&err)
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := checkParams(params); err != nil {
		return nil, err
	}
	s := params[0].Value.Stream()
	a := &Adam{
		config: c,
		params: params,
		count:  tensor.Zeros(s, backend.Float64),
		rate:   tensor.Full(s, backend.Float64, c.LR),
	}
	for _, p := range params {
		a.mean = append(a.mean, tensor.Zeros(s, p.Value.DType(), p.Value.Shape()...))
		a.square = append(a.square, tensor.Zeros(s, p.Value.DType(), p.Value.Shape()...))
	}
	return a, nil
}

func checkParams(params []nn.Param) error {
	if len(params) == 0 {
		return errors.New("optim: adam: no parameters to train")
	}
	s := params[0].Value.Stream()
	for _, p := range params {
		switch d := p.Value.DType(); {
		case d != backend.Float32 && d != backend.Float64:
			return fmt.Errorf("optim: adam: %s is %v; want float32 or float64", p.Name, d)
		case p.Value.Stream() == nil:
			return fmt.Errorf("optim: adam: %s is frozen; want a tensor that can be written", p.Name)
		case p.Value.Stream() != s:
			return fmt.Errorf("optim: adam: %s belongs to another stream than %s; want one for all", p.Name, params[0].Name)
		}
	}
	return nil
}

// SetLR changes the learning rate, also of a recorded step. It panics with a *tensor.Error if lr is negative or not finite.
func (a *Adam) SetLR(lr float64) {
	if !(lr >= 0 && lr < math.Inf(1)) {
		tensor.Fail("adam", nil, "learning rate is %v; want a finite number of at least 0", lr)
	}
	tensor.SetSlice(a.rate, []float64{lr})
}

// Step updates every parameter.
func (a *Adam) Step(grads *autograd.Gradients) {
	a.count.Stream().Scope(func() {
		tensor.CopyInto(a.count, tensor.AddScalar(a.count, 1))
		stepSize := tensor.Div(a.rate, a.correction(a.config.Beta1))
		root := tensor.Sqrt(a.correction(a.config.Beta2))
		for i, p := range a.params {
			d := p.Value.DType()
			tensor.MapInto([]*tensor.Tensor{p.Value, a.mean[i], a.square[i]}, adamPrograms[d], a.config.parameters(),
				p.Value, a.mean[i], a.square[i], grads.Of(p.Value), tensor.Cast(stepSize, d), tensor.Cast(root, d))
		}
	})
}

// correction returns 1 − βᵗ.
func (a *Adam) correction(beta float64) *tensor.Tensor {
	power := tensor.Pow(tensor.Full(a.count.Stream(), backend.Float64, beta), a.count)
	return tensor.SubFrom(1, power)
}

func (c AdamConfig) parameters() []float64 {
	return []float64{c.Beta1, 1 - c.Beta1, c.Beta2, 1 - c.Beta2, c.Eps}
}

// State returns the step count and both moments of every parameter, aliasing the optimiser's tensors.
func (a *Adam) State() []nn.Param {
	state := []nn.Param{{Name: "step", Value: a.count}}
	for i, p := range a.params {
		state = append(state,
			nn.Param{Name: "exp_avg." + p.Name, Value: a.mean[i]},
			nn.Param{Name: "exp_avg_sq." + p.Name, Value: a.square[i]})
	}
	return state
}

// adamPrograms update parameter, mean and square, which are sources 0 to 2, from the gradient, the step size and the root of the
// second correction.
var adamPrograms = func() (progs [backend.Float64 + 1]*backend.Prog) {
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		progs[d] = adamProgram(d)
	}
	return progs
}()

func adamProgram(d backend.DType) *backend.Prog {
	const (
		param, mean, square, grad, stepSize, root             = 0, 1, 2, 3, 4, 5
		beta1, rest1, beta2, rest2, eps                       = 6, 7, 8, 9, 10
		oldMean, newShare, newMean                            = 11, 12, 13
		oldSquare, gradSquare, newSquareShare, newSquare      = 14, 15, 16, 17
		deviation, scaled, denominator, ratio, change, result = 18, 19, 20, 21, 22, 23
	)
	op := func(op backend.MapOp, a, b backend.Value) backend.Instr {
		return backend.Instr{Op: op, DType: d, A: a, B: b}
	}
	return tensor.NewProg(
		[]backend.DType{d, d, d, d, d, d},
		[]backend.DType{d, d, d, d, d},
		[]backend.Instr{
			op(backend.Mul, mean, beta1),
			op(backend.Mul, grad, rest1),
			op(backend.Add, oldMean, newShare),
			op(backend.Mul, square, beta2),
			op(backend.Mul, grad, grad),
			op(backend.Mul, gradSquare, rest2),
			op(backend.Add, oldSquare, newSquareShare),
			op(backend.Sqrt, newSquare, 0),
			op(backend.Div, deviation, root),
			op(backend.Add, scaled, eps),
			op(backend.Div, newMean, denominator),
			op(backend.Mul, ratio, stepSize),
			op(backend.Sub, param, change),
		},
		result, newMean, newSquare)
}
