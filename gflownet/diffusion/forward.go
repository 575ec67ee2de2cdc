package diffusion

import (
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// Forward is the forward policy: from s at time t a Gaussian step
//
//	s' ~ N(s + dt·drift(s, t), v)   v = σ²·dt·t_scale + e²               fixed variance
//	                                v = exp(2·log_std(s, t))·dt·t_scale + e²   learned variance
//
// with e the exploration, drift the network's first d outputs, limited to ±Clip if that is set, and log_std = LogVarRange·tanh of its last output, or of
// its last d outputs where the variance is diagonal.
//
// If Scaled is set, outputs near 1 are what a step needs at any time:
//
//	drift = σ/sqrt(1 − t) · outputs,   log_std = log σ + LogVarRange·tanh of the others
//
// The drift toward an end x is (x − s)/(1 − t), and s is some σ·sqrt(1 − t) away from it; a network that gives the drift itself has to learn to grow
// tenfold as 1 − t falls to a hundredth. A learned variance then begins with the fixed one.
type Forward struct {
	Process
	Config      PolicyConfig
	Net         *PISGradNet
	Exploration float64 // e of LogProb and Sample

	exploring *tensor.Tensor // e in place of Exploration, unless nil: a number that a recorded step reads anew
	dim       int
}

// NewForward returns a policy in d dimensions with fresh weights. A setting out of range, or a dtype that is no float, is an error.
func NewForward(rng *tensor.RNG, d backend.DType, dim int, p Process, c PolicyConfig) (f *Forward, err error) {
	defer tensor.Catch(&err)
	c = c.WithDefaults()
	if err := c.check(p, d, dim); err != nil {
		return nil, err
	}
	return &Forward{Process: p, Config: c, Net: newPISGradNet(rng, d, dim, c.outputs(dim), c.Net), dim: dim}, nil
}

// Dim returns the number of coordinates of a state.
func (f *Forward) Dim() int { return f.dim }

// DType returns the type of the weights.
func (f *Forward) DType() backend.DType { return f.Net.Phase.DType() }

// Params returns the parameters under torchgfn's names.
func (f *Forward) Params() []nn.Param { return nn.Prefix("module", f.Net.Params()) }

// Buffers returns what is saved with the parameters but not trained.
func (f *Forward) Buffers() []nn.Param { return nn.Prefix("module", f.Net.Buffers()) }

// Drift returns the drift (…, T, d) at states (…, T, d) and times (T), and the log standard deviation, (…, T, 1), or (…, T, d) where it is diagonal, or
// nil where the variance is fixed.
func (f *Forward) Drift(states *autograd.Var, times *tensor.Tensor) (drift, logStd *autograd.Var) {
	drift, logStd = f.Config.split(f.Net.Forward(states, times), f.dim)
	if f.Config.Clip > 0 {
		drift = autograd.Clamp(drift, -f.Config.Clip, f.Config.Clip)
	}
	if f.Config.Scaled {
		drift = autograd.Mul(drift, states.Tape().Const(f.driftScale(times)))
	}
	if logStd != nil {
		logStd = autograd.MulScalar(autograd.Tanh(logStd), f.Config.LogVarRange)
		if f.Config.Scaled {
			logStd = autograd.AddScalar(logStd, math.Log(f.Sigma))
		}
	}
	return drift, logStd
}

// driftScale returns σ/sqrt(1 − t) (T, 1) at times (T). No step begins at time 1 or, on any grid, nearer to it than minStep.
func (f *Forward) driftScale(times *tensor.Tensor) *tensor.Tensor {
	left := tensor.Clamp(tensor.SubFrom(1, times), minStep, 1)
	return tensor.Unsqueeze(tensor.MulScalar(tensor.Rsqrt(left), f.Sigma), 1)
}

// LogProb returns the log density (B, N) of each step of trajectories (B, N+1, d).
func (f *Forward) LogProb(states *autograd.Var) *autograd.Var {
	if f.exploring != nil {
		return f.LogProbExploringBy(states, f.exploring)
	}
	return f.LogProbExploring(states, f.Exploration)
}

// LogProbExploring is LogProb at another exploration.
//
//	log p_F = −½ Σ_i [ (s' − s − dt·drift)_i² / v_i + log v_i + log 2π ]
func (f *Forward) LogProbExploring(states *autograd.Var, exploration float64) *autograd.Var {
	deviation, logStd := f.deviation(states)
	steps := byStep{0, f.NumSteps - 1, func(i int) float64 { return f.ForwardVar(i, exploration) }}
	if v, ok := steps.number(); ok && logStd == nil {
		return fixedGaussian(deviation, v)
	}
	return gaussian(deviation, f.variance(states.Tape(), logStd, 0, f.NumSteps-1, exploration))
}

// LogProbExploringBy is LogProbExploring at an exploration that the device holds, a tensor of one number at least 0: a step that was recorded reads it
// anew each time.
func (f *Forward) LogProbExploringBy(states *autograd.Var, exploration *tensor.Tensor) *autograd.Var {
	checkExploration("log p_F", states.Value(), exploration)
	deviation, logStd := f.deviation(states)
	return gaussian(deviation, f.varianceBy(states.Tape(), logStd, 0, f.NumSteps-1, exploration))
}

// checkExploration panics unless exploration is one number.
func checkExploration(op string, states, exploration *tensor.Tensor) {
	if exploration.Len() != 1 || !exploration.IsFloat() {
		tensor.Fail(op, []*tensor.Tensor{states, exploration}, "wants one number as the exploration")
	}
}

// deviation returns how far the steps of trajectories (B, N+1, d) end from their means, (B, N, d), and the learned log standard deviation.
func (f *Forward) deviation(states *autograd.Var) (deviation, logStd *autograd.Var) {
	f.checkPaths("log p_F", states.Value(), f.dim)
	n := f.NumSteps
	from, to := autograd.Slice(states, 1, 0, n), autograd.Slice(states, 1, 1, n+1)
	drift, logStd := f.Drift(from, f.Times(states.Tape().Stream(), states.Value().DType(), 0, n-1))
	return autograd.Sub(autograd.Sub(to, from), byStep{0, n - 1, f.Dt}.times(drift)), logStd
}

// variance returns v of the steps first, …, last: of the shape of logStd, or (1, T, 1) where that is nil.
func (f *Forward) variance(tape *autograd.Tape, logStd *autograd.Var, first, last int, exploration float64) *autograd.Var {
	if logStd == nil {
		v := byStep{first, last, func(i int) float64 { return f.ForwardVar(i, exploration) }}.constant(tape, f.DType())
		return autograd.Unsqueeze(v, 0)
	}
	scale := byStep{first, last, func(i int) float64 { return f.Dt(i) * f.TScale }}
	e := max(exploration, 0)
	return autograd.AddScalar(scale.times(autograd.Exp(autograd.MulScalar(logStd, 2))), e*e)
}

// varianceBy is variance at an exploration that the device holds.
func (f *Forward) varianceBy(tape *autograd.Tape, logStd *autograd.Var, first, last int, exploration *tensor.Tensor) *autograd.Var {
	e := tensor.Cast(tensor.Reshape(exploration, 1), f.DType())
	return autograd.Add(f.variance(tape, logStd, first, last, 0), tape.Const(tensor.Mul(e, e)))
}

// ownVariance is variance at the policy's own exploration.
func (f *Forward) ownVariance(tape *autograd.Tape, logStd *autograd.Var, first, last int) *autograd.Var {
	if f.exploring != nil {
		return f.varianceBy(tape, logStd, first, last, f.exploring)
	}
	return f.variance(tape, logStd, first, last, f.Exploration)
}
