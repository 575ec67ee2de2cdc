package diffusion_test

import (
	"context"
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
)

// DetailedBalance (Bengio et al., arXiv:2111.09266) balances each step from state i to i+1 by itself:
//
//	log F(s_i) + log p_F(s_{i+1} | s_i) = log F(s_{i+1}) + log p_B(s_i | s_{i+1})
//
// where the flow F is R at the last state, and learned before. At the source it is Z.
type DetailedBalance struct {
	*diffusion.Sampler
	Flow *diffusion.PISGradNet
}

// Params returns the parameters of the policies and of the flow.
func (l DetailedBalance) Params() []nn.Param {
	return append(l.Sampler.Params(), nn.Prefix("flow", l.Flow.Params())...)
}

// Loss implements gflownet.Loss on the policy's own paths.
func (l DetailedBalance) Loss(
	tape *autograd.Tape, env gflownet.Env, _ *tensor.Tensor, o gflownet.Options,
) (loss *autograd.Var, err error) {
	defer tensor.Catch(&err)
	n := l.PF.NumSteps
	tr := l.Score(l.ExploringAs(o).Forward(tape, o.RNG, o.Batch).States)
	times := l.PF.Times(tape.Stream(), l.PF.DType(), 0, n-1)
	flow := autograd.Squeeze(l.Flow.Forward(autograd.Slice(tr.States, 1, 0, n), times), 2)
	next := autograd.Concat(1, autograd.Slice(flow, 1, 1, n), autograd.Unsqueeze(env.LogReward(tr.Terminal()), 1))
	residual := autograd.Sub(autograd.Add(flow, tr.LogPF), autograd.Add(next, tr.LogPB))
	return autograd.Mean(autograd.Mul(residual, residual)), nil
}

// A loss of single steps asks a network for the flow through their states.
func ExampleNewPISGradNet() {
	s := exampleStream()
	rng := tensor.NewRNG(s, 1)
	net := diffusion.NetConfig{Harmonics: 8, Embed: 16, Hidden: 16}
	pf, err := diffusion.NewForward(rng, backend.Float32, 1, diffusion.Process{NumSteps: 6, Sigma: 1, TScale: 1}, diffusion.PolicyConfig{Net: net})
	if err != nil {
		panic(err)
	}
	sampler, err := diffusion.NewSampler(pf, nil)
	if err != nil {
		panic(err)
	}
	flow, err := diffusion.NewPISGradNet(rng, backend.Float32, 1, 1, net)
	if err != nil {
		panic(err)
	}
	loss := DetailedBalance{sampler, flow}
	target, err := diffusion.NewGMM([]float64{1}, [][]float64{{1}}, [][][]float64{{{1}}})
	if err != nil {
		panic(err)
	}
	adam, err := optim.NewAdam(loss.Params(), optim.AdamConfig{LR: 1e-2})
	if err != nil {
		panic(err)
	}
	gap := func() float64 {
		_, weights, err := sampler.ForwardWeights(context.Background(), tensor.NewRNG(s, 2), target, 1000, 1000)
		if err != nil {
			panic(err)
		}
		return target.LogZ() - diffusion.MeanOf(weights).Value
	}
	before := gap()
	for range 150 {
		s.Scope(func() {
			value, err := loss.Loss(autograd.NewTape(s), target, nil, gflownet.Options{RNG: rng, Batch: 64})
			if err != nil {
				panic(err)
			}
			adam.Step(autograd.Backward(value))
		})
	}
	fmt.Println("the ELBO gap fell to a tenth:", gap() < before/10)
	// Output: the ELBO gap fell to a tenth: true
}
