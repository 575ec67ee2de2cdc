// Command trajectorybalance trains a diffusion sampler on a mixture of two Gaussians by trajectory balance, a loss that Weir does not have:
// tb.go defines it with what any other module can import. The settings are those of torchgfn's tutorial for its own trajectory balance.
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
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// config is what a run is asked for.
type config struct {
	device      string
	seed        uint64
	steps       int
	batch       int
	exploration float64
	decay       string // of the exploration
	eager       bool
	samples     int // to evaluate with
}

func main() {
	c := config{samples: 10000}
	flag.StringVar(&c.device, "device", "", "backend to train on; the best for the CPU if empty")
	flag.Uint64Var(&c.seed, "seed", 0, "seed of weights, paths and evaluation")
	flag.IntVar(&c.steps, "steps", 2000, "training steps")
	flag.IntVar(&c.batch, "batch", 200, "paths in a step")
	flag.Float64Var(&c.exploration, "exploration", 0, "standard deviation added to the steps of training paths")
	flag.StringVar(&c.decay, "exploration-decay", "constant", "how that goes down: linear[:STEPS], cosine[:STEPS] or warm-down:START:END")
	flag.BoolVar(&c.eager, "eager", false, "run every step afresh instead of replaying a recording")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, c); err != nil {
		log.Fatal(err)
	}
}

// run trains, prints how it goes, and ends with a table of how good the sampler is.
func run(ctx context.Context, out io.Writer, c config) (err error) {
	defer tensor.Catch(&err)
	if c.steps < 1 {
		return fmt.Errorf("trajectory balance: %d steps; want at least 1", c.steps)
	}
	device, err := tensor.Open(c.device, backend.Options{})
	if err != nil {
		return err
	}
	stream, err := device.NewStream()
	if err != nil {
		return err
	}
	target, err := diffusion.NewTarget("gmm2_seed2")
	if err != nil {
		return err
	}
	rng := tensor.NewRNG(stream, c.seed)
	process := diffusion.Process{NumSteps: 32, Sigma: 5, TScale: 1}
	loss, err := newTB(rng, backend.Float32, target.Dim(), process, diffusion.NetConfig{})
	if err != nil {
		return err
	}
	start := time.Now()
	logZs, err := fit(ctx, out, rng, loss, target, c)
	if err != nil {
		return err
	}
	perStep := time.Since(start) / time.Duration(c.steps)
	r, err := evaluate(ctx, rng, loss, target.(known), logZs, c.samples)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%v a step on %s\n%v", perStep.Round(10*time.Microsecond), device.Name(), r)
	return err
}

// newTB returns the loss of a fresh forward policy against the fixed Brownian bridge, with log Z = 0.
func newTB(rng *tensor.RNG, d backend.DType, dim int, p diffusion.Process, net diffusion.NetConfig) (TB, error) {
	pf, err := diffusion.NewForward(rng, d, dim, p, diffusion.PolicyConfig{Net: net})
	if err != nil {
		return TB{}, err
	}
	sampler, err := diffusion.NewSampler(pf, nil)
	if err != nil {
		return TB{}, err
	}
	return TB{Sampler: sampler, LogZ: tensor.Zeros(rng.Stream(), d)}, nil
}

// fit trains on the policy's own paths, prints the loss every 200 steps, and returns log Z after each step.
func fit(
	ctx context.Context, out io.Writer, rng *tensor.RNG, loss TB, target diffusion.Target, c config,
) (logZs []float64, err error) {
	logZ := optim.Group[optim.AdamConfig]{Params: loss.LogZParams(), Config: optim.AdamConfig{LR: 0.1}}
	adam, err := optim.NewAdam(loss.Sampler.Params(), optim.AdamConfig{LR: 1e-3}, logZ)
	if err != nil {
		return nil, err
	}
	decay, err := train.Decay(c.decay).Schedule(c.steps)
	if err != nil {
		return nil, err
	}
	trainer := train.Trainer{
		Loss: loss, Env: target, Optim: adam, RNG: rng, Batch: c.batch, Exploration: c.exploration, Decay: decay, Eager: c.eager,
	}
	err = trainer.Run(ctx, c.steps, func(p train.Progress) error {
		logZ, err := loss.LogZ.Item()
		logZs = append(logZs, logZ)
		if err != nil || p.Step != 1 && p.Step%200 != 0 && p.Step != c.steps {
			return err
		}
		_, err = fmt.Fprintf(out, "step %4d of %d: loss %9.4f, log Z %7.4f\n", p.Step, c.steps, p.Loss, logZ)
		return err
	})
	return logZs, err
}
