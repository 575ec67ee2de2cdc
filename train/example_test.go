package train_test

import (
	"context"
	"fmt"
	"os"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// Train on a named target, and see how far the sampler is from it.
func Example() {
	dev, err := tensor.Open("cpu", backend.Options{})
	if err != nil {
		panic(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		panic(err)
	}
	e, err := train.NewExperiment(s, train.Config{
		Target: "gmm2", Steps: 50, Batch: 64, LR: 5e-3, Process: diffusion.Process{NumSteps: 8},
	})
	if err != nil {
		panic(err)
	}
	before, err := e.Evaluate(context.Background(), train.Evaluation{Samples: 200, Batch: 200})
	if err != nil {
		panic(err)
	}
	err = e.Run(context.Background(), train.Watch{OnStep: func(p train.Progress) error {
		if p.Step == e.Config.Steps {
			fmt.Println("steps:", p.Step)
		}
		return nil
	}})
	if err != nil {
		panic(err)
	}
	after, err := e.Evaluate(context.Background(), train.Evaluation{Samples: 200, Batch: 200})
	if err != nil {
		panic(err)
	}
	fmt.Println("the bound fell:", after.NLLBound.Value < before.NLLBound.Value)
	// Output:
	// steps: 50
	// the bound fell: true
}

// Keep a run in a directory, watch its held-out bound, and go on with it later.
func ExampleExperiment_Run() {
	dev, err := tensor.Open("cpu", backend.Options{})
	if err != nil {
		panic(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	e, err := train.NewExperiment(s, train.Config{
		Target: "gmm2", Steps: 20, Batch: 16, EMA: 0.9, ClipNorm: 1, BoundEvery: 10, Process: diffusion.Process{NumSteps: 8},
	})
	if err != nil {
		panic(err)
	}
	watch := train.Watch{Dir: dir, CheckpointEvery: 10, OnBound: func(b train.Bound) error {
		fmt.Println("bound at step", b.Step)
		return nil
	}}
	if err := e.Run(context.Background(), watch); err != nil {
		panic(err)
	}

	path, _, err := train.Latest(dir)
	if err != nil {
		panic(err)
	}
	again, err := train.OpenExperiment(s, path, func(c *train.Config) { c.Steps = 30 })
	if err != nil {
		panic(err)
	}
	if err := again.Run(context.Background(), watch); err != nil {
		panic(err)
	}
	fmt.Println("done:", again.Trainer.Step)
	// Output:
	// bound at step 10
	// bound at step 20
	// bound at step 30
	// done: 30
}
