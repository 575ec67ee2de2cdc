package train

import (
	"cmp"
	"context"
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

// Evaluation says how a sampler is measured.
type Evaluation struct {
	Seed    uint64 // decides every sample and path
	Samples int    // of the target and of the sampler, at least 2; for data the held-out rows are taken, however many they are
	Batch   int    // paths at a time, at least 1: it bounds memory, and changes results only by rounding
	Paths   int    // back from each sample, for the importance-weighted likelihood; 0 stands for 10
	Points  int    // at most, in distances and in the count of modes; 0 stands for 2000
	Exact   int    // points to which W2 is exact, beyond it is Sinkhorn's; 0 stands for 10000
}

// The numbers that zeros of an Evaluation stand for.
const (
	DefaultPaths  = 10
	DefaultPoints = 2000
	DefaultExact  = 10000
)

func (v Evaluation) check() error {
	switch {
	case v.Samples < 2 || v.Batch < 1:
		return fmt.Errorf("train: evaluate: %d samples in batches of %d; want at least 2 and 1", v.Samples, v.Batch)
	case v.Paths < 0 || v.Points < 0 || v.Exact < 0:
		return fmt.Errorf("train: evaluate: %d paths, %d points, exact to %d; want positive numbers, or 0 for the defaults", v.Paths, v.Points, v.Exact)
	}
	return nil
}

// Evaluate estimates every metric that the target, or data, allows. It keeps one batch of paths and the points of the distances in memory, whatever
// the number of samples. ctx can end it between two commands.
// The error is then that of ctx; numbers out of range, and a run that knows neither target nor data, are others.
func (e *Experiment) Evaluate(ctx context.Context, v Evaluation) (r Report, err error) {
	defer tensor.Catch(&err)
	if err := v.check(); err != nil {
		return r, err
	}
	if err := e.checkKnown("evaluate"); err != nil {
		return r, err
	}
	v.Paths, v.Points, v.Exact = cmp.Or(v.Paths, DefaultPaths), cmp.Or(v.Points, DefaultPoints), cmp.Or(v.Exact, DefaultExact)
	defer e.UseAverages()()
	err = e.stream.WithContext(ctx, func() (err error) {
		r, err = (&measurement{Experiment: e, Evaluation: v}).run(ctx)
		return err
	})
	return r, err
}

// measurement is an evaluation in progress.
type measurement struct {
	*Experiment
	Evaluation

	nll, logLikelihood, upper diffusion.MeanEstimator
	truth                     []float64 // points, row by row, in the data's units
}

// What the evaluation draws, each from a part of the seed's sequence of its own: none depends on how far another has come.
const (
	drawTruth = iota
	drawBackward
	drawForward
	drawOthers
)

// rng returns a generator at the start of a part. Parts are 2⁴⁰ counters apart.
func (m *measurement) rng(part uint64) *tensor.RNG {
	rng := tensor.NewRNG(m.stream, m.Seed)
	rng.SetState(tensor.RNGState{Seed: m.Seed, Offset: part << 40})
	return rng
}

func (m *measurement) run(ctx context.Context) (Report, error) {
	if m.Data != nil {
		return m.ofData(ctx)
	}
	return m.ofTarget(ctx)
}

// maxChunk is the number of true samples that are on the device at once. It is part of what a seed means.
const maxChunk = 1024

func (m *measurement) ofTarget(ctx context.Context) (r Report, err error) {
	rng := m.rng(drawTruth)
	defer rng.Release()
	err = m.backward(ctx, m.Samples, func(lo, hi int) (*tensor.Tensor, []float64, error) {
		x := m.Target.Sample(rng, m.Config.DType.DType, hi-lo)
		logR, err := m.Target.LogReward(autograd.NewInference(m.stream).Const(x)).Value().Float64s()
		if err != nil {
			return nil, nil, err
		}
		return x, logR, m.keep(x, lo)
	})
	if err != nil {
		return r, err
	}
	upper := m.upper.Estimate()
	r = m.report(m.Samples)
	r.EUBO = &upper
	samples, weights, err := m.forward(ctx)
	if err != nil {
		return r, err
	}
	r.weigh(weights, m.Target)
	others, err := m.others(m.Points)
	if err != nil {
		return r, err
	}
	r.Modes, r.ModesTrue = diffusion.CoverModes(m.Target, samples), diffusion.CoverModes(m.Target, others)
	return r, r.distances(ctx, m.Exact, samples, m.truth, others, m.Target.Dim())
}

// keep reads the points of x that distances are of. lo samples came before.
func (m *measurement) keep(x *tensor.Tensor, lo int) error {
	left := min(m.Points-lo, x.Dim(0))
	if left <= 0 {
		return nil
	}
	values, err := tensor.Slice(x, 0, 0, left).Float64s()
	m.truth = append(m.truth, values...)
	return err
}

// others draws more samples of the target.
func (m *measurement) others(n int) (values []float64, err error) {
	rng := m.rng(drawOthers)
	defer rng.Release()
	n = min(n, m.Samples)
	for lo := 0; lo < n; lo += maxChunk {
		var part []float64
		m.stream.Scope(func() { part, err = m.Target.Sample(rng, m.Config.DType.DType, min(maxChunk, n-lo)).Float64s() })
		if err != nil {
			return nil, err
		}
		values = append(values, part...)
	}
	return values, nil
}

// forward weighs samples of the sampler, and keeps the first of them.
func (m *measurement) forward(ctx context.Context) (samples []float64, w weights, err error) {
	rng := m.rng(drawForward)
	defer rng.Release()
	most := m.Points * m.Target.Dim()
	err = m.Sampler.ForwardWeightsEach(ctx, rng, m.Target, m.Samples, m.Batch, func(rows, logs []float64) error {
		w.mean.Add(logs...)
		w.importance.Add(logs...)
		samples = append(samples, rows[:min(len(rows), most-len(samples))]...)
		return nil
	})
	return samples, w, err
}

// backward scores paths back from n points, which draw gives in chunks with their log rewards, nil for data.
func (m *measurement) backward(ctx context.Context, n int, draw func(lo, hi int) (*tensor.Tensor, []float64, error)) (err error) {
	rng := m.rng(drawBackward)
	defer rng.Release()
	for lo := 0; lo < n && err == nil; lo += maxChunk {
		m.stream.Scope(func() {
			x, logR, failed := draw(lo, min(lo+maxChunk, n))
			if err = failed; err == nil {
				err = m.score(ctx, rng, x, logR)
			}
		})
	}
	return err
}

func (m *measurement) score(ctx context.Context, rng *tensor.RNG, x *tensor.Tensor, logR []float64) error {
	balance, err := m.Sampler.BackwardPaths(ctx, rng, x, m.Paths, m.Batch)
	if err != nil {
		return err
	}
	// Paths back from one point are not independent samples of the target: they count as one, with their mean.
	for i := range x.Dim(0) {
		mean := diffusion.MeanOf(balance[i*m.Paths : (i+1)*m.Paths]).Value
		m.nll.Add(mean)
		if logR != nil {
			m.upper.Add(logR[i] + mean)
		}
	}
	m.logLikelihood.Add(diffusion.LogLikelihood(balance, m.Paths)...)
	return nil
}

// report returns the bounds on the likelihood of n points.
func (m *measurement) report(n int) Report {
	return Report{
		Step: m.Trainer.Step, N: n, Paths: m.Paths,
		NLLBound: m.nll.Estimate(), IWLogLikelihood: m.logLikelihood.Estimate(),
	}
}

func (m *measurement) ofData(ctx context.Context) (r Report, err error) {
	held, d := m.Data.Held, len(m.Data.Columns)
	err = m.backward(ctx, held.Rows, func(lo, hi int) (*tensor.Tensor, []float64, error) {
		x := tensor.FromSlice(m.stream, held.Data[lo*d:hi*d], hi-lo, d)
		return tensor.Cast(x, m.Config.DType.DType), nil, nil
	})
	if err != nil {
		return r, err
	}
	r = m.report(held.Rows)
	logDet := m.Data.Standardize.LogDetJacobian()
	r.NLLBound.Value -= logDet
	r.IWLogLikelihood.Value += logDet

	n := min(held.Rows, m.Points)
	rng := m.rng(drawForward)
	defer rng.Release()
	samples, err := m.Model().Draw(ctx, rng, n, m.Batch)
	if err != nil {
		return r, err
	}
	truth, err := m.Truth(rng, n)
	if err != nil {
		return r, err
	}
	seen, err := m.seenRows(n)
	if err != nil {
		return r, err
	}
	return r, r.distances(ctx, m.Exact, samples, truth, seen, d)
}

// seenRows draws n of the training rows, in the data's units.
func (m *measurement) seenRows(n int) ([]float64, error) {
	rng := m.rng(drawOthers)
	defer rng.Release()
	rows, d := m.Data.Train, len(m.Data.Columns)
	picked, err := tensor.ToSlice[int64](rng.Integers(backend.Int64, 0, int64(rows.Rows), n))
	if err != nil {
		return nil, err
	}
	values := make([]float64, 0, n*d)
	for _, i := range picked {
		values = append(values, rows.Data[int(i)*d:(int(i)+1)*d]...)
	}
	return m.Data.Standardize.Inverse(values)
}
