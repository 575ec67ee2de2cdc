// Command rtb fine-tunes a diffusion sampler to a posterior by relative trajectory balance, a loss that Weir does not have: rtb.go defines it with what
// any other module can import. The prior, a sampler of 25 Gaussians, is learned by maximum likelihood; the posterior has nine of them, with weights of
// its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// config is what a run is asked for.
type config struct {
	device      string
	prior       string // a checkpoint, if the prior is there already
	priorSteps  int
	steps       int
	batch       int
	lr          float64
	fromPrior   float64
	exploration float64
	decay       string
	seed        uint64
	samples     int // to evaluate with
}

func main() {
	var c config
	flag.StringVar(&c.device, "device", "", "backend to train on; the best for the CPU if empty")
	flag.StringVar(&c.prior, "prior", "", "checkpoint of a run on gmm25_prior, as weir train leaves it; without it the prior is trained first")
	flag.IntVar(&c.priorSteps, "prior-steps", 6000, "training steps of the prior, of 64 samples")
	flag.IntVar(&c.steps, "steps", 3000, "training steps of the posterior")
	flag.IntVar(&c.batch, "batch", 128, "paths in each of them")
	flag.Float64Var(&c.lr, "lr", 1e-3, "learning rate of the posterior")
	flag.Float64Var(&c.fromPrior, "from-prior", 0.25, "share of them that the prior draws")
	flag.Float64Var(&c.exploration, "exploration", 0.3, "standard deviation added to the steps of those that the posterior draws")
	flag.StringVar(&c.decay, "exploration-decay", "linear", "how that goes down: constant, linear[:STEPS], cosine[:STEPS] or warm-down:START:END")
	flag.Uint64Var(&c.seed, "seed", 0, "seed of weights, paths and evaluation")
	flag.IntVar(&c.samples, "samples", 5000, "samples to evaluate with")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		log.Fatal(err)
	}
}

// check finds what is wrong before the prior is trained, which takes long.
func (c config) check() error {
	switch {
	case c.steps < 1:
		return fmt.Errorf("relative trajectory balance: %d steps; want at least 1", c.steps)
	case !(c.fromPrior >= 0 && c.fromPrior <= 1):
		return fmt.Errorf("relative trajectory balance: %v of the paths are the prior's; want a share, 0 to 1", c.fromPrior)
	}
	_, err := train.Decay(c.decay).Schedule(c.steps)
	return err
}

// floor of log r in training. In the modes that the posterior leaves, log r is about −40. At −10 they keep 3·10⁻⁵ of it, which no sample tells from none.
const floor = -10

// run opens or trains the prior, fine-tunes it, prints how it goes, and ends with a table of how good prior and posterior are.
func run(ctx context.Context, out io.Writer, c config) (err error) {
	defer tensor.Catch(&err)
	if err := c.check(); err != nil {
		return err
	}
	device, err := tensor.Open(c.device, backend.Options{})
	if err != nil {
		return err
	}
	stream, err := device.NewStream()
	if err != nil {
		return err
	}
	prior, err := openPrior(ctx, out, stream, c)
	if err != nil {
		return err
	}
	rng := tensor.NewRNG(stream, c.seed+1)
	loss, err := NewRTB(rng, prior)
	if err != nil {
		return err
	}
	loss.FromPrior = c.fromPrior
	target := diffusion.NewPosterior9()
	before, err := evaluate(ctx, rng, loss, target, c.samples)
	if err != nil {
		return err
	}
	start := time.Now()
	if err := fit(ctx, out, rng, loss, Floored{target.Likelihood(), floor}, c); err != nil {
		return err
	}
	perStep := time.Since(start) / time.Duration(c.steps)
	after, err := evaluate(ctx, rng, loss, target, c.samples)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%v a step on %s\n\nthe prior's samples, weighted by r\n%v\nthe posterior's samples\n%v",
		perStep.Round(10*time.Microsecond), device.Name(), before, after)
	return err
}

// openPrior opens the prior's checkpoint, or learns it from samples of gmm25_prior.
func openPrior(ctx context.Context, out io.Writer, s *tensor.Stream, c config) (*diffusion.Sampler, error) {
	if c.prior != "" {
		model, err := train.OpenModel(s, c.prior)
		if err != nil {
			return nil, err
		}
		return model.Sampler, nil
	}
	e, err := train.NewExperiment(s, train.Config{
		Target: "gmm25_prior", Steps: c.priorSteps, EMA: 0.999, Schedule: train.CosineRate, WarmUp: c.priorSteps / 20, ClipNorm: 100, Seed: c.seed,
	})
	if err != nil {
		return nil, err
	}
	err = e.Run(ctx, train.Watch{OnStep: func(p train.Progress) error {
		if p.Step%500 != 0 {
			return nil
		}
		_, err := fmt.Fprintf(out, "prior: step %4d of %d: loss %9.3f\n", p.Step, c.priorSteps, p.Loss)
		return err
	}})
	if err != nil {
		return nil, err
	}
	e.UseAverages() // for good: the run is over
	return e.Sampler, nil
}

// fit trains the posterior, and prints the loss every 200 steps.
func fit(ctx context.Context, out io.Writer, rng *tensor.RNG, loss *RTB, likelihood gflownet.Env, c config) error {
	decay, err := train.Decay(c.decay).Schedule(c.steps)
	if err != nil {
		return err
	}
	logZ := optim.Group[optim.AdamConfig]{Params: loss.LogZParams(), Config: optim.AdamConfig{LR: 50 * c.lr}}
	adam, err := optim.NewAdam(loss.Posterior.Params(), optim.AdamConfig{LR: c.lr}, logZ)
	if err != nil {
		return err
	}
	trainer := train.Trainer{
		Loss: loss, Env: likelihood, Optim: adam, RNG: rng, Batch: c.batch, Exploration: c.exploration, Decay: decay,
		Schedule: optim.Cosine(c.steps, 0), ClipNorm: 100,
	}
	return trainer.Run(ctx, c.steps, func(p train.Progress) error {
		if p.Step != 1 && p.Step%200 != 0 && p.Step != c.steps {
			return nil
		}
		logZ, err := loss.LogZ.Item()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "posterior: step %4d of %d: loss %9.4f, log Z %7.4f\n", p.Step, c.steps, p.Loss, logZ)
		return err
	})
}
