package train

import (
	"context"

	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

// Bound is an estimate of the bound on the mean of −log p over held-out rows, or over samples of a target, by which the steps of a run are
// compared.
type Bound struct {
	Step  int                `json:"step"`
	Bound diffusion.Estimate `json:"bound"` // in nats, in the data's own units
}

// bounds is what a run remembers of its bounds.
type bounds struct {
	points *tensor.Tensor // where the bound is estimated; nil until it is first
	best   *Bound         // of those estimated at multiples of Config.BoundEvery, so that it does not depend on where a run was continued
}

const (
	// watchRows is how many points the bound is estimated at: enough for a standard error of a few hundredths of a nat a coordinate.
	watchRows  = 1000
	watchBatch = 250
	// watchSeed is added to the run's seed. Each estimate draws the same noise, which makes them comparable more finely than their errors say.
	watchSeed = 0x5EED
)

// HeldOutBound estimates the bound at up to 1000 of the held-out rows, spread evenly, or at 1000 samples of the target, with the averaged weights
// if the run keeps them. Points and noise are the same each time, and training does not notice. For the report of a finished run see
// [Experiment.Evaluate]. A run that knows neither target nor data is an error.
func (e *Experiment) HeldOutBound(ctx context.Context) (b Bound, err error) {
	defer tensor.Catch(&err)
	if err := e.checkKnown("held-out bound"); err != nil {
		return b, err
	}
	defer e.UseAverages()()
	rng := tensor.NewRNG(e.stream, e.Config.Seed+watchSeed)
	defer rng.Release()
	if e.bounds.points == nil {
		e.bounds.points = e.watchedPoints()
	}
	rng.SetState(tensor.RNGState{Seed: e.Config.Seed + watchSeed, Offset: 1 << 32}) // beyond what the points have drawn
	balance, err := e.Sampler.BackwardBalance(ctx, rng, e.bounds.points, watchBatch)
	if err != nil {
		return b, err
	}
	b = Bound{Step: e.Trainer.Step, Bound: diffusion.MeanOf(balance)}
	if e.Data != nil {
		b.Bound.Value -= e.Data.Standardize.LogDetJacobian()
	}
	return b, nil
}

// watchedPoints returns the points of HeldOutBound.
func (e *Experiment) watchedPoints() (points *tensor.Tensor) {
	d := e.Config.DType.DType
	if e.Data != nil {
		return newRows(e.stream, evenly(e.Data.Held, watchRows), d).values
	}
	rng := tensor.NewRNG(e.stream, e.Config.Seed+watchSeed)
	defer rng.Release()
	e.stream.Scope(func() { points = e.Target.Sample(rng, d, watchRows).Keep() })
	return points
}

// evenly returns at most n rows of t, from its beginning to its end.
func evenly(t *dataset.Table, n int) *dataset.Table {
	if t.Rows <= n {
		return t
	}
	part := &dataset.Table{Columns: t.Columns, Rows: n}
	for i := range n {
		part.Data = append(part.Data, t.Row(i*t.Rows/n)...)
	}
	return part
}

// Best returns the best bound so far, nil if none has been estimated.
func (e *Experiment) Best() *Bound { return e.bounds.best }

// note remembers b if it is the best.
func (m *bounds) note(b Bound) {
	if finite(b.Bound.Value) && (m.best == nil || b.Bound.Value < m.best.Bound.Value) {
		m.best = &b
	}
}
