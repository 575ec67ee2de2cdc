package optim

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
)

// SGDConfig holds the settings of SGD. A zero field stands for the default noted with it.
type SGDConfig struct {
	LR          float64 // learning rate; 1e-3
	Momentum    float64 // μ; none
	Dampening   float64 // τ, the share of a gradient that momentum does not take up; none
	Nesterov    bool    // look ahead along the momentum
	WeightDecay float64 // λ; none
}

func (c SGDConfig) withDefaults() SGDConfig {
	c.LR = cmp.Or(c.LR, 1e-3)
	return c
}

func (c SGDConfig) check() error {
	switch {
	case !(c.LR > 0 && c.LR < math.Inf(1)):
		return fmt.Errorf("learning rate is %v; want a finite number above 0, or 0 for the default", c.LR)
	case !(c.Momentum >= 0 && c.Momentum < 1):
		return fmt.Errorf("momentum is %v; want a number of at least 0 and below 1", c.Momentum)
	case !(c.Dampening >= 0 && c.Dampening <= 1):
		return fmt.Errorf("dampening is %v; want a number from 0 to 1", c.Dampening)
	case c.Dampening > 0 && c.Momentum == 0:
		return errors.New("dampening without momentum; set both or neither")
	case c.Nesterov && (c.Momentum == 0 || c.Dampening != 0):
		return errors.New("nesterov wants momentum and no dampening")
	}
	return checkDecay(c.WeightDecay)
}

// SGD is gradient descent as PyTorch computes it: with g the gradient of a parameter p,
//
//	g = g + λ·p                     where λ, the weight decay, is not 0
//	b = μ·b + (1−τ)·g               where μ, the momentum, is not 0; at the first step b = g
//	g = g + μ·b with Nesterov, else g = b
//	p = p − lr·g
//
// A gradient that is NaN or infinite makes its element so, and with momentum keeps it so; other elements do not notice.
type SGD struct{ stepper }

var _ Optimizer = (*SGD)(nil)

// NewSGD returns an optimiser of params, which are float32 or float64 on one stream, and of more groups with settings of their own.
// Other parameters, and settings out of range, are errors.
func NewSGD(params []nn.Param, c SGDConfig, more ...Group[SGDConfig]) (*SGD, error) {
	st, err := newStepper(&sgd, append([]Group[SGDConfig]{{params, c}}, more...), func(c SGDConfig) (treatment, error) {
		c = c.withDefaults()
		return c.treatment(), c.check()
	})
	if err != nil {
		return nil, err
	}
	return &SGD{*st}, nil
}

func (c SGDConfig) treatment() treatment {
	form := sgdForm{momentum: c.Momentum != 0, nesterov: c.Nesterov, decay: c.WeightDecay != 0}
	t := treatment{rate: c.LR, settings: []float64{c.Dampening}, update: sgdUpdates[form], numbers: []int{sgdRate}}
	if form.momentum {
		t.state, t.numbers, t.imm = []string{"momentum_buffer"}, append(t.numbers, sgdShare), append(t.imm, c.Momentum)
	}
	if form.decay {
		t.imm = append(t.imm, c.WeightDecay)
	}
	return t
}

var sgd = method{"sgd", newPrograms(sgdPrepare)}

// The results of sgdPrepare: the learning rate, and the share of the gradient that goes into the momentum.
const (
	sgdRate = iota
	sgdShare
)

// sgdPrepare computes in float64, from the step count, the rates, and τ of each group.
func sgdPrepare(d backend.DType) *backend.Prog {
	c, in, param := newCode(backend.Float64, 3, 1)
	count, rate, dampening, one := in[0], in[1], in[2], param[0]
	first := c.emit(backend.Le, backend.Bool, count, one)
	rest := c.emit(backend.Sub, backend.Float64, one, dampening)
	share := c.emit(backend.Where, backend.Float64, first, one, rest)
	return c.prog(c.cast(rate, d), c.cast(share, d))
}

// sgdForm is which terms of the update there are.
type sgdForm struct{ momentum, nesterov, decay bool }

var sgdUpdates = func() map[sgdForm]programs {
	all := map[sgdForm]programs{}
	for _, form := range []sgdForm{{}, {momentum: true}, {momentum: true, nesterov: true}} {
		for _, form.decay = range []bool{false, true} {
			all[form] = newPrograms(func(d backend.DType) *backend.Prog { return sgdUpdate(d, form) })
		}
	}
	return all
}()

// sgdUpdate updates the parameter and, if there is one, its momentum.
func sgdUpdate(d backend.DType, form sgdForm) *backend.Prog {
	sources, numbers := 3, 0
	if form.momentum {
		sources, numbers = 5, 1
	}
	if form.decay {
		numbers++
	}
	c, in, imm := newCode(d, sources, numbers)
	op := func(op backend.MapOp, operands ...backend.Value) backend.Value { return c.emit(op, d, operands...) }
	decayed := func(grad backend.Value) backend.Value {
		if !form.decay {
			return grad
		}
		return op(backend.Add, grad, op(backend.Mul, imm[numbers-1], in[0]))
	}
	moved := func(direction, rate backend.Value) backend.Value {
		return op(backend.Sub, in[0], op(backend.Mul, rate, direction))
	}
	if !form.momentum {
		return c.prog(moved(decayed(in[1]), in[2]))
	}
	momentum, rate, share := imm[0], in[3], in[4]
	grad := decayed(in[2])
	buffer := op(backend.Add, op(backend.Mul, momentum, in[1]), op(backend.Mul, share, grad))
	if !form.nesterov {
		return c.prog(moved(buffer, rate), buffer)
	}
	return c.prog(moved(op(backend.Add, grad, op(backend.Mul, momentum, buffer)), rate), buffer)
}
