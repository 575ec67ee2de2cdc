package train

import (
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

// Truth returns what samples should look like, row by row: n samples of the target, or up to n of the held-out rows, spread evenly, in
// the data's own units. A run that knows neither is an error.
func (e *Experiment) Truth(rng *tensor.RNG, n int) (values []float64, err error) {
	defer tensor.Catch(&err)
	if err := e.checkKnown("truth"); err != nil {
		return nil, err
	}
	if e.Data != nil {
		return e.Data.Standardize.Inverse(evenly(e.Data.Held, n).Data)
	}
	e.stream.Scope(func() { values, err = e.Target.Sample(rng, e.Config.DType.DType, n).Float64s() })
	return values, err
}

// LogDensity returns the target's log density at points, row by row, up to a constant if its normaliser is not known; there must be a target.
// Anything else is an error.
func (e *Experiment) LogDensity(points []float64) (values []float64, err error) {
	defer tensor.Catch(&err)
	if e.Target == nil {
		return nil, fmt.Errorf("train: there is no target, and so no density")
	}
	d := e.Target.Dim()
	e.stream.Scope(func() {
		x := tensor.FromSlice(e.stream, points, len(points)/d, d)
		values, err = e.Target.LogReward(autograd.NewInference(e.stream).Const(x)).Value().Float64s()
	})
	if err != nil {
		return nil, err
	}
	if known, ok := e.Target.(diffusion.Normalized); ok {
		for i := range values {
			values[i] -= known.LogZ()
		}
	}
	return values, nil
}
