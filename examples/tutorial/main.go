// Command tutorial trains a diffusion sampler by a loss of its own on a target of its own: the program that docs/TUTORIAL.md writes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

func main() {
	steps := flag.Int("steps", 1500, "training steps")
	batch := flag.Int("batch", 128, "paths in a step")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *steps, *batch); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer, steps, batch int) (err error) {
	defer tensor.Catch(&err)
	device, err := tensor.Open("", backend.Options{})
	if err != nil {
		return err
	}
	s, err := device.NewStream()
	if err != nil {
		return err
	}
	rng := tensor.NewRNG(s, 1)
	sampler, err := newSampler(rng, backend.Float32)
	if err != nil {
		return err
	}
	f, err := newFitter(LogVariance{sampler}, Banana{}, rng, batch)
	if err != nil {
		return err
	}
	err = f.trained(ctx, steps, func(p train.Progress) error {
		if p.Step != 1 && p.Step%250 != 0 && p.Step != steps {
			return nil
		}
		_, err := fmt.Fprintf(out, "step %4d: loss %8.3f\n", p.Step, p.Loss)
		return err
	})
	if err != nil {
		return err
	}
	r, err := evaluate(ctx, sampler, Banana{}, rng, 5000)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "ELBO  %v\nlog Z %v, exactly %.4f\nESS   %.1f%%\n", r.elbo, r.logZ, Banana{}.LogZ(), r.essPercent)
	return err
}

// newSampler returns a fresh forward policy of 40 steps, and the Brownian bridge that leads back.
func newSampler(rng *tensor.RNG, d backend.DType) (*diffusion.Sampler, error) {
	process := diffusion.Process{NumSteps: 40, Sigma: 2, TScale: 1}
	policy := diffusion.PolicyConfig{Net: diffusion.NetConfig{Hidden: 64}}
	pf, err := diffusion.NewForward(rng, d, Banana{}.Dim(), process, policy)
	if err != nil {
		return nil, err
	}
	return diffusion.NewSampler(pf, nil) // nil: the bridge
}
