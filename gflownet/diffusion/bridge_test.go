package diffusion_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

// walkBack is the reference's loop: from time 1 in steps of dt, s ← s·(1 − dt/t) + σ·sqrt(dt·t'/t)·ε, for one path in one dimension.
func walkBack(x float64, noise []float64, sigma float64) []float64 {
	n := len(noise)
	dt := 1 / float64(n)
	path := make([]float64, n+1)
	path[n] = x
	for j := range n {
		t := 1 - float64(j)*dt
		next := t - dt
		if j == n-1 {
			break // the step to the source is certain
		}
		path[n-j-1] = path[n-j]*(1-dt/t) + sigma*math.Sqrt(dt*next/t)*noise[j]
	}
	return path
}

func TestBridgeIsTheSequentialRecursion(t *testing.T) {
	const batch = 3
	s := testdevice.Stream(t, 0)
	for _, n := range []int{1, 2, 3, 10, 100, 1000} {
		for _, d := range []int{1, 2, 7} {
			t.Run(fmt.Sprintf("N=%d/d=%d", n, d), func(t *testing.T) {
				p := diffusion.Process{NumSteps: n, Sigma: 2.5, TScale: 1}
				rng := tensor.NewRNG(s, 7)
				x, noise := rng.Normal(backend.Float64, batch, d), rng.Normal(backend.Float64, batch, n, d)
				got := testdevice.Values(t, p.Bridge(x, noise))
				ends, eps := testdevice.Values(t, x), testdevice.Values(t, noise)
				for b := range batch {
					for k := range d {
						column := make([]float64, n)
						for j := range n {
							column[j] = eps[(b*n+j)*d+k]
						}
						for i, want := range walkBack(ends[b*d+k], column, p.Sigma) {
							require.InDelta(t, want, got[(b*(n+1)+i)*d+k], 1e-12*float64(n), "state %d", i)
						}
						require.Equal(t, 0.0, got[b*(n+1)*d+k])
						require.Equal(t, ends[b*d+k], got[(b*(n+1)+n)*d+k])
					}
				}
			})
		}
	}
}

// A bridge from 0 to x has at time t mean t·x and, with time u ≥ t, covariance σ²·t·(1−u).
func TestBridgeMoments(t *testing.T) {
	const batch, n, sigma, end = 40000, 5, 1.5, 2.0
	s := testdevice.Stream(t, 0)
	p := diffusion.Process{NumSteps: n, Sigma: sigma, TScale: 1}
	paths := testdevice.Values(t, p.Bridge(
		tensor.Full(s, backend.Float64, end, batch, 1), tensor.NewRNG(s, 3).Normal(backend.Float64, batch, n, 1)))
	column := func(i int) []float64 {
		values := make([]float64, batch)
		for b := range values {
			values[b] = paths[b*(n+1)+i] - p.Time(i)*end
		}
		return values
	}
	for i := 1; i < n; i++ {
		mean := diffusion.MeanOf(column(i))
		require.InDelta(t, 0, mean.Value, 4*mean.SE, "mean at %d", i)
		for j := i; j < n; j++ {
			products := column(i)
			for b, y := range column(j) {
				products[b] *= y
			}
			got := diffusion.MeanOf(products)
			require.InDelta(t, sigma*sigma*p.Time(i)*(1-p.Time(j)), got.Value, 4*got.SE, "covariance of %d and %d", i, j)
		}
	}
}

func TestBridgeRefusesWhatDoesNotFit(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1}
	zeros := func(d backend.DType, shape ...int) *tensor.Tensor { return tensor.Zeros(s, d, shape...) }
	x := zeros(backend.Float32, 2, 4)
	for _, c := range []struct {
		x, noise *tensor.Tensor
		want     string
	}{
		{x, zeros(backend.Float32, 2, 4, 4), "tensor: bridge(float32(2, 4), float32(2, 4, 4)): wants (B, d) and noise (B, 3, d) of one float dtype"},
		{x, zeros(backend.Float64, 2, 3, 4), "tensor: bridge(float32(2, 4), float64(2, 3, 4)): wants (B, d) and noise (B, 3, d) of one float dtype"},
		{x, zeros(backend.Float32, 1, 3, 4), "tensor: bridge(float32(2, 4), float32(1, 3, 4)): wants (B, d) and noise (B, 3, d) of one float dtype"},
	} {
		func() {
			var err error
			defer func() { require.EqualError(t, err, c.want) }()
			defer tensor.Catch(&err)
			p.Bridge(c.x, c.noise)
		}()
	}
}
