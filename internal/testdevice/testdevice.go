// Package testdevice opens streams for tests. A test imports the backend that it names.
package testdevice

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Stream returns a stream of the CPU backend with that many workers, 0 for as many as there are cores. It is closed with the test.
func Stream(t testing.TB, workers int) *tensor.Stream {
	t.Helper()
	dev, err := tensor.Open("cpu", backend.Options{Workers: workers})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, dev.Close())
	})
	return s
}

// Values reads a tensor.
func Values(t testing.TB, x *tensor.Tensor) []float64 {
	t.Helper()
	values, err := x.Float64s()
	require.NoError(t, err)
	return values
}
