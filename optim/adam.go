package optim

import (
	"cmp"
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
)

// AdamConfig holds the settings of Adam and AdamW. A zero field stands for the default noted with it.
type AdamConfig struct {
	LR          float64 // learning rate; 1e-3
	Beta1       float64 // decay of the mean of gradients; 0.9
	Beta2       float64 // decay of the mean of their squares; 0.999
	Eps         float64 // added to the denominator; 1e-8
	WeightDecay float64 // λ; none. PyTorch's AdamW has 1e-2
}

func (c AdamConfig) withDefaults() AdamConfig {
	c.LR = cmp.Or(c.LR, 1e-3)
	c.Beta1 = cmp.Or(c.Beta1, 0.9)
	c.Beta2 = cmp.Or(c.Beta2, 0.999)
	c.Eps = cmp.Or(c.Eps, 1e-8)
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
			return fmt.Errorf("%s is %v; want %s, or 0 for the default", f.name, f.value, f.want)
		}
	}
	return checkDecay(c.WeightDecay)
}

func checkDecay(decay float64) error {
	if !(decay >= 0 && decay < math.Inf(1)) {
		return fmt.Errorf("weight decay is %v; want a finite number of at least 0", decay)
	}
	return nil
}

// Adam is the method of Kingma and Ba (2015) as PyTorch computes it: with g the gradient of a parameter p at step t,
//
//	g = g + λ·p                                              where λ, the weight decay, is not 0
//	m = β₁·m + (1−β₁)·g      v = β₂·v + (1−β₂)·g²
//	p = p − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
//
// or AdamW (Loshchilov and Hutter, 2019), whose decay does not pass through the moments:
//
//	p = p·(1 − lr·λ) − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
//
// A gradient that is NaN or infinite makes its element, and both its moments, NaN from then on; other elements do not notice.
type Adam struct{ stepper }

var _ Optimizer = (*Adam)(nil)

// NewAdam returns an optimiser of params, which are float32 or float64 on one stream, and of more groups with settings of their own.
// Its state has their dtypes, and a narrower one holds neither ε = 1e-8 (float16) nor β₂ = 0.999 (bfloat16).
// Those, and settings out of range, are errors.
func NewAdam(params []nn.Param, c AdamConfig, more ...Group[AdamConfig]) (*Adam, error) {
	return newAdam(&adam, false, append([]Group[AdamConfig]{{params, c}}, more...))
}

// NewAdamW is NewAdam with decoupled weight decay. Its errors are the same.
func NewAdamW(params []nn.Param, c AdamConfig, more ...Group[AdamConfig]) (*Adam, error) {
	return newAdam(&adamW, true, append([]Group[AdamConfig]{{params, c}}, more...))
}

func newAdam(m *method, decoupled bool, groups []Group[AdamConfig]) (*Adam, error) {
	st, err := newStepper(m, groups, func(c AdamConfig) (treatment, error) {
		c = c.withDefaults()
		return c.treatment(decoupled), c.check()
	})
	if err != nil {
		return nil, err
	}
	return &Adam{*st}, nil
}

func (c AdamConfig) treatment(decoupled bool) treatment {
	t := treatment{
		rate:     c.LR,
		settings: []float64{c.Beta1, c.Beta2, c.WeightDecay},
		state:    []string{"exp_avg", "exp_avg_sq"},
		update:   adamUpdates[undecayed],
		numbers:  []int{adamStepSize, adamRoot},
		imm:      []float64{c.Beta1, 1 - c.Beta1, c.Beta2, 1 - c.Beta2, c.Eps},
	}
	switch {
	case c.WeightDecay == 0:
	case decoupled:
		t.update, t.numbers = adamUpdates[decayedParameter], append(t.numbers, adamKeep)
	default:
		t.update, t.imm = adamUpdates[decayedGradient], append(t.imm, c.WeightDecay)
	}
	return t
}

var (
	adam  = method{"adam", newPrograms(adamPrepare)}
	adamW = method{"adamw", adam.prepare}
)

// The results of adamPrepare: lr/(1−β₁ᵗ), √(1−β₂ᵗ) and 1 − lr·λ.
const (
	adamStepSize = iota
	adamRoot
	adamKeep
)

// adamPrepare computes in float64, from the step count, the rates, and β₁, β₂ and λ of each group.
func adamPrepare(d backend.DType) *backend.Prog {
	c, in, param := newCode(backend.Float64, 5, 1)
	op := func(op backend.MapOp, operands ...backend.Value) backend.Value {
		return c.emit(op, backend.Float64, operands...)
	}
	count, rate, beta1, beta2, decay, one := in[0], in[1], in[2], in[3], in[4], param[0]
	stepSize := op(backend.Div, rate, op(backend.Sub, one, op(backend.Pow, beta1, count)))
	root := op(backend.Sqrt, op(backend.Sub, one, op(backend.Pow, beta2, count)))
	keep := op(backend.Sub, one, op(backend.Mul, rate, decay))
	return c.prog(c.cast(stepSize, d), c.cast(root, d), c.cast(keep, d))
}

// adamDecay is what the weight decay acts on.
type adamDecay int

const (
	undecayed adamDecay = iota
	decayedGradient
	decayedParameter
)

var adamUpdates = func() (all [decayedParameter + 1]programs) {
	for decay := range all {
		all[decay] = newPrograms(func(d backend.DType) *backend.Prog { return adamUpdate(d, adamDecay(decay)) })
	}
	return all
}()

// adamUpdate updates parameter, mean and square.
func adamUpdate(d backend.DType, decay adamDecay) *backend.Prog {
	sources, numbers := 6, 5
	switch decay {
	case decayedGradient:
		numbers++
	case decayedParameter:
		sources++
	}
	c, in, imm := newCode(d, sources, numbers)
	op := func(op backend.MapOp, operands ...backend.Value) backend.Value { return c.emit(op, d, operands...) }
	param, mean, square, grad, stepSize, root := in[0], in[1], in[2], in[3], in[4], in[5]
	beta1, rest1, beta2, rest2, eps := imm[0], imm[1], imm[2], imm[3], imm[4]
	if decay == decayedGradient {
		grad = op(backend.Add, grad, op(backend.Mul, imm[5], param))
	}
	mean = op(backend.Add, op(backend.Mul, mean, beta1), op(backend.Mul, grad, rest1))
	square = op(backend.Add, op(backend.Mul, square, beta2), op(backend.Mul, op(backend.Mul, grad, grad), rest2))
	denominator := op(backend.Add, op(backend.Div, op(backend.Sqrt, square), root), eps)
	change := op(backend.Mul, op(backend.Div, mean, denominator), stepSize)
	if decay == decayedParameter {
		param = op(backend.Mul, param, in[6])
	}
	return c.prog(op(backend.Sub, param, change), mean, square)
}
