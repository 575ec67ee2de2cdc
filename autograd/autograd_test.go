package autograd_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/tensor"
)

func newStream(t testing.TB) *tensor.Stream {
	t.Helper()
	dev, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, dev.Close())
	})
	return s
}

// sample returns float64 numbers in (lo, hi) without a pattern.
func sample(s *tensor.Stream, lo, hi float64, shape ...int) *tensor.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = lo + (hi-lo)*math.Mod(float64(i+1)*math.Phi, 1)
	}
	return tensor.FromSlice(s, xs, shape...)
}

func vector(s *tensor.Stream, xs ...float64) *tensor.Tensor { return tensor.FromSlice(s, xs, len(xs)) }

func read(t testing.TB, x *tensor.Tensor) []float64 {
	t.Helper()
	values, err := x.Float64s()
	require.NoError(t, err)
	return values
}

// gradients returns the gradients of the sum of f at inputs.
func gradients(t testing.TB, f func(xs []*autograd.Var) *autograd.Var, inputs ...*tensor.Tensor) [][]float64 {
	t.Helper()
	tape := autograd.NewTape(inputs[0].Stream())
	xs := make([]*autograd.Var, len(inputs))
	for i, x := range inputs {
		xs[i] = tape.Leaf(x)
	}
	var all [][]float64
	for _, g := range autograd.Grad(autograd.Sum(f(xs)), xs, autograd.GradOptions{}) {
		all = append(all, read(t, g.Value()))
	}
	return all
}

// requireSame compares numbers exactly; NaN equals NaN.
func requireSame(t testing.TB, want, got []float64, about string) {
	t.Helper()
	require.Len(t, got, len(want), about)
	for i := range want {
		if want[i] != got[i] && !(math.IsNaN(want[i]) && math.IsNaN(got[i])) {
			require.Failf(t, "values differ", "%s: %v; want %v", about, got, want)
		}
	}
}

func requireMisuse(t testing.TB, want string, f func()) {
	t.Helper()
	var err error
	func() {
		defer tensor.Catch(&err)
		f()
	}()
	require.EqualError(t, err, want)
}
