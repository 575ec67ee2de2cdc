package main

import (
	"context"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// fitter trains a loss of one's own by hand.
type fitter struct {
	loss  gflownet.Loss
	env   gflownet.Env
	adam  optim.Optimizer
	rng   *tensor.RNG
	batch int
	value *tensor.Tensor // rank 0: the loss of the last step
}

func newFitter(loss gflownet.Loss, env gflownet.Env, rng *tensor.RNG, batch int) (*fitter, error) {
	adam, err := optim.NewAdam(loss.Params(), optim.AdamConfig{LR: 3e-3})
	if err != nil {
		return nil, err
	}
	return &fitter{loss, env, adam, rng, batch, tensor.Zeros(rng.Stream(), backend.Float32)}, nil
}

// step draws a batch, goes once back through its loss, and updates the parameters.
func (f *fitter) step() (err error) {
	s := f.rng.Stream()
	s.Scope(func() {
		tape := autograd.NewTape(s)
		var loss *autograd.Var
		if loss, err = f.loss.Loss(tape, f.env, nil, gflownet.Options{RNG: f.rng, Batch: f.batch}); err != nil {
			return
		}
		f.adam.Step(autograd.Backward(loss))
		tensor.CopyInto(f.value, loss.Value())
	})
	return err
}

// eager takes n steps, each afresh.
func (f *fitter) eager(n int) error {
	for range n {
		if err := f.step(); err != nil {
			return err
		}
	}
	return nil
}

// replayed takes n steps, the first recorded and the others replayed: the same numbers, sooner.
func (f *fitter) replayed(n int) error {
	p, err := plan.Record(f.rng.Stream(), func(*plan.Recorder) error { return f.step() })
	if err != nil {
		return err
	}
	defer p.Close()
	for range n - 1 {
		if err := p.Run(); err != nil {
			return err
		}
	}
	return nil
}

// trained takes n steps by package train, which records, reports and ends early.
func (f *fitter) trained(ctx context.Context, n int, report func(train.Progress) error) error {
	trainer := train.Trainer{
		Loss: f.loss, Env: f.env, Optim: f.adam, RNG: f.rng, Batch: f.batch,
		Exploration: 0.5, Decay: optim.Cosine(n, 0), Schedule: optim.Cosine(n, 0.05), ClipNorm: 10,
	}
	return trainer.Run(ctx, n, report)
}

// report says how good a sampler is: the ELBO and log Z by importance weights in nats, and the effective share of its samples.
type report struct {
	elbo, logZ diffusion.Estimate
	essPercent float64
}

// evaluate draws n fresh paths.
func evaluate(ctx context.Context, sampler *diffusion.Sampler, env gflownet.Env, rng *tensor.RNG, n int) (report, error) {
	_, weights, err := sampler.ForwardWeights(ctx, rng, env, n, 1000)
	if err != nil {
		return report{}, err
	}
	return report{diffusion.MeanOf(weights), diffusion.LogMeanExp(weights), diffusion.ESSPercent(weights)}, nil
}
