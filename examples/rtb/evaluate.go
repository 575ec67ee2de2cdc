package main

import (
	"context"
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/diffusion/transport"
	"github.com/weir-ml/weir/tensor"
)

// report says how good a posterior is. The true log Z, of the true prior, is 0.
type report struct {
	logZ      float64            // learned
	iwLogZ    diffusion.Estimate // by importance weights: that of the learned prior
	ess       diffusion.Estimate // of these weights, in percent
	modes     *diffusion.Coverage
	worst     float64 // largest |share − weight| of a mode
	w2, exact float64 // to exact samples: of the posterior's, and of other exact ones
}

const (
	batch  = 500
	points = 2000 // that distances are of
)

// evaluate draws n fresh paths from the posterior, without exploration.
func evaluate(ctx context.Context, rng *tensor.RNG, loss *RTB, target *diffusion.Posterior9, n int) (r report, err error) {
	defer tensor.Catch(&err)
	if n < 2 {
		return r, fmt.Errorf("relative trajectory balance: %d samples to evaluate with; want at least 2", n)
	}
	if r.logZ, err = loss.LogZ.Item(); err != nil {
		return r, err
	}
	samples, err := r.weigh(ctx, rng, loss, target, n)
	if err != nil {
		return r, err
	}
	r.modes = diffusion.CoverModes(target, samples)
	r.worst = worstShare(target, samples)
	return r, r.distances(ctx, rng, target, samples[:2*min(n, points)])
}

// weigh returns samples, and estimates log Z by the weights of their paths.
func (r *report) weigh(ctx context.Context, rng *tensor.RNG, loss *RTB, target *diffusion.Posterior9, n int) (samples []float64, err error) {
	s := rng.Stream()
	var weights diffusion.WeightEstimator
	for lo := 0; lo < n && err == nil; lo += batch {
		var ends, logs []float64
		err = s.WithContext(ctx, func() (err error) {
			s.Scope(func() {
				paths := loss.Posterior.Forward(autograd.NewInference(s), rng, min(batch, n-lo))
				if logs, err = loss.LogWeights(target.Likelihood(), paths.States).Value().Float64s(); err == nil {
					ends, err = paths.Terminal().Value().Float64s()
				}
			})
			return err
		})
		weights.Add(logs...)
		samples = append(samples, ends...)
	}
	r.iwLogZ, r.ess = weights.LogMean(), weights.ESSPercent()
	return samples, err
}

// distances compares samples with exact ones.
func (r *report) distances(ctx context.Context, rng *tensor.RNG, target *diffusion.Posterior9, samples []float64) error {
	var clouds [2][]float64
	for i := range clouds {
		values, err := target.Sample(rng, backend.Float64, len(samples)/2).Float64s()
		if err != nil {
			return err
		}
		clouds[i] = values
	}
	var err error
	if r.w2, err = transport.W2(ctx, samples, clouds[0], 2); err != nil {
		return err
	}
	r.exact, err = transport.W2(ctx, clouds[1], clouds[0], 2)
	return err
}

// worstShare returns how far the share of samples in a mode is from its weight, at most.
func worstShare(target *diffusion.Posterior9, samples []float64) (worst float64) {
	weights := target.ModeWeights()
	counts := make([]float64, len(weights))
	for i := 0; i < len(samples); i += 2 {
		if k := target.Mode(samples[i : i+2]); k >= 0 {
			counts[k] += 2 / float64(len(samples))
		}
	}
	for k, w := range weights {
		worst = max(worst, math.Abs(counts[k]-w))
	}
	return worst
}

// String returns the report as a table.
func (r report) String() string {
	return fmt.Sprintf(`  log Z            %.4f learned, %v by importance weights; the true one is 0
  ESS              %v %%
  modes            %d of %d, with %.4g of the samples
  shares of modes  off by at most %.4f
  W2               %.4f; %.4f between two sets of exact samples
`, r.logZ, r.iwLogZ, r.ess, r.modes.Covered, r.modes.Modes, r.modes.InModes.Value, r.worst, r.w2, r.exact)
}
