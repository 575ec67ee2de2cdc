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

var small = diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8, JointLayers: 1}

func newStream(t testing.TB, name string) *tensor.Stream {
	t.Helper()
	device, err := tensor.Open(name, backend.Options{})
	require.NoError(t, err)
	s, err := device.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, device.Close())
	})
	return s
}

func newLoss(t *testing.T, rng *tensor.RNG, p diffusion.Process, net diffusion.NetConfig) TB {
	t.Helper()
	loss, err := newTB(rng, backend.Float64, 2, p, net)
	require.NoError(t, err)
	return loss
}

func item(t *testing.T, x *tensor.Tensor) float64 {
	t.Helper()
	v, err := x.Item()
	require.NoError(t, err)
	return v
}

// isotropic returns the normal distribution of that variance in two dimensions.
func isotropic(t *testing.T, variance float64) diffusion.Target {
	t.Helper()
	g, err := diffusion.NewGMM([]float64{1}, [][]float64{{0, 0}}, [][][]float64{{{variance, 0}, {0, variance}}})
	require.NoError(t, err)
	return g
}

// Without drift the forward policy is a Brownian motion, which ends in N(0, σ²) and whose reverse is the bridge. So for that reward every path
// balances whoever drew it, and the loss is the square of what log Z is off by.
func TestEveryPathBalancesWhereThePolicySamplesTheReward(t *testing.T) {
	const sigma, off = 1.7, 0.25
	s := newStream(t, "cpu")
	rng := tensor.NewRNG(s, 1)
	undrifted := small
	undrifted.ZeroInit = true
	loss := newLoss(t, rng, diffusion.Process{NumSteps: 6, Sigma: sigma, TScale: 1}, undrifted)
	tensor.SetSlice(loss.LogZ, []float64{off})
	for name, c := range map[string]struct {
		samples *tensor.Tensor
		options gflownet.Options
	}{
		"on policy":        {nil, gflownet.Options{RNG: rng, Batch: 10}},
		"exploring":        {nil, gflownet.Options{RNG: rng, Batch: 10, ExplorationStd: 2}},
		"back from points": {rng.Uniform(backend.Float64, 10, 2), gflownet.Options{RNG: rng}},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := loss.Loss(autograd.NewTape(s), isotropic(t, sigma*sigma), c.samples, c.options)
			require.NoError(t, err)
			require.InDelta(t, off*off, item(t, value.Value()), 1e-6)
			require.InDelta(t, 2*off, item(t, autograd.Backward(value).Of(loss.LogZ)), 1e-6)
		})
	}
}

// The paths are held where they were drawn: no gradient flows through the draw.
func TestGradientsAreThoseOfTheBalanceAtTheDrawnPaths(t *testing.T) {
	s := newStream(t, "cpu")
	rng := tensor.NewRNG(s, 2)
	loss := newLoss(t, rng, diffusion.Process{NumSteps: 4, Sigma: 1.5, TScale: 1}, small)
	target, o := isotropic(t, 0.6), gflownet.Options{RNG: rng, Batch: 5, ExplorationStd: 0.3}
	before, err := rng.State()
	require.NoError(t, err)
	value, err := loss.Loss(autograd.NewTape(s), target, nil, o)
	require.NoError(t, err)
	grads := autograd.Backward(value)

	rng.SetState(before)
	states := loss.Exploring(o.ExplorationStd).Forward(autograd.NewInference(s), rng, o.Batch).States.Value()
	balance := func() (mean float64) {
		weights, err := loss.Score(autograd.NewInference(s).Const(states)).LogWeights(target).Value().Float64s()
		require.NoError(t, err)
		for _, w := range weights {
			mean += math.Pow(item(t, loss.LogZ)-w, 2) / float64(len(weights))
		}
		return mean
	}
	require.InEpsilon(t, balance(), item(t, value.Value()), 1e-12)
	for _, p := range loss.Params() {
		at, err := p.Value.Float64s()
		require.NoError(t, err)
		gradient, err := grads.Of(p.Value).Float64s()
		require.NoError(t, err)
		const h = 1e-5
		moved := func(by float64) float64 {
			at[0] += by
			defer func() { at[0] -= by; tensor.SetSlice(p.Value, at) }()
			tensor.SetSlice(p.Value, at)
			return balance()
		}
		slope := (moved(h) - moved(-h)) / (2 * h)
		require.InDelta(t, slope, gradient[0], 1e-6*math.Max(1, math.Abs(slope)), p.Name)
	}
}

func TestRecordedStepsTrainLikeEagerOnes(t *testing.T) {
	train := func(decay string, eager bool) (logZ, weight []float64) {
		rng := tensor.NewRNG(newStream(t, "cpu"), 3)
		loss := newLoss(t, rng, diffusion.Process{NumSteps: 4, Sigma: 2, TScale: 1}, small)
		c := config{steps: 5, batch: 8, exploration: 0.7, decay: decay, eager: eager}
		logZ, err := fit(context.Background(), io.Discard, rng, loss, isotropic(t, 1), c)
		require.NoError(t, err)
		require.Len(t, logZ, c.steps)
		weight, err = loss.PF.Net.State.Weight.Float64s()
		require.NoError(t, err)
		return logZ, weight
	}
	_, constant := train("constant", true)
	for _, decay := range []string{"constant", "linear"} {
		eagerLogZ, eagerWeight := train(decay, true)
		logZ, weight := train(decay, false)
		require.Equal(t, eagerLogZ, logZ)
		require.Equal(t, eagerWeight, weight)
		require.Equal(t, decay == "constant", slices.Equal(constant, weight), "a decay changes the paths")
	}
}

// The reward is three times a density: log Z = log 3.
type tripled struct{ diffusion.Target }

func (e tripled) LogReward(x *autograd.Var) *autograd.Var {
	return autograd.AddScalar(e.Target.LogReward(x), math.Log(3))
}

func (e tripled) LogZ() float64 { return math.Log(3) }

func TestTrainingFindsLogZ(t *testing.T) {
	ctx, rng := context.Background(), tensor.NewRNG(newStream(t, "cpu"), 4)
	loss := newLoss(t, rng, diffusion.Process{NumSteps: 8, Sigma: 2, TScale: 1}, small)
	target := tripled{isotropic(t, 3)}
	before, err := evaluate(ctx, rng, loss, target, []float64{0}, 2000)
	require.NoError(t, err)
	require.InDelta(t, math.Log(3), before.logZError, 1e-12, "log Z starts at 0")
	logZs, err := fit(ctx, io.Discard, rng, loss, target, config{steps: 300, batch: 64})
	require.NoError(t, err)
	after, err := evaluate(ctx, rng, loss, target, logZs, 2000)
	require.NoError(t, err)
	require.Less(t, after.logZError, 0.15)
	require.Less(t, after.elboGap.Value, before.elboGap.Value/2)
	require.GreaterOrEqual(t, after.elboGap.Value, -3*after.elboGap.SE)
	require.InDelta(t, target.LogZ(), after.iwELBO.Value, 5*after.iwELBO.SE)
}

func TestAnEmptyBatchIsAnError(t *testing.T) {
	rng := tensor.NewRNG(newStream(t, "cpu"), 1)
	loss := newLoss(t, rng, diffusion.Process{NumSteps: 4, Sigma: 2, TScale: 1}, small)
	_, err := loss.Loss(autograd.NewTape(rng.Stream()), isotropic(t, 1), nil, gflownet.Options{RNG: rng})
	require.EqualError(t, err, "trajectory balance: a batch of 0 paths; want at least 1, or samples")
}

// BenchmarkStep is a step of the settings that main trains with.
func BenchmarkStep(b *testing.B) {
	for name, eager := range map[string]bool{"eager": true, "recorded": false} {
		b.Run(name, func(b *testing.B) {
			rng := tensor.NewRNG(newStream(b, ""), 1)
			target, err := diffusion.NewTarget("gmm2_seed2")
			require.NoError(b, err)
			loss, err := newTB(rng, backend.Float32, 2, diffusion.Process{NumSteps: 32, Sigma: 5, TScale: 1}, diffusion.NetConfig{})
			require.NoError(b, err)
			b.ReportAllocs()
			_, err = fit(context.Background(), io.Discard, rng, loss, target, config{steps: b.N, batch: 200, eager: eager})
			require.NoError(b, err)
		})
	}
}
