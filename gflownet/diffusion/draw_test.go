package diffusion_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

// Neither the size of the batches nor the number of workers is part of what a seed means.
func TestSamplesDoNotDependOnTheBatch(t *testing.T) {
	for _, on := range testdevice.Backends(t) {
		for _, d := range []backend.DType{backend.Float32, backend.Float64} {
			for _, learned := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/%v", on, d, learned), func(t *testing.T) {
					var want []float64
					var wantEnd tensor.RNGState
					for i, batch := range []int{50, 1, 7, 49, 64} {
						s := testdevice.On(t, on, 1+i%2)
						sampler := fixedSampler(t, s, d, learned)
						rng := tensor.NewRNG(s, 9)
						rng.Normal(d, 5)
						got, err := sampler.Draw(t.Context(), rng, 50, batch)
						require.NoError(t, err)
						end, err := rng.State()
						require.NoError(t, err)
						if want == nil {
							want, wantEnd = got, end
							require.Len(t, got, 150)
						}
						require.Equal(t, want, got, "batches of %d", batch)
						require.Equal(t, wantEnd, end)
					}
				})
			}
		}
	}
}

// fixedSampler returns a sampler in three dimensions whose weights a seed decides.
func fixedSampler(t *testing.T, s *tensor.Stream, d backend.DType, learned bool) *diffusion.Sampler {
	t.Helper()
	p := diffusion.Process{NumSteps: 5, Sigma: 2, TScale: 1}
	pf, err := diffusion.NewForward(tensor.NewRNG(s, 3), d, 3, p, diffusion.PolicyConfig{
		Net: diffusion.NetConfig{Harmonics: 4, Embed: 24, Hidden: 40}, LearnVariance: learned,
	})
	require.NoError(t, err)
	sampler, err := diffusion.NewSampler(pf, nil)
	require.NoError(t, err)
	return sampler
}

// A drawn sample is where the trajectory of the same place of the generator ends: there is one layout of noise.
func TestDrawnSamplesAreWhereTrajectoriesEnd(t *testing.T) {
	for _, omit := range []bool{false, true} {
		s := testdevice.Stream(t, 1)
		sampler := fixedSampler(t, s, backend.Float32, true)
		sampler.OmitLastStep = omit
		rng := tensor.NewRNG(s, 1)
		drawn, err := sampler.Draw(t.Context(), rng, 50, 20)
		require.NoError(t, err)
		drawnTo, err := rng.State()
		require.NoError(t, err)
		rng.SetState(tensor.RNGState{Seed: 1})
		walked := sampler.Forward(autograd.NewInference(s), rng, 50).Terminal().Value()
		require.Equal(t, testdevice.Values(t, walked), drawn)
		walkedTo, err := rng.State()
		require.NoError(t, err)
		require.Equal(t, walkedTo, drawnTo)
	}
}

func TestDrawEachEndsEarly(t *testing.T) {
	s := testdevice.Stream(t, 1)
	sampler := fixedSampler(t, s, backend.Float32, false)
	enough := errors.New("enough")
	calls := 0
	err := sampler.DrawEach(t.Context(), tensor.NewRNG(s, 1), 10, 4, func(rows []float64) error {
		calls++
		require.Len(t, rows, 12)
		return enough
	})
	require.ErrorIs(t, err, enough)
	require.Equal(t, 1, calls)

	ctx, cancel := context.WithCancel(t.Context())
	err = sampler.DrawEach(ctx, tensor.NewRNG(s, 1), 10, 4, func([]float64) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)

	none, err := sampler.Draw(t.Context(), tensor.NewRNG(s, 1), 0, 4)
	require.NoError(t, err)
	require.Empty(t, none)
	_, err = sampler.Draw(t.Context(), tensor.NewRNG(s, 1), -1, 4)
	require.EqualError(t, err, "diffusion: -1 samples; want at least 0")
}
