package bench

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/weir-ml/weir/backend"
)

// memory lays out operands on host memory. Without contents they have shapes, but hold nothing: enough to know their sizes.
type memory struct {
	contents contents
	made     int // sources so far; no two of a command share memory
}

// contents are what sources hold, kept from pass to pass and device to device: drawing them takes longer than timing.
type contents map[contentKey]*backend.Buffer

// content is what a source holds.
type content int

const (
	signed   content = iota // in [−1.5, 1.5); integers from −8 to 7, or to 15 where there is no sign
	positive                // in [0.1, 3.1); integers from 1 to 16
	state                   // of a random generator
	index                   // below a limit, each as likely
)

// source returns a row-major operand that holds the same at every call.
func (m *memory) source(d backend.DType, dims ...int) backend.View {
	return m.holding(signed, 0, d, dims)
}

// positive is source with numbers above 0.
func (m *memory) positive(d backend.DType, dims ...int) backend.View {
	return m.holding(positive, 0, d, dims)
}

// state returns the state of a random generator.
func (m *memory) state() backend.View { return m.holding(state, 0, backend.Int64, []int{2}) }

// indices returns indices below limit.
func (m *memory) indices(limit int, dims ...int) backend.View {
	return m.holding(index, limit, backend.Int64, dims)
}

func (m *memory) holding(c content, limit int, d backend.DType, dims []int) backend.View {
	v := backend.Contiguous(nil, d, dims...)
	m.made++
	if m.contents == nil {
		return v
	}
	key := contentKey{c, limit, d, v.Len(), m.made}
	if m.contents[key] == nil {
		m.contents[key] = key.fill()
	}
	v.Buf = m.contents[key]
	return v
}

// result returns a row-major destination, of zeros.
func (m *memory) result(d backend.DType, dims ...int) backend.View {
	v := backend.Contiguous(nil, d, dims...)
	if m.contents != nil {
		size := v.Len() * d.Size()
		v.Buf = &backend.Buffer{Size: size, Host: make([]byte, size)}
	}
	return v
}

// contentKey is all that decides what a source holds.
type contentKey struct {
	content
	limit  int
	dtype  backend.DType
	n      int
	number int
}

func (k contentKey) fill() *backend.Buffer {
	size := k.n * k.dtype.Size()
	block := make([]byte, size)
	rng := rand.New(rand.NewPCG(uint64(k.number), uint64(k.content)))
	for i := range k.n {
		put(block[i*k.dtype.Size():], k.dtype, k.draw(rng))
	}
	return &backend.Buffer{Size: size, Host: block}
}

// draw returns a number that every dtype but for its rounding holds.
func (k contentKey) draw(rng *rand.Rand) float64 {
	bits := rng.Uint64()
	unit := float64(bits>>40) * 0x1p-24
	switch {
	case k.content == state:
		return float64(bits % 1000)
	case k.content == index:
		return float64(bits % uint64(k.limit))
	case k.dtype == backend.Bool:
		return float64(bits % 2)
	case k.dtype.IsFloat() && k.content == positive:
		return 0.1 + 3*unit
	case k.dtype.IsFloat():
		return 3 * (unit - 0.5)
	case k.content == positive:
		return float64(1 + bits%16)
	case k.dtype == backend.Uint8:
		return float64(bits % 16)
	}
	return float64(bits%16) - 8
}

// put stores a number.
func put(b []byte, d backend.DType, x float64) {
	switch d {
	case backend.Float64:
		binary.NativeEndian.PutUint64(b, math.Float64bits(x))
	case backend.Float32:
		binary.NativeEndian.PutUint32(b, math.Float32bits(float32(x)))
	case backend.Float16:
		binary.NativeEndian.PutUint16(b, backend.ToFloat16(float32(x)))
	case backend.BFloat16:
		binary.NativeEndian.PutUint16(b, backend.ToBFloat16(float32(x)))
	case backend.Int64:
		binary.NativeEndian.PutUint64(b, uint64(int64(x)))
	case backend.Int32:
		binary.NativeEndian.PutUint32(b, uint32(int32(x)))
	default:
		b[0] = byte(int8(x))
	}
}

// transposed swaps the two last axes.
func transposed(v backend.View) backend.View {
	m, n := v.Rank-2, v.Rank-1
	v.Dims[m], v.Dims[n] = v.Dims[n], v.Dims[m]
	v.Strides[m], v.Strides[n] = v.Strides[n], v.Strides[m]
	return v
}

// repeated broadcasts an axis of length 1.
func repeated(v backend.View, axis, n int) backend.View {
	v.Dims[axis], v.Strides[axis] = n, 0
	return v
}
