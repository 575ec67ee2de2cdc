package main

import (
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// TB is trajectory balance (Malkin et al., arXiv:2201.13259). Over paths τ from the source to x it is the mean of
//
//	(log Z + Σ log p_F(τ) − log R(x) − Σ log p_B(τ))²
//
// which is 0 for every path, whoever drew it, just where the forward policy samples R/Z. log Z is learned with the policies.
type TB struct {
	*diffusion.Sampler
	LogZ *tensor.Tensor // rank 0
}

// Params returns the parameters of the policies and log_z.
func (l TB) Params() []nn.Param { return append(l.Sampler.Params(), l.LogZParams()...) }

// LogZParams returns log_z, which learns at a rate of its own.
func (l TB) LogZParams() []nn.Param { return []nn.Param{{Name: "log_z", Value: l.LogZ}} }

// Loss draws o.Batch paths from the forward policy, or a path back from each of samples (B, d) if there are any. Exploration, a schedule's
// too, widens what is drawn; the scores are those of the policy itself. No gradient flows through the draw.
func (l TB) Loss(
	tape *autograd.Tape, env gflownet.Env, samples *tensor.Tensor, o gflownet.Options,
) (loss *autograd.Var, err error) {
	defer tensor.Catch(&err)
	var paths *gflownet.Trajectories
	switch {
	case samples != nil:
		paths = l.Backward(tape, o.RNG, samples)
	case o.Batch > 0:
		paths = l.Score(l.ExploringAs(o).Forward(tape, o.RNG, o.Batch).States)
	default:
		return nil, fmt.Errorf("trajectory balance: a batch of %d paths; want at least 1, or samples", o.Batch)
	}
	residual := autograd.Sub(tape.Leaf(l.LogZ), paths.LogWeights(env))
	return autograd.Mean(autograd.Mul(residual, residual)), nil
}
