package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// stepSizes are those of whole steps, from few operations to many: over batches, over steps of the process, and over widths.
func (o Options) stepSizes() []StepSize {
	if o.Size == Small {
		return []StepSize{{Batch: 4, Steps: 5, Dim: 2, Hidden: 16, Layers: 1}, {Batch: 8, Steps: 5, Dim: 2, Hidden: 16, Layers: 1}}
	}
	if o.Size == Huge {
		step := func(batch int) StepSize { return StepSize{Batch: batch, Steps: 100, Dim: 2, Hidden: 64, Layers: 2} }
		return []StepSize{step(500), step(4096), step(65536)}
	}
	sizes := []StepSize{
		{Batch: 8, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 32, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 32, Steps: 100, Dim: 2, Hidden: 128, Layers: 2},
		{Batch: 128, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 500, Steps: 25, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 500, Steps: 50, Dim: 2, Hidden: 64, Layers: 2},
		{Batch: 32, Steps: 100, Dim: 2, Hidden: 256, Layers: 2},
		o.flagship(),
	}
	if o.Size == Large {
		sizes = append(sizes,
			StepSize{Batch: 500, Steps: 100, Dim: 2, Hidden: 64, Layers: 2, LearnMean: true},
			StepSize{Batch: 4096, Steps: 100, Dim: 2, Hidden: 64, Layers: 2},
			StepSize{Batch: 500, Steps: 100, Dim: 32, Hidden: 256, Layers: 4})
	}
	return sizes
}

// flagship is the size of which the parts of a step are measured, too.
func (o Options) flagship() StepSize {
	if o.Size == Small {
		return StepSize{Batch: 8, Steps: 5, Dim: 2, Hidden: 16, Layers: 1}
	}
	return StepSize{Batch: 500, Steps: 100, Dim: 2, Hidden: 64, Layers: 2}
}

// mleCases are in float32. What is recorded is arranged and replayed, as training does; a whole step is arranged as one, so it can take less than its parts.
func mleCases(o Options) []benchCase {
	var cases []benchCase
	for _, z := range o.stepSizes() {
		cases = append(cases, benchCase{
			name: fmt.Sprintf("mle/step/%v", z), dtype: backend.Float32, flops: z.Flops(), work: z.Flops(), isFMA: true,
			open: func(ctx context.Context, t *target) (execution, error) { return openStep(ctx, t, z) },
		})
	}
	z := o.flagship()
	part := func(name string, flops float64, record func(*training) (*plan.Plan, error)) benchCase {
		return benchCase{
			name: fmt.Sprintf("mle/%s/%v", name, z), dtype: backend.Float32, flops: flops, work: flops, isFMA: true,
			open: func(_ context.Context, t *target) (execution, error) { return openPart(t, z, record) },
		}
	}
	return append(cases,
		part("forward", z.ForwardFlops(), recordForward),
		part("backward", z.BackwardFlops(), recordBackward),
		part("optimiser", 0, recordOptimiser))
}

// stepExecution is a trainer that waits after each step for the next one to be asked for.
type stepExecution struct {
	*target
	*training
	next func() (train.Progress, bool)
	stop func()
	err  error
}

// errStopped ends a trainer.
var errStopped = errors.New("stopped")

func openStep(ctx context.Context, t *target, z StepSize) (execution, error) {
	tr, err := newTraining(t.tensors, z, backend.Float32)
	if err != nil {
		return nil, err
	}
	e := &stepExecution{target: t, training: tr}
	e.next, e.stop = iter.Pull(func(yield func(train.Progress) bool) {
		e.err = tr.trainer().Run(ctx, math.MaxInt, func(p train.Progress) error {
			if !yield(p) {
				return errStopped
			}
			return nil
		})
	})
	return e, nil
}

func (e *stepExecution) check() error { return checkTraining(e.target, e.size) }

func (e *stepExecution) run(n int) error {
	for range n {
		if _, ok := e.next(); !ok {
			return e.err
		}
	}
	return nil
}

func (e *stepExecution) close() error {
	e.stop()
	return e.training.close()
}

// partExecution is a recorded part of a step.
type partExecution struct {
	*target
	*training
	plan *plan.Plan
}

func openPart(t *target, z StepSize, record func(*training) (*plan.Plan, error)) (e execution, err error) {
	tr, err := newTraining(t.tensors, z, backend.Float32)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tr.close())
		}
	}()
	defer tensor.Catch(&err)
	p, err := record(tr)
	if err != nil {
		return nil, err
	}
	return &partExecution{t, tr, p}, nil
}

func (e *partExecution) check() error { return checkTraining(e.target, e.size) }

func (e *partExecution) run(n int) error {
	for range n {
		if err := e.plan.Run(); err != nil {
			return err
		}
	}
	return e.stream.Sync()
}

func (e *partExecution) close() error {
	e.plan.Close()
	return e.training.close()
}

// recordForward records the loss of a batch that is drawn anew each time.
func recordForward(tr *training) (*plan.Plan, error) {
	kept := tensor.Zeros(tr.stream, tr.dtype)
	return plan.Record(tr.stream, func(*plan.Recorder) (err error) {
		tr.stream.Scope(func() {
			var loss *autograd.Var
			if loss, err = tr.value(autograd.NewInference(tr.stream), nil, nil); err == nil {
				tensor.CopyInto(kept, loss.Value())
			}
		})
		return err
	})
}

// recordBackward records the gradients of a loss that was computed once: its tape stays.
func recordBackward(tr *training) (*plan.Plan, error) {
	loss, err := tr.value(autograd.NewTape(tr.stream), nil, nil)
	if err != nil {
		return nil, err
	}
	kept := tr.like()
	return plan.Record(tr.stream, func(*plan.Recorder) error {
		tr.stream.Scope(func() {
			grads := autograd.Backward(loss)
			for _, p := range tr.loss.Params() {
				tensor.CopyInto(kept.Of(p.Value), grads.Of(p.Value))
			}
		})
		return nil
	})
}

// recordOptimiser records an update by gradients that stay the same.
func recordOptimiser(tr *training) (*plan.Plan, error) {
	grads := tr.like()
	return plan.Record(tr.stream, func(*plan.Recorder) error {
		tr.stream.Scope(func() { tr.adam.Step(grads) })
		return nil
	})
}
