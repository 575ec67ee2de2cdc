package diffusion

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Process is the diffusion that policies and losses share.
type Process struct {
	NumSteps int     `json:"num_steps"`     // N ≥ 1
	Sigma    float64 `json:"sigma"`         // σ > 0: the bridge's diffusion per unit of time
	TScale   float64 `json:"t_scale"`       // multiplies the forward variance; > 0
	Grid     Grid    `json:"grid,omitzero"` // how the steps divide time
}

// Check returns an error that names a setting out of range.
func (p Process) Check() error {
	switch {
	case p.NumSteps < 1:
		return fmt.Errorf("diffusion: num-steps is %d; want at least 1", p.NumSteps)
	case !positive(p.Sigma):
		return fmt.Errorf("diffusion: sigma is %v; want a positive number", p.Sigma)
	case !positive(p.TScale):
		return fmt.Errorf("diffusion: t-scale is %v; want a positive number", p.TScale)
	}
	return p.checkGrid()
}

// positive reports whether x is a finite number above 0.
func positive(x float64) bool { return x > 0 && !math.IsInf(x, 1) }

// minStep is the shortest step that a grid may have. The difference of two times near 1 keeps nine digits of it, and float32 tells them apart.
const minStep = 1e-7

func (p Process) checkGrid() error {
	if err := p.Grid.check(); err != nil || p.Grid == (Grid{}) {
		return err
	}
	for i := range p.NumSteps {
		if dt := p.Dt(i); !(dt >= minStep) {
			return fmt.Errorf("diffusion: on the grid %v step %d of %d has length %.3g; want at least %v: a milder grid or fewer steps",
				p.Grid, i, p.NumSteps, dt, minStep)
		}
	}
	return nil
}

// Time returns the time at which step i begins, from 0 for i = 0 to 1 for i = N, both exactly.
func (p Process) Time(i int) float64 {
	u := float64(i) / float64(p.NumSteps)
	if p.Grid == (Grid{}) || i == 0 || i == p.NumSteps {
		return u
	}
	return p.Grid.at(u)
}

// Dt returns the length of step i.
func (p Process) Dt(i int) float64 {
	if p.Grid == (Grid{}) {
		return 1 / float64(p.NumSteps)
	}
	return p.Time(i+1) - p.Time(i)
}

// pull returns t'/t for the step from time t = Time(i+1) back to t' = Time(i): what the bridge's mean keeps of a state.
func (p Process) pull(i int) float64 {
	if p.Grid == (Grid{}) {
		return float64(i) / float64(i+1)
	}
	return p.Time(i) / p.Time(i+1)
}

// BridgeStd returns the standard deviation of the bridge's step from time t = Time(i+1) back to t' = Time(i), σ·sqrt(dt·t'/t). It is 0 for
// the step to the source.
func (p Process) BridgeStd(i int) float64 { return p.Sigma * math.Sqrt(p.Dt(i)*p.pull(i)) }

func (p Process) bridgeVar(i int) float64 { return p.Sigma * p.Sigma * p.Dt(i) * p.pull(i) }

// ForwardVar returns the variance of forward step i where it is fixed, σ²·dt·t_scale + e², e the exploration.
func (p Process) ForwardVar(i int, exploration float64) float64 {
	e := max(exploration, 0)
	return p.Sigma*p.Sigma*p.Dt(i)*p.TScale + e*e
}

// Times returns the times of states first, …, last of a trajectory as a tensor.
func (p Process) Times(s *tensor.Stream, d backend.DType, first, last int) *tensor.Tensor {
	return perStep(s, d, first, last, p.Time)
}

// perStep returns f(first), …, f(last) as a tensor.
func perStep(s *tensor.Stream, d backend.DType, first, last int, f func(i int) float64) *tensor.Tensor {
	values := make([]float64, last-first+1)
	for i := range values {
		values[i] = f(first + i)
	}
	return tensor.Cast(tensor.FromSlice(s, values, len(values)), d)
}

// byStep is a function of the step, at the steps first, …, last.
type byStep struct {
	first, last int
	f           func(i int) float64
}

// number returns the value at all steps, if it is one.
func (b byStep) number() (value float64, ok bool) {
	value = b.f(b.first)
	for i := b.first + 1; i <= b.last; i++ {
		if b.f(i) != value {
			return 0, false
		}
	}
	return value, true
}

// constant returns the values as (T, 1), on a tape.
func (b byStep) constant(tape *autograd.Tape, d backend.DType) *autograd.Var {
	if c, ok := b.number(); ok {
		return tape.Const(tensor.Full(tape.Stream(), d, c, b.last-b.first+1, 1))
	}
	return tape.Const(tensor.Unsqueeze(perStep(tape.Stream(), d, b.first, b.last, b.f), 1))
}

// times multiplies v (…, T, k) by the value of each step.
func (b byStep) times(v *autograd.Var) *autograd.Var {
	if c, ok := b.number(); ok {
		return autograd.MulScalar(v, c)
	}
	return autograd.Mul(v, b.constant(v.Tape(), v.Value().DType()))
}

// plus adds the value of each step to v (…, T, k).
func (b byStep) plus(v *autograd.Var) *autograd.Var {
	if c, ok := b.number(); ok {
		return autograd.AddScalar(v, c)
	}
	return autograd.Add(v, b.constant(v.Tape(), v.Value().DType()))
}
