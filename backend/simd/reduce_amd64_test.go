package simd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// TestReductionsHaveTheBitsOfGo reduces over rows, columns and everything with and without assembly.
func TestReductionsHaveTheBitsOfGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(13, 14))
	for _, shape := range [][2]int{{70, 64}, {3000, 40}, {2, 9001}, {1, 70_001}, {40, 300}, {9, 5}} {
		rows, cols := shape[0], shape[1]
		for _, dims := range [][2]int{{rows, 1}, {1, cols}, {1, 1}} {
			for op := backend.ReduceSum; op <= backend.ReduceArgMin; op++ {
				if op.IsArg() && dims != [2]int{rows, 1} && dims != [2]int{1, cols} {
					continue // takes one axis
				}
				seed := rnd.Uint64()
				want := reducedBits(t, off, op, shape, dims, seed)
				for _, i := range inAssembly() {
					require.Equal(t, want, reducedBits(t, i, op, shape, dims, seed), "%v: %v of %v to %v", i, op, shape, dims)
				}
			}
		}
	}
}

// reducedBits reduces a matrix of numbers, zeros of both signs and a few NaN, and returns the bits of the result, or positions.
func reducedBits(t *testing.T, i implementation, op backend.ReduceOp, shape, dims [2]int, seed uint64) []uint64 {
	dev, err := open(i, backend.Options{Workers: 1})
	require.NoError(t, err)
	stream, err := dev.NewStream()
	require.NoError(t, err)
	defer func() {
		require.NoError(t, stream.Close())
		require.NoError(t, dev.Close())
	}()
	rnd := rand.New(rand.NewPCG(seed, 1))
	src := newOperand(t, dev, rnd, shape[0], shape[1])
	for j := range floats32(src) {
		if n := rnd.IntN(2000); n < 500 {
			floats32(src)[j] = float32(math.Copysign(0, float64(n-250)))
		} else if n == 500 {
			floats32(src)[j] = float32(math.NaN())
		}
	}
	dst := newOperand(t, dev, rnd, dims[0], 2*dims[1])
	dst.Dims[1] = dims[1]
	dst.Strides[0] = dims[1]
	if op.IsArg() {
		dst.DType = backend.Int64
	}
	stream.Exec([]backend.Cmd{{Op: backend.Reduce, ReduceOp: op, Dst: []backend.View{dst}, Src: []backend.View{src}}})
	require.NoError(t, stream.Sync())
	bits := make([]uint64, dst.Len())
	for j := range bits {
		x := floats32(dst)[j]
		switch {
		case op.IsArg():
			bits[j] = uint64(math.Float32bits(floats32(dst)[2*j])) | uint64(math.Float32bits(floats32(dst)[2*j+1]))<<32
		case x != x:
			bits[j] = math.MaxUint64
		default:
			bits[j] = uint64(math.Float32bits(x))
		}
	}
	return bits
}
