// Package testdevice opens streams for tests. A test imports the backend that it names.
package testdevice

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Stream returns a stream of the pure Go backend with that many workers, 0 for as many as there are cores. It is closed with the test.
func Stream(t testing.TB, workers int) *tensor.Stream {
	t.Helper()
	return On(t, "cpu", workers)
}

// On is Stream for the backend of that name.
func On(t testing.TB, name string, workers int) *tensor.Stream {
	t.Helper()
	dev, err := tensor.Open(name, backend.Options{Workers: workers})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, dev.Close())
	})
	return s
}

// Backends returns the names of the backends that the test imports and the machine has.
func Backends(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, name := range backend.Names() {
		if d, ok := backend.Lookup(name); ok && d.Available() == nil {
			names = append(names, name)
		}
	}
	require.NotEmpty(t, names)
	return names
}

// Values reads a tensor.
func Values(t testing.TB, x *tensor.Tensor) []float64 {
	t.Helper()
	values, err := x.Float64s()
	require.NoError(t, err)
	return values
}
