package main

import (
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

// LogVariance is the variance over a batch of the log weights of its paths, log R(x) + Σ log p_B − Σ log p_F (Richter et al.,
// arXiv:2010.10436). It is 0 where all weights agree, which is where the forward policy samples R/Z.
type LogVariance struct{ *diffusion.Sampler }

// Loss returns the loss, of rank 0, of o.Batch paths drawn from the policy, widened by o's exploration. It needs no samples.
func (l LogVariance) Loss(
	tape *autograd.Tape, env gflownet.Env, _ *tensor.Tensor, o gflownet.Options,
) (loss *autograd.Var, err error) {
	defer tensor.Catch(&err)
	if o.Batch < 2 {
		return nil, fmt.Errorf("log variance: a batch of %d paths; want at least 2", o.Batch)
	}
	states := l.ExploringAs(o).Forward(tape, o.RNG, o.Batch).States // (B, N+1, d), constants
	return variance(logWeights(l.Score(states), env)), nil
}

// logWeights returns the log weight (B) of each path.
func logWeights(paths *gflownet.Trajectories, env gflownet.Env) *autograd.Var {
	steps := autograd.Sub(paths.LogPB, paths.LogPF) // (B, N)
	return autograd.Add(env.LogReward(paths.Terminal()), autograd.Sum(steps, 1))
}

// variance returns the variance of w (B), of rank 0.
func variance(w *autograd.Var) *autograd.Var {
	deviation := autograd.Sub(w, autograd.Mean(w)) // (B) − () broadcasts
	return autograd.Mean(autograd.Square(deviation))
}
