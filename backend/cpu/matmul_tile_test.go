package cpu

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// plainTile is a tile of odd sizes that says what tiles do.
func plainTile[T float](c unsafe.Pointer, rowC int, a unsafe.Pointer, rowA, termA int, b unsafe.Pointer, termB, terms, rows, cols int, add bool) {
	at := func(p unsafe.Pointer, i int) *T { return (*T)(unsafe.Add(p, i*int(unsafe.Sizeof(T(0))))) }
	for i := range rows {
		for j := range cols {
			var sum T
			for k := range terms {
				sum += T(*at(a, i*rowA+k*termA) * *at(b, k*termB+j))
			}
			if add {
				sum += *at(c, i*rowC+j)
			}
			*at(c, i*rowC+j) = sum
		}
	}
}

// plainAlong and plainAcross are dot products in two lanes.
func plainAlong[T float](c, a unsafe.Pointer, rowA int, b unsafe.Pointer, lineB, terms, rows, cols int) {
	size := int(unsafe.Sizeof(T(0)))
	for i := range rows {
		for j := range cols {
			plainAcross[T](unsafe.Add(c, (i*cols+j)*size), unsafe.Add(a, i*rowA*size), 1, unsafe.Add(b, j*lineB*size), 1, terms)
		}
	}
	*(*T)(unsafe.Add(c, rows*cols*size)) = -1 // not defined
}

func plainAcross[T float](c, a unsafe.Pointer, termA int, b unsafe.Pointer, termB, terms int) {
	at := func(p unsafe.Pointer, i int) *T { return (*T)(unsafe.Add(p, i*int(unsafe.Sizeof(T(0))))) }
	for i := range min(2, termA) {
		var sums [2]T
		for k := range terms {
			sums[k%2] += T(*at(a, i+k*termA) * *at(b, k*termB))
		}
		*at(c, i) = sums[0] + sums[1]
	}
}

// plainTileOf returns a tile with dot and outer products.
func plainTileOf[T float]() *Tile {
	return &Tile{Rows: 3, Cols: 5, Rate: 4, Multiply: plainTile[T],
		Dots:  &Dots{Cols: 2, Lanes: 2, Along: plainAlong[T], Across: plainAcross[T]},
		Outer: &Outer{Terms: 2, Wide: 4, Narrow: 2, Multiply: plainTile[T]}}
}

// plainKernels are kernels that say what each is to do, in Go, so that what surrounds them is tested on every platform.
func plainKernels() Kernels {
	return Kernels{
		Tile: func(d backend.DType) *Tile {
			if d == backend.Float64 {
				return plainTileOf[float64]()
			}
			return plainTileOf[float32]()
		},
		Fold: func(op backend.ReduceOp, d backend.DType) *Fold {
			if d == backend.Float64 {
				return plainFold[float64](op)
			}
			return plainFold[float32](op)
		},
		Arg: func(op backend.ReduceOp, d backend.DType) *Arg {
			if d == backend.Float64 {
				return plainArg[float64](op)
			}
			return plainArg[float32](op)
		},
		Turn: func(size int) *Turn {
			switch size {
			case 4:
				return &Turn{Side: 3, Copy: plainTurn[uint32]}
			case 8:
				return &Turn{Side: 2, Copy: plainTurn[uint64]}
			}
			return nil
		},
	}
}

// plainTurn transposes elements of T.
func plainTurn[T any](dst unsafe.Pointer, dstRow int, src unsafe.Pointer, srcRow, rows, cols int) {
	to, from := block[T](dst, (rows-1)*dstRow+cols), block[T](src, (cols-1)*srcRow+rows)
	for i := range rows {
		for j := range cols {
			to[i*dstRow+j] = from[j*srcRow+i]
		}
	}
}

// newPlainRig is newRig on a device with plainKernels.
func newPlainRig(t *testing.T) *rig {
	dev, err := NewDevice("plain", backend.Options{Workers: 2}, plainKernels())
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	return &rig{t, dev, s, rand.New(rand.NewPCG(1, 2))}
}

// onEveryEngine runs a test with the loops of this package and with others.
func onEveryEngine(t *testing.T, test func(*testing.T, *rig)) {
	t.Run("own loops", func(t *testing.T) { test(t, newRig(t, 2)) })
	t.Run("others", func(t *testing.T) { test(t, newPlainRig(t)) })
}
