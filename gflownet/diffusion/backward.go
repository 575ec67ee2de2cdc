package diffusion

import (
	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// Backward is the backward policy: from s at time t the Brownian bridge's step to t' = t − dt, corrected by a network if there is one,
//
//	s' ~ N(s·t'/t − c·μ(s, t), σ²·dt·t'/t + exp(2c·ℓ(s, t)))              additive, as torchgfn has it
//	s' ~ N(s − s·dt/t·(1 + c·μ(s, t)), σ²·dt·t'/t·(1 + c·ℓ(s, t)))        multiplicative, as gfn-diffusion has it
//
// with c = ScaleRange and μ and ℓ the hyperbolic tangents of the network's outputs. Without a learned variance the exponential is absent, and ℓ is
// 0. The step to time 0 ends at 0 exactly and counts nothing. The zero Net is the fixed bridge.
//
// The additive form adds a standard deviation of e^(c·ℓ) in the units of the states to every step, however short. The multiplicative one follows the
// bridge's own scale, so the same c serves any process, and can only narrow or widen it.
//
// Sources: torchgfn 2.4.1, gflownet/mle.py; gfn-diffusion, energy_sampling/models/gfn.py (Sendera et al., arXiv:2402.05098).
type Backward struct {
	Process
	Config PolicyConfig
	Net    *PISGradNet

	dim int
}

// NewBridge returns the fixed Brownian bridge.
func NewBridge(p Process, dim int) *Backward { return &Backward{Process: p, dim: dim} }

// NewBackward returns a learned policy in d dimensions with fresh weights. A setting out of range, or a dtype that is no float, is an error.
func NewBackward(rng *tensor.RNG, d backend.DType, dim int, p Process, c PolicyConfig) (b *Backward, err error) {
	defer tensor.Catch(&err)
	c = c.WithDefaults()
	if err := c.check(p, d, dim); err != nil {
		return nil, err
	}
	return &Backward{Process: p, Config: c, Net: newPISGradNet(rng, d, dim, c.outputs(dim), c.Net), dim: dim}, nil
}

// Dim returns the number of coordinates of a state.
func (b *Backward) Dim() int { return b.dim }

// Learned reports whether a network corrects the bridge.
func (b *Backward) Learned() bool { return b.Net != nil }

// Params returns the parameters under torchgfn's names; the fixed bridge has none.
func (b *Backward) Params() []nn.Param {
	if !b.Learned() {
		return nil
	}
	return nn.Prefix("module", b.Net.Params())
}

// Buffers returns what is saved with the parameters but not trained.
func (b *Backward) Buffers() []nn.Param {
	if !b.Learned() {
		return nil
	}
	return nn.Prefix("module", b.Net.Buffers())
}

// Correction returns c·μ (…, T, d) and c·ℓ at states (…, T, d) and times (T). The latter is (…, T, 1), or (…, T, d) where the variance is diagonal, or nil
// where it is not learned. Both lie in [−c, c]. The policy must be learned.
func (b *Backward) Correction(states *autograd.Var, times *tensor.Tensor) (mean, spread *autograd.Var) {
	out := b.Net.Forward(states, times)
	if clip := b.Config.Clip; clip > 0 {
		out = autograd.Clamp(out, -clip, clip)
	}
	mean, spread = b.Config.split(autograd.Tanh(out), b.dim)
	if spread != nil {
		limit := b.Config.LogVarRange
		spread = autograd.MulScalar(autograd.Clamp(spread, -limit, limit), b.Config.ScaleRange)
	}
	return autograd.MulScalar(mean, b.Config.ScaleRange), spread
}

// Sample returns trajectories (B, N+1, d) that end at x (B, d), with noise (B, N, d) as in [Process.Bridge]. Gradients flow to the network
// through the path.
func (b *Backward) Sample(tape *autograd.Tape, x, noise *tensor.Tensor) *autograd.Var {
	states, _ := b.sample(tape, x, noise, false)
	return states
}

// SampleScored is Sample and LogProb of the result in one pass: the network is evaluated once at each state.
func (b *Backward) SampleScored(tape *autograd.Tape, x, noise *tensor.Tensor) (states, logPB *autograd.Var) {
	return b.sample(tape, x, noise, true)
}

func (b *Backward) sample(tape *autograd.Tape, x, noise *tensor.Tensor, scored bool) (states, logPB *autograd.Var) {
	if !b.Learned() {
		states = tape.Const(b.Bridge(x, noise))
		if scored {
			logPB = b.LogProb(states)
		}
		return states, logPB
	}
	b.checkNoise("backward sample", x, noise)
	s, d, n := tape.Stream(), x.DType(), b.NumSteps
	path, scores := make([]*autograd.Var, n+1), make([]*autograd.Var, n)
	path[n] = autograd.Unsqueeze(tape.Const(x), 1)
	for i := n - 1; i >= 1; i-- {
		mean, variance := b.moments(path[i+1], i, i)
		eps := tape.Const(tensor.Slice(noise, 1, n-1-i, n-i))
		path[i] = autograd.Add(mean, autograd.Mul(eps, autograd.Sqrt(variance)))
		if scored {
			scores[i] = gaussianNoise(eps, variance)
		}
	}
	path[0] = tape.Const(tensor.Zeros(s, d, x.Dim(0), 1, x.Dim(1)))
	if scored {
		scores[0] = tape.Const(tensor.Zeros(s, d, x.Dim(0), 1))
		logPB = autograd.Concat(1, scores...)
	}
	return autograd.Concat(1, path...), logPB
}

// moments returns the mean (…, T, d) of the steps from states (…, T, d) numbered first+1, …, last+1, first ≥ 1, and their variance, (1, T, 1) where it is
// not learned, else of the shape that Correction gives.
func (b *Backward) moments(from *autograd.Var, first, last int) (mean, variance *autograd.Var) {
	d := from.Value().DType()
	pull, bridge := byStep{first, last, b.pull}, byStep{first, last, b.bridgeVar}
	mean = pull.times(from)
	fixed := func() *autograd.Var { return autograd.Unsqueeze(bridge.constant(from.Tape(), d), 0) }
	if !b.Learned() {
		return mean, fixed()
	}
	shift, spread := b.Correction(from, b.Times(from.Tape().Stream(), d, first+1, last+1))
	if b.Config.Form == Multiplicative {
		// s·dt/t is how far the bridge moves toward 0.
		shift = autograd.Mul(shift, byStep{first, last, func(i int) float64 { return 1 - b.pull(i) }}.times(from))
	}
	mean = autograd.Sub(mean, shift)
	switch {
	case spread == nil:
		return mean, fixed()
	case b.Config.Form == Multiplicative:
		return mean, bridge.times(autograd.AddScalar(spread, 1))
	}
	return mean, bridge.plus(autograd.Exp(autograd.MulScalar(spread, 2)))
}

// LogProb returns the log density (B, N) of each backward step of trajectories (B, N+1, d): entry i belongs to the step from state i+1 to
// state i. Entry 0 is 0, because that step is certain.
func (b *Backward) LogProb(states *autograd.Var) *autograd.Var {
	b.checkPaths("log p_B", states.Value(), b.dim)
	tape, n := states.Tape(), b.NumSteps
	certain := tape.Const(tensor.Zeros(tape.Stream(), states.Value().DType(), states.Dim(0), 1))
	if n == 1 {
		return certain
	}
	mean, variance := b.moments(autograd.Slice(states, 1, 2, n+1), 1, n-1)
	to := autograd.Slice(states, 1, 1, n)
	return autograd.Concat(1, certain, gaussian(autograd.Sub(to, mean), variance))
}
