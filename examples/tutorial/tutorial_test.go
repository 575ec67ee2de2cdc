package main

import (
	"context"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

func newStream(t *testing.T) *tensor.Stream {
	t.Helper()
	device, err := tensor.Open("", backend.Options{})
	require.NoError(t, err)
	s, err := device.NewStream()
	require.NoError(t, err)
	return s
}

func TestGradientsAreThoseOfDifferences(t *testing.T) {
	rng := tensor.NewRNG(newStream(t), 1)
	weights := rng.Normal(backend.Float64, 6)
	points := rng.Normal(backend.Float64, 4, 2)
	ofVariance := func(xs []*autograd.Var) *autograd.Var { return variance(xs[0]) }
	ofReward := func(xs []*autograd.Var) *autograd.Var { return Banana{}.LogReward(xs[0]) }
	require.NoError(t, autograd.CheckGrad(ofVariance, weights))
	require.NoError(t, autograd.CheckGrad(ofReward, points))
	require.NoError(t, autograd.CheckGradGrad(ofReward, points))
}

func TestLogZIsTheIntegralOfTheReward(t *testing.T) {
	s := newStream(t)
	const h = 0.1
	var grid []float64
	for x := -9.0; x < 9; x += h {
		for y := -4.0; y < 36; y += h {
			grid = append(grid, x, y)
		}
	}
	points := autograd.NewInference(s).Const(tensor.FromSlice(s, grid, len(grid)/2, 2))
	sum, err := autograd.Sum(autograd.Exp(Banana{}.LogReward(points))).Value().Item()
	require.NoError(t, err)
	require.InDelta(t, Banana{}.LogZ(), math.Log(sum*h*h), 1e-6)
}

// The loss is the variance of the weights that the library computes of the same paths.
func TestLossIsTheVarianceOfTheLogWeights(t *testing.T) {
	s := newStream(t)
	rng := tensor.NewRNG(s, 2)
	sampler, err := newSampler(rng, backend.Float64)
	require.NoError(t, err)
	before, err := rng.State()
	require.NoError(t, err)
	loss, err := LogVariance{sampler}.Loss(autograd.NewTape(s), Banana{}, nil, gflownet.Options{RNG: rng, Batch: 16})
	require.NoError(t, err)
	got, err := loss.Value().Item()
	require.NoError(t, err)

	rng.SetState(before)
	weights, err := sampler.Forward(autograd.NewInference(s), rng, 16).LogWeights(Banana{}).Value().Float64s()
	require.NoError(t, err)
	var sum, squares float64
	for _, w := range weights {
		sum, squares = sum+w/16, squares+w*w/16
	}
	require.InEpsilon(t, squares-sum*sum, got, 1e-9)
}

func TestReplayedStepsTrainLikeEagerOnes(t *testing.T) {
	trained := func(steps func(*fitter, int) error) (weight []float64) {
		rng := tensor.NewRNG(newStream(t), 3)
		sampler, err := newSampler(rng, backend.Float32)
		require.NoError(t, err)
		f, err := newFitter(LogVariance{sampler}, Banana{}, rng, 8)
		require.NoError(t, err)
		require.NoError(t, steps(f, 4))
		weight, err = sampler.PF.Net.State.Weight.Float64s()
		require.NoError(t, err)
		return weight
	}
	require.Equal(t, trained((*fitter).eager), trained((*fitter).replayed))
}

func TestTrainingNarrowsTheGap(t *testing.T) {
	ctx, rng := context.Background(), tensor.NewRNG(newStream(t), 4)
	sampler, err := newSampler(rng, backend.Float32)
	require.NoError(t, err)
	before, err := evaluate(ctx, sampler, Banana{}, rng, 1000)
	require.NoError(t, err)
	f, err := newFitter(LogVariance{sampler}, Banana{}, rng, 32)
	require.NoError(t, err)
	require.NoError(t, f.trained(ctx, 60, func(train.Progress) error { return nil }))
	after, err := evaluate(ctx, sampler, Banana{}, rng, 1000)
	require.NoError(t, err)
	require.Less(t, Banana{}.LogZ()-after.elbo.Value, (Banana{}.LogZ()-before.elbo.Value)/3)
	require.Greater(t, Banana{}.LogZ(), after.elbo.Value-3*after.elbo.SE)
}

func TestRunPrintsTheLossAndAReport(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(context.Background(), &out, 2, 4))
	require.Regexp(t, `^step    1: loss +[0-9.]+\nstep    2: loss +[0-9.]+\nELBO  .* ± .*\nlog Z .* ± .*, exactly 1\.5502\nESS   .*%\n$`, out.String())
	require.EqualError(t, run(context.Background(), io.Discard, 1, 1), "log variance: a batch of 1 paths; want at least 2")
}
