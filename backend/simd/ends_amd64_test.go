package simd

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// TestEndsOfFunctions holds functions to values that the bounds on their errors do not promise: tanh does not exceed 1 before it ends, and
// cos 0 is 1.
func TestEndsOfFunctions(t *testing.T) {
	const block = 512
	var x, y [block]float32
	for _, i := range inAssembly() {
		tanh, cos := mapKernel(i, backend.Tanh, backend.Float32), mapKernel(i, backend.Cos, backend.Float32)
		for first, last := math.Float32bits(8), math.Float32bits(9.1); first < last; first += block {
			for j := range x {
				x[j] = math.Float32frombits(first + uint32(j))
			}
			tanh(unsafe.Pointer(&y), unsafe.Pointer(&x), nil, nil, block)
			require.LessOrEqual(t, slices.Max(y[:]), float32(1), "%v tanh from %g on", i, x[0])
		}
		x = [block]float32{0, float32(math.Copysign(0, -1)), 0x1p-126, 0x1p-20}
		cos(unsafe.Pointer(&y), unsafe.Pointer(&x), nil, nil, 4)
		require.Equal(t, []float32{1, 1, 1, 1}, y[:4], "%v", i)
	}
}
