package diffusion

import (
	"context"
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/tensor"
)

// BackwardBalance returns Σ log p_B − Σ log p_F for a path back from each of x (B, d). In expectation it is an upper bound on −log p(x), p the
// density of the sampler's terminal states. Batches of the given size, at least 1, are taken in turn, and do not change what is drawn; ctx can end
// it between two commands. The error is then that of ctx.
func (s *Sampler) BackwardBalance(ctx context.Context, rng *tensor.RNG, x *tensor.Tensor, batch int) ([]float64, error) {
	return s.BackwardPaths(ctx, rng, x, 1, batch)
}

// BackwardPaths is BackwardBalance for several paths back from each of x (B, d), at least 1: entries i·paths, …, i·paths + paths − 1 of the result
// are those of point i. The batch counts paths. Its errors are those of BackwardBalance.
func (s *Sampler) BackwardPaths(ctx context.Context, rng *tensor.RNG, x *tensor.Tensor, paths, batch int) (balance []float64, err error) {
	defer tensor.Catch(&err)
	checkPoints("paths back", x, s.PF.Dim())
	if paths < 1 {
		return nil, fmt.Errorf("diffusion: %d paths a point; want at least 1", paths)
	}
	err = inBatches(ctx, rng.Stream(), x.Dim(0)*paths, batch, func(tape *autograd.Tape, lo, hi int) *tensor.Tensor {
		from, to := lo/paths, (hi-1)/paths+1
		path := tensor.AddScalar(tensor.Arange(tape.Stream(), backend.Int64, hi-lo), float64(lo-from*paths))
		points := tensor.Take(tensor.Slice(x, 0, from, to), 0, tensor.FloorDiv(path, tensor.Full(tape.Stream(), backend.Int64, float64(paths))))
		tr := s.Backward(tape, rng, points)
		return autograd.Sub(autograd.Sum(tr.LogPB, 1), autograd.Sum(tr.LogPF, 1)).Value()
	}, func(values []float64) error {
		balance = append(balance, values...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return balance, nil
}

// LogLikelihood turns the balances of several paths back from each of some points, as of BackwardPaths, into a lower bound on the log density of each
// that tightens with the number of paths,
//
//	log p̂(x) = log 1/K Σ_k exp(Σ log p_F − Σ log p_B of path k)
//
// It panics with a *tensor.Error if paths is below 1, or the balances are not as many for each point.
func LogLikelihood(balance []float64, paths int) []float64 {
	if paths < 1 || len(balance)%paths != 0 {
		tensor.Fail("log likelihood", nil, "%d balances of %d paths a point; want at least 1 path, and a multiple of them", len(balance), paths)
	}
	values := make([]float64, 0, len(balance)/paths)
	for lo := 0; lo < len(balance); lo += paths {
		var e WeightEstimator
		for _, b := range balance[lo : lo+paths] {
			e.Add(-b)
		}
		values = append(values, e.LogMean().Value)
	}
	return values
}

// ForwardWeights draws n samples from the sampler and returns them, row by row, with their log importance weights under env.
// Its errors are those of ForwardWeightsEach.
func (s *Sampler) ForwardWeights(
	ctx context.Context, rng *tensor.RNG, env gflownet.Env, n, batch int,
) (samples, weights []float64, err error) {
	err = s.ForwardWeightsEach(ctx, rng, env, n, batch, func(rows, w []float64) error {
		samples, weights = append(samples, rows...), append(weights, w...)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return samples, weights, nil
}

// ForwardWeightsEach is ForwardWeights for more samples than memory holds: it hands those of each batch to each, in turn, which may keep the slices. It
// ends early with each's error or, between two commands, with that of ctx. A negative n, and a batch below 1, are errors.
func (s *Sampler) ForwardWeightsEach(
	ctx context.Context, rng *tensor.RNG, env gflownet.Env, n, batch int, each func(samples, weights []float64) error,
) error {
	d := s.PF.Dim()
	return inBatches(ctx, rng.Stream(), n, batch, func(tape *autograd.Tape, lo, hi int) *tensor.Tensor {
		tr := s.Forward(tape, rng, hi-lo)
		weights := tensor.Unsqueeze(tr.LogWeights(env).Value(), 1)
		return tensor.Concat(1, tensor.Cast(tr.Terminal().Value(), weights.DType()), weights)
	}, func(rows []float64) error {
		weights := make([]float64, 0, len(rows)/(d+1))
		samples := make([]float64, 0, len(rows)-cap(weights))
		for i := 0; i < len(rows); i += d + 1 {
			samples = append(samples, rows[i:i+d]...)
			weights = append(weights, rows[i+d])
		}
		return each(samples, weights)
	})
}

// inBatches reads what f computes on inference tapes for the ranges [lo, hi) that n samples are cut into, one after the other, frees the rest after
// that, and hands it to each. It ends early, between two commands, with the error of ctx, or after a batch with that of each.
func inBatches(
	ctx context.Context, s *tensor.Stream, n, batch int, f func(tape *autograd.Tape, lo, hi int) *tensor.Tensor, each func([]float64) error,
) (err error) {
	defer tensor.Catch(&err)
	switch {
	case batch < 1:
		return fmt.Errorf("diffusion: batches of %d samples; want at least 1", batch)
	case n < 0:
		return fmt.Errorf("diffusion: %d samples; want at least 0", n)
	}
	return s.WithContext(ctx, func() (err error) {
		for lo := 0; lo < n; lo += batch {
			var part []float64
			s.Scope(func() { part, err = f(autograd.NewInference(s), lo, min(lo+batch, n)).Float64s() })
			if err != nil {
				return err
			}
			if err := each(part); err != nil {
				return err
			}
		}
		return nil
	})
}
