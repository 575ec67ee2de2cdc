package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
)

// sampleCases draw batches of samples, as weir sample does.
func sampleCases(o Options) []benchCase {
	sizes := []StepSize{{Batch: 500, Steps: 20, Dim: 2, Hidden: 64, Layers: 2}, o.flagship()}
	if o.Size == Small || o.Size == Huge {
		sizes = []StepSize{o.flagship()}
	}
	var cases []benchCase
	for _, z := range sizes {
		cases = append(cases, benchCase{
			name: fmt.Sprintf("sample/%v", z), dtype: backend.Float32, flops: z.ForwardFlops(), work: z.ForwardFlops(), isFMA: true,
			open: func(ctx context.Context, t *target) (execution, error) { return openSampling(ctx, t, z) },
		})
	}
	return cases
}

// samplingExecution draws a batch at a time.
type samplingExecution struct {
	*target
	*training
	ctx     context.Context
	sampler *diffusion.Sampler
}

func openSampling(ctx context.Context, t *target, z StepSize) (execution, error) {
	tr, err := newTraining(t.tensors, z, backend.Float32)
	if err != nil {
		return nil, err
	}
	sampler, err := diffusion.NewSampler(tr.loss.PF, tr.loss.PB)
	if err != nil {
		return nil, errors.Join(err, tr.close())
	}
	return &samplingExecution{t, tr, ctx, sampler}, nil
}

func (e *samplingExecution) check() error { return checkSampling(e.ctx, e.target, e.size) }

func (e *samplingExecution) run(n int) error {
	for range n {
		if err := e.sampler.DrawEach(e.ctx, e.rng, e.size.Batch, e.size.Batch, func([]float64) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

func (e *samplingExecution) close() error { return e.training.close() }
