package main

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// RTB is relative trajectory balance (Venkatraman et al., arXiv:2405.20971). Over paths τ from the source to x it is the mean of
//
//	(log Z + Σ log p_post(τ) − log r(x) − Σ log p_prior(τ))²
//
// with the forward policies of a prior that is kept and of a posterior that learns. It is 0 for every path, whoever drew it, just where the posterior
// samples r·prior/Z. Neither the density of the prior's samples nor a backward policy is in it.
type RTB struct {
	Posterior *diffusion.Sampler
	Prior     *diffusion.Sampler
	LogZ      *tensor.Tensor // rank 0

	// FromPrior of the paths of a batch, 0 to 1, are the prior's: they go on visiting what the posterior has left, and so bring back modes that it lost.
	FromPrior float64
}

var _ gflownet.Loss = (*RTB)(nil)

// NewRTB returns the loss of a posterior that starts as the prior, with log Z = 0.
func NewRTB(rng *tensor.RNG, prior *diffusion.Sampler) (*RTB, error) {
	pf, err := diffusion.NewForward(rng, prior.PF.DType(), prior.PF.Dim(), prior.PF.Process, prior.PF.Config)
	if err != nil {
		return nil, err
	}
	if err := nn.Copy(pf.Params(), prior.PF.Params()); err != nil {
		return nil, err
	}
	posterior, err := diffusion.NewSampler(pf, nil)
	if err != nil {
		return nil, err
	}
	return &RTB{Posterior: posterior, Prior: prior, LogZ: tensor.Zeros(rng.Stream(), backend.Float64)}, nil
}

// Params returns the parameters of the posterior and log_z. The prior does not learn.
func (l *RTB) Params() []nn.Param { return append(l.Posterior.Params(), l.LogZParams()...) }

// LogZParams returns log_z, which learns at a rate of its own.
func (l *RTB) LogZParams() []nn.Param { return []nn.Param{{Name: "log_z", Value: l.LogZ}} }

// Loss draws o.Batch paths, or a path back from each of samples (B, d) if there are any; env says log r. Exploration, a schedule's too, widens what the
// posterior draws; the scores are those of the policies themselves. No gradient flows through the draw.
func (l *RTB) Loss(
	tape *autograd.Tape, env gflownet.Env, samples *tensor.Tensor, o gflownet.Options,
) (loss *autograd.Var, err error) {
	defer tensor.Catch(&err)
	var states *autograd.Var
	switch {
	case samples != nil:
		states = l.Posterior.Backward(tape, o.RNG, samples).States
	case o.Batch > 0:
		states = l.draw(tape, o)
	default:
		return nil, fmt.Errorf("relative trajectory balance: a batch of %d paths; want at least 1, or samples", o.Batch)
	}
	residual := autograd.Sub(tape.Leaf(l.LogZ), l.LogWeights(env, states))
	return autograd.Mean(autograd.Mul(residual, residual)), nil
}

// draw returns paths of both policies.
func (l *RTB) draw(tape *autograd.Tape, o gflownet.Options) *autograd.Var {
	prior := int(l.FromPrior * float64(o.Batch))
	var parts []*autograd.Var
	if prior < o.Batch {
		parts = append(parts, l.Posterior.ExploringAs(o).Forward(tape, o.RNG, o.Batch-prior).States)
	}
	if prior > 0 {
		parts = append(parts, l.Prior.Forward(tape, o.RNG, prior).States)
	}
	return autograd.Concat(0, parts...)
}

// LogWeights returns log r(x) + Σ log p_prior − Σ log p_post of paths (B, N+1, d), (B): what log Z is where the posterior has been found. The mean of
// their exponentials over the posterior's own paths is Z, whatever the posterior.
func (l *RTB) LogWeights(env gflownet.Env, states *autograd.Var) *autograd.Var {
	tape := states.Tape()
	var reward *tensor.Tensor // as of the prior's, constants: only the posterior learns
	tape.NoGrad(func() {
		prior := autograd.Sum(l.Prior.PF.LogProb(states), 1)
		end := autograd.Select(states, 1, states.Dim(1)-1)
		reward = autograd.Add(env.LogReward(end), prior).Value()
	})
	return autograd.Sub(tape.Const(reward), autograd.Sum(l.Posterior.PF.LogProb(states), 1))
}

// Floored is a reward that is at least so much. Where the true one all but vanishes, the squares of the loss would be of little else.
type Floored struct {
	gflownet.Env
	Least float64 // log reward
}

// LogReward implements gflownet.Env.
func (f Floored) LogReward(x *autograd.Var) *autograd.Var {
	return autograd.Clamp(f.Env.LogReward(x), f.Least, math.Inf(1))
}
