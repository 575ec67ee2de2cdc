package train

import (
	"context"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/diffusion/transport"
)

// Report says how good a sampler is. Gaps and bounds are in nats, and in the data's own units for data; the gaps are at least 0 in
// expectation. What the target does not allow is nil: a density for data, a normaliser or modes that are not known.
type Report struct {
	Step  int `json:"step"`
	N     int `json:"n"`     // samples in each estimate
	Paths int `json:"paths"` // back from each of them

	NLLBound        diffusion.Estimate `json:"nll_bound"`         // upper bound on the mean of −log p over samples of the target, or over held-out rows
	IWLogLikelihood diffusion.Estimate `json:"iw_log_likelihood"` // lower bound on the mean of log p over the same, importance-weighted over the paths

	EUBO       *diffusion.Estimate `json:"eubo,omitempty"`     // upper bound on log Z, from samples of the target run backward
	EUBOGap    *diffusion.Estimate `json:"eubo_gap,omitempty"` // EUBO − log Z
	ELBO       *diffusion.Estimate `json:"elbo,omitempty"`     // lower bound on log Z, from the sampler's own samples
	ELBOGap    *diffusion.Estimate `json:"elbo_gap,omitempty"` // log Z − ELBO
	IWELBO     *diffusion.Estimate `json:"iw_elbo,omitempty"`  // importance-weighted ELBO, log mean exp of the same weights
	ESSPercent *diffusion.Estimate `json:"ess_percent,omitempty"`

	Points  int     `json:"points"`             // in each of the samples that follow are compared
	W2      float64 `json:"w2"`                 // 2-Wasserstein distance between samples and the target's, or the held-out rows
	W2True  float64 `json:"w2_true"`            // the same between two sets of true points of that size: what a perfect sampler reaches
	W2Lower float64 `json:"w2_lower,omitempty"` // where W2 is not exact, it is an upper bound and this the lower one

	MMD2      *Discrepancy        `json:"mmd2,omitempty"`       // nil for fewer than two points
	Modes     *diffusion.Coverage `json:"modes,omitempty"`      // of the samples
	ModesTrue *diffusion.Coverage `json:"modes_true,omitempty"` // of as many true ones
}

// Discrepancy is the unbiased estimate of a squared maximum mean discrepancy, which can be negative. The kernel is the mean of Gaussians whose
// bandwidths are ¼, ½, 1, 2 and 4 times the median distance between true points.
type Discrepancy struct {
	Value  float64 `json:"value"`
	True   float64 `json:"true"`   // between two sets of true points: what a perfect sampler reaches
	Median float64 `json:"median"` // the median distance
}

// weights are the log importance weights of the sampler's own samples.
type weights struct {
	mean       diffusion.MeanEstimator
	importance diffusion.WeightEstimator
}

// weigh sets what the weights of samples tell, and the gaps, if the normaliser is known.
func (r *Report) weigh(w weights, target diffusion.Target) {
	elbo, iw, ess := w.mean.Estimate(), w.importance.LogMean(), w.importance.ESSPercent()
	r.ELBO, r.IWELBO, r.ESSPercent = &elbo, &iw, &ess
	if known, ok := target.(diffusion.Normalized); ok {
		logZ := known.LogZ()
		r.EUBOGap = &diffusion.Estimate{Value: r.EUBO.Value - logZ, SE: r.EUBO.SE}
		r.ELBOGap = &diffusion.Estimate{Value: logZ - elbo.Value, SE: elbo.SE}
	}
}

// distances compares samples and other true points with the true ones, all rows of d numbers. W2 is exact to that
// many points.
func (r *Report) distances(ctx context.Context, exact int, samples, truth, others []float64, d int) (err error) {
	r.Points = len(truth) / d
	if r.W2, r.W2Lower, err = w2(ctx, exact, samples, truth, d); err != nil {
		return err
	}
	if r.W2True, _, err = w2(ctx, exact, others, truth, d); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	median, err := transport.MedianDistance(truth, d)
	if err != nil || median == 0 {
		return err // one point, or the same over and over: there is no scale to compare at
	}
	bandwidths := []float64{median / 4, median / 2, median, 2 * median, 4 * median}
	r.MMD2 = &Discrepancy{Median: median}
	if r.MMD2.Value, err = transport.MMD2(ctx, samples, truth, d, bandwidths...); err != nil {
		return err
	}
	r.MMD2.True, err = transport.MMD2(ctx, others, truth, d, bandwidths...)
	return err
}

// w2 returns the distance, without a lower bound where it is exact.
func w2(ctx context.Context, exact int, x, y []float64, d int) (value, lower float64, err error) {
	if len(x) <= exact*d {
		value, err = transport.W2(ctx, x, y, d)
		return value, 0, err
	}
	bounds, err := transport.Sinkhorn(ctx, x, y, d, transport.SinkhornOptions{})
	return bounds.Upper, bounds.Lower, err
}
