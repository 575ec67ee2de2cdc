package train_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/train"
)

func TestEvaluateOnATarget(t *testing.T) {
	c := smallRun()
	c.DType.DType = backend.Float64
	e := newRun(t, c)
	require.NoError(t, stepTo(e, 5))
	r, err := e.Evaluate(t.Context(), 7, 400, 150)
	require.NoError(t, err)
	require.Equal(t, 5, r.Step)
	require.Equal(t, 400, r.N)
	require.Equal(t, r.EUBO.Value-e.Target.LogZ(), r.EUBOGap.Value)
	require.Equal(t, e.Target.LogZ()-r.ELBO.Value, r.ELBOGap.Value)
	require.GreaterOrEqual(t, r.EUBOGap.Value, -3*r.EUBOGap.SE)
	require.GreaterOrEqual(t, r.ELBOGap.Value, -3*r.ELBOGap.SE)
	require.GreaterOrEqual(t, r.IWELBO.Value, r.ELBO.Value, "Jensen's inequality")
	require.Greater(t, *r.ESSPercent, 0.0)
	require.LessOrEqual(t, *r.ESSPercent, 100.0)
	require.Greater(t, r.W2, r.W2True)

	same, err := e.Evaluate(t.Context(), 7, 400, 150)
	require.NoError(t, err)
	require.Equal(t, r, same, "the seed decides")
	other, err := e.Evaluate(t.Context(), 8, 400, 150)
	require.NoError(t, err)
	require.NotEqual(t, r.NLLBound, other.NLLBound)
	require.InDelta(t, r.NLLBound.Value, other.NLLBound.Value, 6*math.Hypot(r.NLLBound.SE, other.NLLBound.SE))
}

func TestEvaluateLeavesTheRunAlone(t *testing.T) {
	evaluated, plain := newRun(t, smallRun()), newRun(t, smallRun())
	for step := range 3 {
		_, err := evaluated.Evaluate(t.Context(), uint64(step), 10, 10)
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
		_, err := e.Evaluate(ctx, 1, 10, 10)
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestEvaluateNeedsSamples(t *testing.T) {
	e := newRun(t, smallRun())
	for _, c := range [][2]int{{1, 5}, {0, 5}, {10, 0}} {
		_, err := e.Evaluate(t.Context(), 1, c[0], c[1])
		require.ErrorContains(t, err, "want at least 2 and 1")
	}
}
