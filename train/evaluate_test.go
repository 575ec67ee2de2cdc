package train_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/train"
)

func TestEvaluateOnATarget(t *testing.T) {
	c := smallRun()
	c.DType.DType = backend.Float64
	e := newRun(t, c)
	require.NoError(t, stepTo(e, 5))
	r, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 7, Samples: 400, Batch: 150})
	require.NoError(t, err)
	require.Equal(t, 5, r.Step)
	require.Equal(t, 400, r.N)
	logZ := e.Target.(diffusion.Normalized).LogZ()
	require.Equal(t, r.EUBO.Value-logZ, r.EUBOGap.Value)
	require.Equal(t, logZ-r.ELBO.Value, r.ELBOGap.Value)
	require.GreaterOrEqual(t, r.EUBOGap.Value, -3*r.EUBOGap.SE)
	require.GreaterOrEqual(t, r.ELBOGap.Value, -3*r.ELBOGap.SE)
	require.GreaterOrEqual(t, r.IWELBO.Value, r.ELBO.Value, "Jensen's inequality")
	require.Greater(t, r.ESSPercent.Value, 0.0)
	require.LessOrEqual(t, r.ESSPercent.Value, 100.0)
	require.Greater(t, r.IWLogLikelihood.Value, -r.NLLBound.Value, "more paths tighten the bound")
	require.Equal(t, 400, r.Points)
	require.Greater(t, r.MMD2.Value, r.MMD2.True)
	require.Equal(t, 2, r.ModesTrue.Covered)
	require.Equal(t, 2, r.Modes.Modes)
	require.Greater(t, r.W2, r.W2True)

	same, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 7, Samples: 400, Batch: 150})
	require.NoError(t, err)
	require.Equal(t, r, same, "the seed decides")
	other, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 8, Samples: 400, Batch: 150})
	require.NoError(t, err)
	require.NotEqual(t, r.NLLBound, other.NLLBound)
	require.InDelta(t, r.NLLBound.Value, other.NLLBound.Value, 6*math.Hypot(r.NLLBound.SE, other.NLLBound.SE))
}

// The batch only bounds memory: the samples are the same, and so are the estimates up to rounding.
func TestTheBatchDoesNotChangeTheEvaluation(t *testing.T) {
	target, data := smallRun(), dataRun(writeCSV(t, points))
	target.DType.DType, target.LearnPB = backend.Float64, train.LearnPBMean
	target.Process.NumSteps = 3 // 2·3 numbers a path fill no whole number of the generator's counters
	for name, c := range map[string]train.Config{"target": target, "data": data} {
		t.Run(name, func(t *testing.T) {
			e := newRun(t, c)
			require.NoError(t, stepTo(e, 3))
			var want train.Report
			for i, batch := range []int{1000, 1, 7, 150} {
				r, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 7, Samples: 40, Batch: batch, Paths: 3})
				require.NoError(t, err)
				if i == 0 {
					want = r
					continue
				}
				requireClose(t, want, r)
			}
		})
	}
}

// requireClose compares the numbers of two reports.
func requireClose(t *testing.T, want, got train.Report) {
	t.Helper()
	numbers := func(r train.Report) (all []float64) {
		for _, e := range []*diffusion.Estimate{&r.NLLBound, &r.IWLogLikelihood, r.EUBO, r.ELBO, r.IWELBO, r.ESSPercent} {
			if e != nil {
				all = append(all, e.Value, e.SE)
			}
		}
		return append(all, r.W2, r.W2True, r.MMD2.Value, r.MMD2.True)
	}
	require.InDeltaSlice(t, numbers(want), numbers(got), 1e-9)
	require.Equal(t, want.Modes, got.Modes)
}

func TestManyPointsAreMeasuredBySinkhorn(t *testing.T) {
	e := newRun(t, smallRun())
	v := train.Evaluation{Samples: 120, Batch: 500, Paths: 1, Points: 100}
	exact, err := e.Evaluate(t.Context(), v)
	require.NoError(t, err)
	require.Equal(t, 100, exact.Points)
	require.Zero(t, exact.W2Lower)

	v.Exact = 99
	r, err := e.Evaluate(t.Context(), v)
	require.NoError(t, err)
	require.LessOrEqual(t, r.W2Lower, exact.W2*(1+1e-9))
	require.GreaterOrEqual(t, r.W2, exact.W2*(1-1e-9))
	require.InEpsilon(t, exact.W2, r.W2, 0.05)
}

func TestATargetWithoutSamplesCannotBeLearnt(t *testing.T) {
	c := smallRun()
	c.Target = "log_gaussian_cox:side=3"
	_, err := train.NewExperiment(testdevice.Stream(t, 1), c)
	require.EqualError(t, err,
		"train: target log_gaussian_cox:side=3 has no exact samples, which maximum likelihood learns from; train on data of it")
}

func TestEvaluateLeavesTheRunAlone(t *testing.T) {
	evaluated, plain := newRun(t, smallRun()), newRun(t, smallRun())
	for step := range 3 {
		_, err := evaluated.Evaluate(t.Context(), train.Evaluation{Seed: uint64(step), Samples: 10, Batch: 10})
		require.NoError(t, err)
		require.NoError(t, stepTo(evaluated, step+1))
	}
	require.NoError(t, stepTo(plain, 3))
	require.Equal(t, weights(t, plain), weights(t, evaluated))
}

func TestEvaluateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []train.Config{smallRun(), dataRun(writeCSV(t, points))} {
		e := newRun(t, c)
		_, err := e.Evaluate(ctx, train.Evaluation{Seed: 1, Samples: 10, Batch: 10})
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestEvaluateNeedsSamples(t *testing.T) {
	e := newRun(t, smallRun())
	for _, c := range [][2]int{{1, 5}, {0, 5}, {10, 0}} {
		_, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 1, Samples: c[0], Batch: c[1]})
		require.ErrorContains(t, err, "want at least 2 and 1")
	}
}
