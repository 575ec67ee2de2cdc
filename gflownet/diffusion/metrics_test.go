package diffusion_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

func TestMeanOf(t *testing.T) {
	got := diffusion.MeanOf([]float64{1, 2, 3, 6})
	require.Equal(t, 3.0, got.Value)
	require.InEpsilon(t, math.Sqrt(14.0/3/4), got.SE, 1e-15)
	require.Equal(t, "3 ± 1.1", got.String())

	one := diffusion.MeanOf([]float64{5})
	require.Equal(t, 5.0, one.Value)
	require.True(t, math.IsNaN(one.SE), "one number says nothing about its error")
	require.True(t, math.IsNaN(diffusion.MeanOf(nil).Value))
}

func TestLogMeanExp(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name      string
		w         []float64
		value, se float64
	}{
		{"equal weights", []float64{2, 2, 2}, 2, 0},
		{"1 and 3", []float64{0, math.Log(3)}, math.Log(2), 0.5},
		{"beyond the range of exp", []float64{1000, 1000 + math.Log(3)}, 1000 + math.Log(2), 0.5},
		{"one weight is nothing", []float64{-inf, 0}, math.Log(0.5), 1},
		{"all are nothing", []float64{-inf, -inf}, -inf, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := diffusion.LogMeanExp(c.w)
			if math.IsInf(c.value, 0) {
				require.Equal(t, c.value, got.Value)
			} else {
				require.InDelta(t, c.value, got.Value, 1e-12)
			}
			require.InDelta(t, c.se, got.SE, 1e-12)
		})
	}
	one := diffusion.LogMeanExp([]float64{-3})
	require.Equal(t, -3.0, one.Value)
	require.True(t, math.IsNaN(one.SE))
	require.True(t, math.IsNaN(diffusion.LogMeanExp([]float64{0, math.NaN()}).Value), "NaN is not lost")
}

func TestESSPercent(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		w    []float64
		want float64
	}{
		{"equal weights", []float64{7, 7, 7, 7}, 100},
		{"one counts", []float64{0, -inf, -inf, -inf}, 25},
		{"one alone", []float64{-2}, 100},
		{"1 and 3", []float64{0, math.Log(3)}, 80},
		{"beyond the range of exp", []float64{1e5, 1e5 + math.Log(3)}, 80},
		{"none counts", []float64{-inf, -inf}, 0},
		{"no weights", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) { require.InDelta(t, c.want, diffusion.ESSPercent(c.w), 1e-9) })
	}
	require.True(t, math.IsNaN(diffusion.ESSPercent([]float64{0, math.NaN()})), "NaN is not lost")
}

// Half of the weights at once and the rest later, the largest last, are the same weights.
func TestEstimatorsTakeNumbersInTurn(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := make([]float64, 1000)
	for i := range w {
		w[i] = 2*r.NormFloat64() - 500
	}
	slices.Sort(w)
	var mean diffusion.MeanEstimator
	var weights diffusion.WeightEstimator
	for _, part := range [][]float64{w[:1], w[1:500], w[500:]} {
		mean.Add(part...)
		weights.Add(part...)
	}
	require.Equal(t, diffusion.MeanOf(w), mean.Estimate())
	require.Equal(t, diffusion.LogMeanExp(w), weights.LogMean())

	// In one pass over numbers near 1 instead.
	total, squares := 0.0, 0.0
	for _, x := range w {
		u := math.Exp(x + 500)
		total, squares = total+u, squares+u*u
	}
	require.InEpsilon(t, math.Log(total/1000)-500, weights.LogMean().Value, 1e-12)
	require.InEpsilon(t, 100*total*total/(1000*squares), weights.ESSPercent().Value, 1e-12)
}

// The standard errors are the spread of the estimates over many samples.
func TestStandardErrorsAreTheSpread(t *testing.T) {
	const repeats, n = 400, 2000
	r := rand.New(rand.NewPCG(2, 1))
	estimates := map[string][]diffusion.Estimate{}
	for range repeats {
		var mean diffusion.MeanEstimator
		var weights diffusion.WeightEstimator
		for range n {
			w := 0.5 * r.NormFloat64()
			mean.Add(w)
			weights.Add(w)
		}
		estimates["mean"] = append(estimates["mean"], mean.Estimate())
		estimates["log mean"] = append(estimates["log mean"], weights.LogMean())
		estimates["ESS"] = append(estimates["ESS"], weights.ESSPercent())
	}
	// Of normal log weights of variance v the log mean is v/2 and the share of the effective samples exp(−v).
	for name, want := range map[string]float64{"mean": 0, "log mean": 0.125, "ESS": 100 * math.Exp(-0.25)} {
		var values, errors diffusion.MeanEstimator
		for _, e := range estimates[name] {
			values.Add(e.Value)
			errors.Add(e.SE)
		}
		got := values.Estimate()
		require.InDelta(t, want, got.Value, 5*got.SE+0.002*math.Abs(want), name)
		require.InEpsilon(t, got.SE*math.Sqrt(repeats), errors.Estimate().Value, 0.2, name)
	}
}

func TestLogLikelihoodAveragesPaths(t *testing.T) {
	got := diffusion.LogLikelihood([]float64{1, 1, 1000, 1000 + math.Log(3)}, 2)
	require.InDeltaSlice(t, []float64{-1, -1000 + math.Log(2.0/3)}, got, 1e-12)
	require.Empty(t, diffusion.LogLikelihood(nil, 2))
	for _, paths := range []int{-1, 0, 2} {
		var err error
		func() {
			defer tensor.Catch(&err)
			diffusion.LogLikelihood([]float64{1, 2, 3}, paths)
		}()
		require.ErrorContains(t, err, fmt.Sprintf("log likelihood: 3 balances of %d paths a point", paths))
	}
}

// A policy whose density is known: without drift, and with forward and bridge variance alike, every path back from x has the same balance, minus the
// log density of N(0, σ²), and one path tells all.
func TestPathsOfAnExactSampler(t *testing.T) {
	s := testdevice.Stream(t, 0)
	p := diffusion.Process{NumSteps: 5, Sigma: 1.5, TScale: 1}
	pf := newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny})
	for _, w := range pf.Params() {
		tensor.CopyInto(w.Value, tensor.Zeros(s, backend.Float64))
	}
	sampler := newSampler(t, pf, nil)
	points := []float64{0.3, -2, 1, 1, 4, 0}
	x := tensor.FromSlice(s, points, 3, 2)
	for _, batch := range []int{1, 2, 5, 100} {
		balance, err := sampler.BackwardPaths(t.Context(), tensor.NewRNG(s, 1), x, 4, batch)
		require.NoError(t, err)
		require.Len(t, balance, 12)
		for i, b := range balance {
			u, v := points[2*(i/4)], points[2*(i/4)+1]
			require.InDelta(t, (u*u+v*v)/(2*2.25)+math.Log(2*math.Pi*2.25), b, 1e-10)
		}
	}
	_, err := sampler.BackwardPaths(t.Context(), tensor.NewRNG(s, 1), x, 0, 1)
	require.EqualError(t, err, "diffusion: 0 paths a point; want at least 1")
	_, err = sampler.BackwardPaths(t.Context(), tensor.NewRNG(s, 1), tensor.Zeros(s, backend.Float64, 3, 1), 1, 1)
	require.ErrorContains(t, err, "wants points (B, 2)")
}
