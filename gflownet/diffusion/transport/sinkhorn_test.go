package transport

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSinkhornEnclosesTheExactDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	const n = 300
	shifted := gaussian(r, n, 2, 1)
	for i := range shifted {
		shifted[i] += 5
	}
	for _, c := range []struct {
		name string
		x, y []float64
		d    int
	}{
		{"one distribution", gaussian(r, n, 2, 1), gaussian(r, n, 2, 1), 2},
		{"two scales", gaussian(r, n, 5, 1), gaussian(r, n, 5, 3), 5},
		{"moved", gaussian(r, n, 2, 1), shifted, 2},
		{"numbers", gaussian(r, 100, 1, 1), gaussian(r, 100, 1, 1), 1},
		{"ties", grid(r, n, 2), grid(r, n, 2), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			exact, err := W2(t.Context(), c.x, c.y, c.d)
			require.NoError(t, err)
			got, err := Sinkhorn(t.Context(), c.x, c.y, c.d, SinkhornOptions{})
			require.NoError(t, err)
			require.LessOrEqual(t, got.Lower, exact*(1+1e-9))
			require.GreaterOrEqual(t, got.Upper, exact*(1-1e-9))
			require.InEpsilon(t, exact, got.Upper, 0.05)
		})
	}
}

// Samples of different sizes, the larger of which holds every point of the smaller three times, are of one distribution.
func TestSinkhornOfUnequalSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	x := gaussian(r, 40, 2, 1)
	got, err := Sinkhorn(t.Context(), x, slices.Repeat(x, 3), 2, SinkhornOptions{})
	require.NoError(t, err)
	require.InDelta(t, 0, got.Lower, 1e-6)
	require.InDelta(t, 0, got.Upper, 1e-3)

	got, err = Sinkhorn(t.Context(), []float64{1, 2}, []float64{1, 2, 1, 2}, 2, SinkhornOptions{})
	require.NoError(t, err)
	require.Equal(t, Bounds{}, got, "one point")
}

func TestSinkhornDoesNotDependOnWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 1))
	x, y := gaussian(r, 60, 3, 1), gaussian(r, 50, 3, 2)
	one, err := Sinkhorn(t.Context(), x, y, 3, SinkhornOptions{Workers: 1})
	require.NoError(t, err)
	seven, err := Sinkhorn(t.Context(), x, y, 3, SinkhornOptions{Workers: 7})
	require.NoError(t, err)
	require.Equal(t, one, seven)
}

func TestSinkhornEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Sinkhorn(ctx, []float64{0, 1}, []float64{1, 2}, 1, SinkhornOptions{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = Sinkhorn(t.Context(), []float64{0, math.Inf(1)}, []float64{1, 2}, 1, SinkhornOptions{})
	require.EqualError(t, err, "transport: point 1 of x has the coordinate +Inf; want finite ones")
	_, err = Sinkhorn(t.Context(), []float64{1e200}, []float64{-1e200}, 1, SinkhornOptions{})
	require.EqualError(t, err, "transport: points of x and y are so far apart that their squared distance overflows")
}

func BenchmarkSinkhorn(b *testing.B) {
	r := rand.New(rand.NewPCG(4, 1))
	const n = 2500
	draw := func() []float64 {
		x := gaussian(r, n, 2, math.Sqrt(0.3))
		for i := range x {
			x[i] += float64(5*r.IntN(5) - 10)
		}
		return x
	}
	x, y := draw(), draw()
	for b.Loop() {
		got, err := Sinkhorn(context.Background(), x, y, 2, SinkhornOptions{})
		require.NoError(b, err)
		b.ReportMetric(got.Upper/got.Lower, "upper/lower")
		b.ReportMetric(float64(got.Iterations), "iterations")
	}
}
