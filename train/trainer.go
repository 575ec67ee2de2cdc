package train

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
)

// Source gives training samples. It draws on the device, so that a recorded step draws anew each time.
type Source interface {
	// Sample returns n samples (n, d).
	Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor
}

// Feeder is a Source that the host feeds between steps, because the samples do not fit the device, or come from elsewhere. Sample then returns
// what was fed.
type Feeder interface {
	Source
	// Feed makes the n samples of a step, counted from 0, ready. They depend on the step and n alone, so a run that continues at a step
	// sees what it would have seen.
	Feed(step, n int) error
}

// ErrDiverged is wrapped by the error of a run whose loss, gradients or weights are no longer finite.
var ErrDiverged = errors.New("training diverged")

// diverged returns an error that wraps ErrDiverged. what is not finite at the step.
func diverged(what string, step int) error {
	return fmt.Errorf("train: %s at step %d: %w; lower the learning rate or check the data", what, step, ErrDiverged)
}

// Trainer repeats a step: draw a batch, compute the loss and its gradients, update the parameters.
type Trainer struct {
	Loss        gflownet.Loss
	Env         gflownet.Env // given to the loss; may be nil
	Source      Source       // nil for a loss that draws its own samples
	Optim       optim.Optimizer
	RNG         *tensor.RNG
	DType       backend.DType // of the samples
	Batch       int
	Exploration float64

	// Decay is the factor of Exploration by steps done; nil is always 1. With it the loss is given Options.Exploration, which changes between the
	// replays of a step, and must read that.
	Decay optim.Schedule

	Schedule   optim.Schedule // of the learning rate, by steps done; nil leaves it as it is
	ClipNorm   float64        // limit on the norm of all gradients together; 0 is none
	EMA        *optim.EMA     // updated after each step; may be nil
	MicroBatch int            // samples whose activations are held at a time; 0 is the whole batch. See Trainer.Run

	Eager bool // run each step afresh instead of replaying a recording; the results are the same
	Step  int  // steps done so far

	exploring *tensor.Tensor // what Decay makes of Exploration at this step
}

// Progress is what a step reports.
type Progress struct {
	Step     int     `json:"step"`      // counted from 1
	Loss     float64 `json:"loss"`      // before the step's update
	GradNorm float64 `json:"grad_norm"` // before clipping
}

// Run trains until steps have been done in total, and calls report after each one. It ends early, between steps, with the context's
// error when that is done, with report's error, or with one that wraps [ErrDiverged] and names what is not finite: the loss, or the gradient of a
// parameter. A step that has begun is completed: half of one could not be saved.
//
// With MicroBatch, the gradients of parts of the batch are added up, weighted by their sizes. That gives the whole batch's, but for rounding, if
// the loss is a mean over samples. The noise is that of the whole batch if the loss is a [Noisy] one.
func (t *Trainer) Run(ctx context.Context, steps int, report func(Progress) error) (err error) {
	defer tensor.Catch(&err)
	outcome := tensor.Zeros(t.RNG.Stream(), backend.Float64, 1+len(t.Optim.Params()))
	defer outcome.Release()
	values := make([]float64, outcome.Len())
	if t.Decay != nil {
		t.exploring = tensor.Zeros(t.RNG.Stream(), backend.Float64)
		defer t.exploring.Release()
	}
	step, end := t.stepper(outcome)
	defer end()
	for t.Step < steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := t.prepare(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
		if err := tensor.Read(values, outcome); err != nil {
			return err
		}
		p, err := t.progress(values)
		if err != nil {
			return err
		}
		t.Step++
		if report == nil {
			continue
		}
		if err := report(p); err != nil {
			return err
		}
	}
	return nil
}

// prepare does what the host has to do before a step.
func (t *Trainer) prepare() error {
	if t.Schedule != nil {
		t.Optim.ScaleLR(t.Schedule(t.Step))
	}
	if t.Decay != nil {
		tensor.SetSlice(t.exploring, []float64{t.Exploration * t.Decay(t.Step)})
	}
	if f, ok := t.Source.(Feeder); ok {
		return f.Feed(t.Step, t.Batch)
	}
	return nil
}

// progress tells of a step by what it has left, and returns an error if that is not finite.
func (t *Trainer) progress(values []float64) (p Progress, err error) {
	p = Progress{Step: t.Step + 1, Loss: values[0]}
	if !finite(p.Loss) {
		return p, diverged(fmt.Sprintf("the loss is %v", p.Loss), p.Step)
	}
	total := 0.0
	for i, square := range values[1:] {
		if !finite(square) {
			return p, diverged(fmt.Sprintf("the gradient of %s is not finite", t.Optim.Params()[i].Name), p.Step)
		}
		total += square
	}
	if p.GradNorm = math.Sqrt(total); !finite(p.GradNorm) {
		return p, diverged("the norm of the gradients is not finite", p.Step)
	}
	return p, nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// stepper returns what executes a step, afresh each time if the trainer is eager, else recorded the first time and replayed from then on. end
// frees the recording.
func (t *Trainer) stepper(outcome *tensor.Tensor) (step func() error, end func()) {
	if t.Eager {
		return func() error { return t.step(outcome) }, func() {}
	}
	var recorded *plan.Plan
	step = func() (err error) {
		if recorded != nil {
			return recorded.Run()
		}
		recorded, err = plan.Record(t.RNG.Stream(), func(*plan.Recorder) error { return t.step(outcome) })
		return err
	}
	end = func() {
		if recorded != nil {
			recorded.Close()
		}
	}
	return step, end
}

// step executes one step, and leaves in outcome the loss and, for each parameter, the sum of the squares of its gradient.
func (t *Trainer) step(outcome *tensor.Tensor) (err error) {
	s := t.RNG.Stream()
	s.Scope(func() {
		var loss, samples *tensor.Tensor
		var grads optim.Gradients
		if t.Source != nil {
			samples = t.Source.Sample(t.RNG, t.DType, t.Batch)
		}
		if loss, grads, err = t.gradients(samples); err != nil {
			return
		}
		params := t.Optim.Params()
		squares := optim.SquaredNorms(grads, params)
		if t.ClipNorm > 0 {
			grads, _ = optim.ClipNorm(grads, params, t.ClipNorm)
		}
		t.Optim.Step(grads)
		if t.EMA != nil {
			t.EMA.Update()
		}
		wide := tensor.Reshape(tensor.Cast(loss, backend.Float64), 1)
		tensor.CopyInto(outcome, tensor.Concat(0, wide, squares))
	})
	return err
}
