//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/emulator"
)

// matrix is a matrix in device memory, and its numbers.
type matrix struct {
	backend.View
	numbers []float64
}

// upload draws a matrix of type d, whose rows lie side by side if across.
func upload(t *testing.T, s *stream, d backend.DType, rows, cols int, across bool, draw func() float64) matrix {
	t.Helper()
	buf, err := s.dev.Alloc(rows * cols * d.Size())
	require.NoError(t, err)
	m := matrix{backend.Contiguous(buf, d, rows, cols), make([]float64, rows*cols)}
	if across {
		m.Strides[0], m.Strides[1] = 1, rows
	}
	data := make([]byte, buf.Size)
	for i := range m.numbers {
		at := (i/cols*m.Strides[0] + i%cols*m.Strides[1]) * d.Size()
		m.numbers[i] = encode(d, data[at:], draw())
	}
	s.Upload(buf, 0, data)
	return m
}

// encode writes x rounded to d and returns what it has become.
func encode(d backend.DType, to []byte, x float64) float64 {
	switch d {
	case backend.Float64:
		binary.NativeEndian.PutUint64(to, math.Float64bits(x))
	case backend.Float32:
		binary.NativeEndian.PutUint32(to, math.Float32bits(float32(x)))
	case backend.Float16:
		binary.NativeEndian.PutUint16(to, backend.ToFloat16(float32(x)))
	case backend.BFloat16:
		binary.NativeEndian.PutUint16(to, backend.ToBFloat16(float32(x)))
	}
	return decode(d, to)
}

func decode(d backend.DType, from []byte) float64 {
	switch d {
	case backend.Float64:
		return math.Float64frombits(binary.NativeEndian.Uint64(from))
	case backend.Float32:
		return float64(math.Float32frombits(binary.NativeEndian.Uint32(from)))
	case backend.Float16:
		return float64(backend.FromFloat16(binary.NativeEndian.Uint16(from)))
	}
	return float64(backend.FromBFloat16(binary.NativeEndian.Uint16(from)))
}

// multiply returns the product that blocks of that tile compute, each of a run of leaves.
func multiply(t *testing.T, s *stream, how arithmetic, with tile, run int64, a, b matrix) []float64 {
	t.Helper()
	rows, cols, d := a.Dims[0], b.Dims[1], a.DType
	buf, err := s.dev.Alloc(rows * cols * d.Size())
	require.NoError(t, err)
	defer s.dev.Free(buf)
	result := backend.Contiguous(buf, d, rows, cols)
	p := product{d: &result, a: &a.View, b: &b.View, arithmetic: how}
	p.split()
	s.batch.reset()
	s.batch.arena.reset()
	p.lower(&s.batch, with, run)
	require.NoError(t, s.batch.err)
	require.NoError(t, s.submit())
	data := make([]byte, buf.Size)
	require.NoError(t, s.Download(data, buf, 0))
	numbers := make([]float64, rows*cols)
	for i := range numbers {
		numbers[i] = decode(d, data[i*d.Size():])
	}
	return numbers
}

// errorOf returns the greatest error of a product, in units of the sum of the magnitudes that it adds.
func errorOf(a, b matrix, product []float64) float64 {
	rows, cols, terms := a.Dims[0], b.Dims[1], a.Dims[1]
	worst := 0.0
	for i := range rows {
		for j := range cols {
			sum, size := 0.0, 0.0
			for k := range terms {
				x := a.numbers[i*terms+k] * b.numbers[k*cols+j]
				sum, size = sum+x, size+math.Abs(x)
			}
			worst = max(worst, math.Abs(product[i*cols+j]-sum)/size)
		}
	}
	return worst
}

// products are the ways to multiply, and the error that a sum of some hundred terms may have.
var products = []struct {
	dtype     backend.DType
	precision string
	bound     float64
}{
	{backend.Float64, "", 0x1p-50},
	{backend.Float32, "", 0x1p-21},
	{backend.Float32, "3xtf32", 0x1p-19},
	{backend.Float32, "tf32", 0x1p-10},
	{backend.Float16, "", 0x1p-11},
	{backend.BFloat16, "", 0x1p-8},
}

// The tiles of large products are seldom chosen on an emulated machine, so here each is, with a tree of leaves in its nodes and without.
func TestEveryTileOfAProductGivesTheSameBits(t *testing.T) {
	s := openStream(t, open(t, backend.Options{}))
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range products {
		how := arithmeticOf(c.dtype, c.precision)
		for layout, m := range []struct {
			acrossA, acrossB  bool
			rows, cols, terms int // 16 bytes can be moved at a time of the even ones
		}{
			{false, false, 130, 40, 264}, {false, true, 67, 36, 261}, {true, false, 65, 72, 264}, {true, true, 131, 35, 257},
		} {
			a := upload(t, s, c.dtype, m.rows, m.terms, m.acrossA, rng.NormFloat64)
			b := upload(t, s, c.dtype, m.terms, m.cols, m.acrossB, rng.NormFloat64)
			want := multiply(t, s, how, how.tiles[len(how.tiles)-1], 1, a, b)
			require.LessOrEqual(t, errorOf(a, b, want), c.bound, "%s, layout %d", how.name, layout)
			for _, with := range how.tiles[:len(how.tiles)-1] {
				run := int64(2)
				if (&product{d: &a.View, arithmetic: how}).shared(with, run) > mostShared {
					run = 1
				}
				require.Equal(t, want, multiply(t, s, how, with, run, a, b), "%s, layout %d, tile %v", how.name, layout, with)
			}
			s.dev.Free(a.Buf)
			s.dev.Free(b.Buf)
		}
	}
}

func TestEveryRunOfLeavesGivesTheSameBits(t *testing.T) {
	s := openStream(t, open(t, backend.Options{}))
	rng := rand.New(rand.NewPCG(5, 6))
	for _, c := range products {
		how := arithmeticOf(c.dtype, c.precision)
		last := how.tiles[len(how.tiles)-1]
		a, b := upload(t, s, c.dtype, 5, 1700, false, rng.NormFloat64), upload(t, s, c.dtype, 1700, 9, false, rng.NormFloat64)
		want := multiply(t, s, how, last, 1, a, b)
		require.LessOrEqual(t, errorOf(a, b, want), c.bound, how.name)
		for run := int64(2); run <= 8; run *= 2 {
			require.Equal(t, want, multiply(t, s, how, last, run, a, b), "%s, runs of %d", how.name, run)
		}
		s.dev.Free(a.Buf)
		s.dev.Free(b.Buf)
	}
}

// Numbers that TF32 holds have exact products.
func TestPrecisionsAreExactOnFewBits(t *testing.T) {
	s := openStream(t, open(t, backend.Options{}))
	rng := rand.New(rand.NewPCG(3, 4))
	whole := func() float64 { return float64(rng.IntN(129) - 64) }
	a, b := upload(t, s, backend.Float32, 33, 100, false, whole), upload(t, s, backend.Float32, 100, 40, false, whole)
	for _, precision := range []string{"", "tf32", "3xtf32"} {
		how := arithmeticOf(backend.Float32, precision)
		require.Zero(t, errorOf(a, b, multiply(t, s, how, how.tiles[0], 1, a, b)), precision)
	}
}

func TestAPrecisionIsOneOfTheDeviceOptions(t *testing.T) {
	emulator.Need(t)
	d, err := backend.Open("cuda", backend.Options{Precision: "tf32"})
	require.NoError(t, err)
	require.Equal(t, "tf32", d.(*device).precision())
	require.NoError(t, d.Close())

	_, err = backend.Open("cuda", backend.Options{Precision: "half"})
	require.ErrorContains(t, err, `no precision "half"; want "tf32", "3xtf32" or, for exact products, none`)
}

func TestEveryProductHasItsKernels(t *testing.T) {
	kernels, err := committedModules()
	require.NoError(t, err)
	for _, c := range products {
		how := arithmeticOf(c.dtype, c.precision)
		for _, with := range how.tiles {
			for _, layout := range []string{"kk", "kl", "lk", "ll"} {
				require.Contains(t, kernels, fmt.Sprintf("matmul_%s_%v_%s", how.name, with, layout))
			}
		}
	}
}
