package gflownet_test

import (
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

// LogVariance is the loss of Richter et al. (arXiv:2010.10436): the variance of the log weights of paths, which is 0 where the forward policy
// samples the reward. The paths are the policy's own.
type LogVariance struct{ *diffusion.Sampler }

// Loss implements gflownet.Loss.
func (l LogVariance) Loss(
	tape *autograd.Tape, env gflownet.Env, _ *tensor.Tensor, o gflownet.Options,
) (loss *autograd.Var, err error) {
	defer tensor.Catch(&err)
	paths := l.ExploringAs(o).Forward(tape, o.RNG, o.Batch).States
	w := l.Score(paths).LogWeights(env)
	deviation := autograd.Sub(w, autograd.Mean(w))
	return autograd.Mean(autograd.Mul(deviation, deviation)), nil
}

// A loss of one's own is one method, where the parameters are those of a sampler.
func ExampleLoss() {
	dev, err := tensor.Open("cpu", backend.Options{})
	if err != nil {
		panic(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		panic(err)
	}
	rng := tensor.NewRNG(s, 1)
	p := diffusion.Process{NumSteps: 8, Sigma: 4, TScale: 1}
	pf, err := diffusion.NewForward(rng, backend.Float32, 2, p, diffusion.PolicyConfig{})
	if err != nil {
		panic(err)
	}
	target, err := diffusion.NewTarget("gmm2")
	if err != nil {
		panic(err)
	}
	sampler, err := diffusion.NewSampler(pf, diffusion.NewBridge(p, 2))
	if err != nil {
		panic(err)
	}

	var loss gflownet.Loss = LogVariance{sampler}
	tape := autograd.NewTape(s)
	value, err := loss.Loss(tape, target, nil, gflownet.Options{RNG: rng, Batch: 100})
	if err != nil {
		panic(err)
	}
	grads := autograd.Backward(value)
	for _, param := range loss.Params()[5:7] {
		fmt.Println(param.Name, grads.Of(param.Value).Shape())
	}
	// Output:
	// pf.module.s_model.s_model.weight [64 2]
	// pf.module.s_model.s_model.bias [64]
}

func ExampleParseReduction() {
	r, err := gflownet.ParseReduction("sum")
	fmt.Println(r, err)
	_, err = gflownet.ParseReduction("average")
	fmt.Println(err)
	// Output:
	// sum <nil>
	// gflownet: unknown reduction "average"; want mean, sum, none
}
