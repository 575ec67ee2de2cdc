package diffusion

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/tensor"
)

// Estimate is a Monte Carlo estimate with its standard error.
type Estimate struct {
	Value float64 `json:"value"`
	SE    float64 `json:"se"`
}

// MarshalJSON writes null in place of a number that is not finite, which JSON cannot hold: the standard error of one sample is one.
func (e Estimate) MarshalJSON() ([]byte, error) {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Value *float64 `json:"value"`
		SE    *float64 `json:"se"`
	}{finite(e.Value), finite(e.SE)})
}

// String prints value ± standard error.
func (e Estimate) String() string { return fmt.Sprintf("%.4g ± %.2g", e.Value, e.SE) }

// MeanOf returns the mean of xs with its standard error, NaN for fewer than two.
func MeanOf(xs []float64) Estimate {
	n := float64(len(xs))
	mean := 0.0
	for _, x := range xs {
		mean += x / n
	}
	squares := 0.0
	for _, x := range xs {
		squares += (x - mean) * (x - mean)
	}
	return Estimate{mean, math.Sqrt(squares / (n - 1) / n)}
}

// LogMeanExp returns log of the mean of exp(w), with its standard error by the delta method.
func LogMeanExp(w []float64) Estimate {
	top := math.Inf(-1)
	for _, x := range w {
		top = max(top, x)
	}
	if math.IsInf(top, -1) {
		return Estimate{top, 0}
	}
	scaled := make([]float64, len(w))
	for i, x := range w {
		scaled[i] = math.Exp(x - top)
	}
	mean := MeanOf(scaled)
	return Estimate{math.Log(mean.Value) + top, mean.SE / mean.Value}
}

// ESSPercent returns the effective sample size of log weights w in percent of their number, 100/(n·Σ softmax(w)²).
func ESSPercent(w []float64) float64 {
	top := math.Inf(-1)
	for _, x := range w {
		top = max(top, x)
	}
	sum, squares := 0.0, 0.0
	for _, x := range w {
		e := math.Exp(x - top)
		sum, squares = sum+e, squares+e*e
	}
	return 100 * sum * sum / (float64(len(w)) * squares)
}

// BackwardBalance returns Σ log p_B − Σ log p_F for a path back from each of x (B, d). In expectation it is an upper bound on −log p(x), p the
// density of the sampler's terminal states. Batches of the given size are taken in turn.
func (s *Sampler) BackwardBalance(rng *tensor.RNG, x *tensor.Tensor, batch int) ([]float64, error) {
	n := x.Dim(0)
	out := make([]float64, 0, n)
	for lo := 0; lo < n; lo += batch {
		part, err := scoped(rng.Stream(), func(tape *autograd.Tape) *tensor.Tensor {
			tr := s.Backward(tape, rng, tensor.Slice(x, 0, lo, min(lo+batch, n)))
			return autograd.Sub(autograd.Sum(tr.LogPB, 1), autograd.Sum(tr.LogPF, 1)).Value()
		})
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

// ForwardWeights draws n samples from the sampler and returns them, row by row, with their log importance weights under env.
func (s *Sampler) ForwardWeights(rng *tensor.RNG, env gflownet.Env, n, batch int) (samples, weights []float64, err error) {
	d := s.PF.Dim()
	for lo := 0; lo < n; lo += batch {
		rows, err := scoped(rng.Stream(), func(tape *autograd.Tape) *tensor.Tensor {
			tr := s.Forward(tape, rng, min(batch, n-lo))
			return tensor.Concat(1, tr.Terminal().Value(), tensor.Unsqueeze(tr.LogWeights(env).Value(), 1))
		})
		if err != nil {
			return nil, nil, err
		}
		for i := 0; i < len(rows); i += d + 1 {
			samples = append(samples, rows[i:i+d]...)
			weights = append(weights, rows[i+d])
		}
	}
	return samples, weights, nil
}

// Draw returns n samples of the sampler's terminal states, row by row.
func (s *Sampler) Draw(rng *tensor.RNG, n, batch int) ([]float64, error) {
	var samples []float64
	for lo := 0; lo < n; lo += batch {
		part, err := scoped(rng.Stream(), func(tape *autograd.Tape) *tensor.Tensor {
			return s.Forward(tape, rng, min(batch, n-lo)).Terminal().Value()
		})
		if err != nil {
			return nil, err
		}
		samples = append(samples, part...)
	}
	return samples, nil
}

// scoped reads what f computes on an inference tape, and frees the rest.
func scoped(s *tensor.Stream, f func(tape *autograd.Tape) *tensor.Tensor) (values []float64, err error) {
	defer tensor.Catch(&err)
	s.Scope(func() { values, err = f(autograd.NewInference(s)).Float64s() })
	return values, err
}
