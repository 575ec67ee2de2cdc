package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

const (
	checkedSamples = 16 // of a batch
	// trainingError is what loss and gradients in float32 may be off from float64, relative to the greatest element: what torchgfn's recorded cases
	// are held to.
	trainingError = 5e-5
	// samplingError is the same of samples, whose path of many steps carries a rounded step's error on.
	samplingError = 1e-3
	// A step carries the rounding of its products on by so many times, and a sampler's path by so many.
	trainingGrowth, samplingGrowth = 32, 256
	// faint is the least gradient, as a share of the greatest of all, that is held to its own size.
	faint = 1e-3
)

// named is an array of numbers that a device computed.
type named struct {
	name   string
	values []float64
}

// withReference calls f with a training on the device and one on the pure Go backend, in float32 and in dtype d, with the same weights. Both have
// few samples.
func withReference(t *target, z StepSize, d backend.DType, f func(own, reference *training) error) (err error) {
	defer tensor.Catch(&err)
	z.Batch = min(z.Batch, checkedSamples)
	dev, err := cpu.NewDevice("reference", backend.Options{}, cpu.Kernels{})
	if err != nil {
		return err
	}
	reference, err := newTraining(tensor.NewDevice(dev), z, d)
	if err != nil {
		return errors.Join(err, dev.Close())
	}
	defer func() { err = errors.Join(err, reference.close(), dev.Close()) }()
	own, err := newTraining(t.tensors, z, backend.Float32)
	if err != nil {
		return fmt.Errorf("fails: %w", err)
	}
	defer func() {
		if closing := own.close(); err == nil && closing != nil {
			err = fmt.Errorf("fails: %w", closing)
		}
	}()
	if err := reference.adopt(own); err != nil {
		return fmt.Errorf("fails: %w", err)
	}
	return f(own, reference)
}

// checkTraining compares the loss of a given batch and noise, its gradients, and what Adam makes of given gradients with the same in float64 by the
// pure Go backend.
func checkTraining(t *target, z StepSize) error {
	return withReference(t, z, backend.Float64, func(own, reference *training) error {
		got, err := own.results()
		if err != nil {
			return fmt.Errorf("fails: %w", err)
		}
		want, err := reference.results()
		if err != nil {
			return err
		}
		return compareResults(got, want, trainingError+trainingGrowth*t.rounding)
	})
}

// results returns the loss, the gradients and the weights after a step of Adam, all from given numbers.
func (tr *training) results() (found []named, err error) {
	defer tensor.Catch(&err)
	keep := func(name string, x *tensor.Tensor) error {
		values, err := x.Float64s()
		found = append(found, named{name, values})
		return err
	}
	rng := rand.New(rand.NewPCG(3, 4))
	given := func(shape ...int) *tensor.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(rng.NormFloat64())
		}
		return tensor.Cast(tensor.FromSlice(tr.stream, values, shape...), tr.dtype)
	}
	z := tr.size
	tr.stream.Scope(func() {
		var loss *autograd.Var
		if loss, err = tr.value(autograd.NewTape(tr.stream), given(z.Batch, z.Dim), given(z.Batch, z.Steps, z.Dim)); err != nil {
			return
		}
		if err = keep("the loss", loss.Value()); err != nil {
			return
		}
		grads := autograd.Backward(loss)
		for _, p := range tr.loss.Params() {
			if err = keep("the gradient of "+p.Name, grads.Of(p.Value)); err != nil {
				return
			}
		}
		tr.adam.Step(tr.like())
		for _, p := range tr.loss.Params() {
			if err = keep("after a step of Adam "+p.Name, p.Value); err != nil {
				return
			}
		}
	})
	return found, err
}

// checkSampling compares samples with those that the pure Go backend draws from the same numbers.
func checkSampling(ctx context.Context, t *target, z StepSize) error {
	return withReference(t, z, backend.Float32, func(own, reference *training) error {
		got, err := own.draw(ctx)
		if err != nil {
			return fmt.Errorf("fails: %w", err)
		}
		want, err := reference.draw(ctx)
		if err != nil {
			return err
		}
		return compareResults([]named{{"a sample", got}}, []named{{"a sample", want}}, samplingError+samplingGrowth*t.rounding)
	})
}

func (tr *training) draw(ctx context.Context) ([]float64, error) {
	sampler, err := diffusion.NewSampler(tr.loss.PF, tr.loss.PB)
	if err != nil {
		return nil, err
	}
	tr.rng.SetState(tensor.RNGState{Seed: 5})
	return sampler.Draw(ctx, tr.rng, tr.size.Batch, tr.size.Batch)
}

// compareResults returns an error that names the first array that is off by more than a share of its greatest element.
func compareResults(got, want []named, tolerance float64) error {
	greatest := 0.0
	for _, w := range want {
		greatest = max(greatest, magnitude(w.values))
	}
	for i, w := range want {
		if len(got[i].values) != len(w.values) {
			return fmt.Errorf("%w: %s has %d elements; want %d", errWrong, w.name, len(got[i].values), len(w.values))
		}
		scale := max(magnitude(w.values), faint*greatest)
		for k, x := range w.values {
			if off := math.Abs(got[i].values[k] - x); !(off <= tolerance*scale) {
				return fmt.Errorf("%w: element %d of %s is %.7g, want %.7g to %.0e of the greatest", errWrong, k, w.name, got[i].values[k], x, tolerance)
			}
		}
	}
	return nil
}

func magnitude(xs []float64) float64 {
	m := 0.0
	for _, x := range xs {
		m = max(m, math.Abs(x))
	}
	return m
}
