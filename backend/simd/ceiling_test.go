package simd

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func TestTriadOfCeilingsAddsAProduct(t *testing.T) {
	for _, c := range Ceilings(backend.Float32) {
		testTriad[float32](t, c, 1e-7)
	}
	for _, c := range Ceilings(backend.Float64) {
		testTriad[float64](t, c, 1e-15)
	}
}

func testTriad[T float](t *testing.T, c Ceiling, tolerance float64) {
	n := 3 * c.Grain
	dst, x, y := make([]T, n+1), make([]T, n), make([]T, n)
	for i := range n {
		x[i], y[i] = T(i), T(2*i)
	}
	c.Triad(unsafe.Pointer(&dst[0]), unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0]), n)
	for i := range n {
		require.InEpsilon(t, 1+float64(i)*(1+2*0.999), 1+float64(dst[i]), tolerance*4, "%s: %d", c.Name, i)
	}
	require.Zero(t, dst[n], "%s writes past the end", c.Name)
}

func TestMultiplyAddsOfCeilingsEnd(t *testing.T) {
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		for _, c := range Ceilings(d) {
			c.MultiplyAdds(1)
			c.MultiplyAdds(1000)
			require.GreaterOrEqual(t, c.Flops, 2*12*4.0, c.Name)
		}
	}
}
