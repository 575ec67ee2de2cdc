package main

import (
	"context"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
)

// sigma is that of the processes here.
const sigma = 1.7

// brownian returns a prior without drift, whose samples are N(0, σ²).
func brownian(t *testing.T, rng *tensor.RNG) *diffusion.Sampler {
	t.Helper()
	pf, err := diffusion.NewForward(rng, backend.Float64, 1, diffusion.Process{NumSteps: 6, Sigma: sigma, TScale: 1}, diffusion.PolicyConfig{
		Net: diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8, JointLayers: 1, ZeroInit: true},
	})
	require.NoError(t, err)
	prior, err := diffusion.NewSampler(pf, nil)
	require.NoError(t, err)
	return prior
}

// tilt is the likelihood e^(slope·x + offset).
type tilt struct{ slope, offset float64 }

func (tilt) Dim() int { return 1 }

func (e tilt) LogReward(x *autograd.Var) *autograd.Var {
	return autograd.AddScalar(autograd.MulScalar(autograd.Sum(x, 1), e.slope), e.offset)
}

func newRNG(t *testing.T, seed uint64) *tensor.RNG {
	t.Helper()
	device, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := device.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, device.Close())
	})
	return tensor.NewRNG(s, seed)
}

func newLoss(t *testing.T, rng *tensor.RNG) *RTB {
	t.Helper()
	loss, err := NewRTB(rng, brownian(t, rng))
	require.NoError(t, err)
	return loss
}

func item(t *testing.T, x *tensor.Tensor) float64 {
	t.Helper()
	v, err := x.Item()
	require.NoError(t, err)
	return v
}

// Where r is constant the posterior is the prior, with which it starts: every path balances whoever drew it, and the loss is the square of what log Z
// is off by.
func TestEveryPathBalancesWhereThePosteriorIsFound(t *testing.T) {
	rng := newRNG(t, 1)
	s := rng.Stream()
	loss := newLoss(t, rng)
	tensor.SetSlice(loss.LogZ, []float64{0.75})
	for name, c := range map[string]struct {
		samples   *tensor.Tensor
		fromPrior float64
		options   gflownet.Options
	}{
		"on policy":        {nil, 0, gflownet.Options{RNG: rng, Batch: 10}},
		"of both":          {nil, 0.35, gflownet.Options{RNG: rng, Batch: 10}},
		"the prior's":      {nil, 1, gflownet.Options{RNG: rng, Batch: 10}},
		"exploring":        {nil, 0.5, gflownet.Options{RNG: rng, Batch: 10, ExplorationStd: 2}},
		"by a schedule":    {nil, 0, gflownet.Options{RNG: rng, Batch: 10, Exploration: tensor.FromSlice(s, []float64{2})}},
		"back from points": {rng.Uniform(backend.Float64, 10, 1), 0, gflownet.Options{RNG: rng}},
	} {
		t.Run(name, func(t *testing.T) {
			loss.FromPrior = c.fromPrior
			value, err := loss.Loss(autograd.NewTape(s), tilt{0, 0.5}, c.samples, c.options)
			require.NoError(t, err)
			require.InDelta(t, 0.0625, item(t, value.Value()), 1e-12)
			grads := autograd.Backward(value)
			require.InDelta(t, 0.5, item(t, grads.Of(loss.LogZ)), 1e-12)
			for _, p := range loss.Prior.Params() {
				gradient, err := grads.Of(p.Value).Float64s()
				require.NoError(t, err)
				require.False(t, slices.ContainsFunc(gradient, func(g float64) bool { return g != 0 }), "the prior does not learn")
			}
		})
	}
}

// The residual is the formula, step by step.
func TestTheLossIsTheFormula(t *testing.T) {
	rng := newRNG(t, 2)
	s := rng.Stream()
	loss, env := newLoss(t, rng), tilt{0.8, 0}
	tensor.CopyInto(loss.Posterior.PF.Net.Out().Weight, rng.Normal(backend.Float64, loss.Posterior.PF.Net.Out().Weight.Shape()...))
	tensor.SetSlice(loss.LogZ, []float64{0.3})
	place, err := rng.State()
	require.NoError(t, err)
	value, err := loss.Loss(autograd.NewTape(s), env, nil, gflownet.Options{RNG: rng, Batch: 5})
	require.NoError(t, err)

	rng.SetState(place)
	paths := loss.Posterior.Forward(autograd.NewInference(s), rng, 5)
	read := func(v *autograd.Var) []float64 {
		values, err := v.Value().Float64s()
		require.NoError(t, err)
		return values
	}
	post, prior := read(loss.Posterior.PF.LogProb(paths.States)), read(loss.Prior.PF.LogProb(paths.States))
	want := 0.0
	for i, x := range read(paths.Terminal()) {
		residual := 0.3 - 0.8*x
		for k := range 6 {
			residual += post[6*i+k] - prior[6*i+k]
		}
		want += residual * residual / 5
	}
	require.Positive(t, want)
	require.InEpsilon(t, want, item(t, value.Value()), 1e-12)
}

// A Brownian prior tilted by e^(a·x) is N(a·σ², σ²), with log Z = a²σ²/2, and a constant drift leads there.
func TestFineTuningFindsATiltedPrior(t *testing.T) {
	const slope = 0.8
	rng := newRNG(t, 3)
	s := rng.Stream()
	loss := newLoss(t, rng)
	loss.FromPrior = 0.25
	c := config{steps: 300, batch: 64, lr: 1e-2, fromPrior: 0.25, exploration: 0.3, decay: "linear"}
	require.NoError(t, fit(context.Background(), io.Discard, rng, loss, tilt{slope, 0}, c))
	require.InDelta(t, slope*slope*sigma*sigma/2, item(t, loss.LogZ), 0.05)
	drawn, err := loss.Posterior.Draw(context.Background(), rng, 5000, 1000)
	require.NoError(t, err)
	mean := diffusion.MeanOf(drawn)
	require.InDelta(t, slope*sigma*sigma, mean.Value, 0.1)
	require.InEpsilon(t, sigma, mean.SE*math.Sqrt(5000), 0.1)

	paths := loss.Posterior.Forward(autograd.NewInference(s), rng, 1000)
	weights, err := loss.LogWeights(tilt{slope, 0}, paths.States).Value().Float64s()
	require.NoError(t, err)
	require.Greater(t, diffusion.ESSPercent(weights), 95.0)
}

func TestAFlooredRewardIsAtLeastThat(t *testing.T) {
	s := newRNG(t, 5).Stream()
	x := autograd.NewInference(s).Const(tensor.FromSlice(s, []float64{-30, -2, 3}, 3, 1))
	got, err := Floored{tilt{2, 1}, -10}.LogReward(x).Value().Float64s()
	require.NoError(t, err)
	require.Equal(t, []float64{-10, -3, 7}, got)
	require.Equal(t, 1, Floored{tilt{}, -10}.Dim())
}

func TestAnEmptyBatchIsAnError(t *testing.T) {
	rng := newRNG(t, 4)
	_, err := newLoss(t, rng).Loss(autograd.NewTape(rng.Stream()), tilt{}, nil, gflownet.Options{RNG: rng})
	require.EqualError(t, err, "relative trajectory balance: a batch of 0 paths; want at least 1, or samples")
}
