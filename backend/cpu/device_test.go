package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// rig is a device with a stream, and the means to lay out operands on it.
type rig struct {
	t   testing.TB
	dev backend.Device
	s   backend.Stream
	rnd *rand.Rand
}

func newRig(t testing.TB, workers int) *rig {
	dev, err := backend.Open("cpu", backend.Options{Workers: workers})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = s.Close()
		require.NoError(t, dev.Close())
	})
	return &rig{t, dev, s, rand.New(rand.NewPCG(1, 2))}
}

func (r *rig) alloc(size int) *backend.Buffer {
	b, err := r.dev.Alloc(size)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { r.dev.Free(b) })
	return b
}

// empty returns a row-major operand.
func (r *rig) empty(d backend.DType, dims ...int) backend.View {
	v := backend.Contiguous(nil, d, dims...)
	v.Buf = r.alloc(v.Len() * d.Size())
	return v
}

// random returns a row-major operand of normal numbers, or of small integers.
func (r *rig) random(d backend.DType, dims ...int) backend.View {
	v := r.empty(d, dims...)
	for i := range v.Len() {
		x := r.rnd.NormFloat64()
		if !d.IsFloat() {
			x = math.Trunc(4 * x)
		}
		set(&v, i, x)
	}
	return v
}

// of returns a row-major operand that holds these numbers.
func (r *rig) of(d backend.DType, xs []float64, dims ...int) backend.View {
	v := r.empty(d, dims...)
	for i, x := range xs {
		set(&v, i, x)
	}
	return v
}

func (r *rig) exec(c backend.Cmd) {
	r.t.Helper()
	r.s.Exec([]backend.Cmd{c})
	require.NoError(r.t, r.s.Sync())
}

// place returns the number in the buffer of element i, in row-major order.
func place(v *backend.View, i int) int {
	at := v.Offset
	for a := v.Rank - 1; a >= 0; a-- {
		at += i % v.Dims[a] * v.Strides[a]
		i /= v.Dims[a]
	}
	return at
}

func get(v *backend.View, i int) float64 {
	at := place(v, i)
	switch v.DType {
	case backend.Bool, backend.Uint8:
		return float64(elements[uint8](v)[at])
	case backend.Int32:
		return float64(elements[int32](v)[at])
	case backend.Int64:
		return float64(elements[int64](v)[at])
	case backend.Float16:
		return float64(elements[f16](v)[at].float())
	case backend.BFloat16:
		return float64(elements[bf16](v)[at].float())
	case backend.Float32:
		return float64(elements[float32](v)[at])
	}
	return elements[float64](v)[at]
}

func set(v *backend.View, i int, x float64) {
	at := place(v, i)
	switch v.DType {
	case backend.Bool:
		elements[uint8](v)[at] = truth(x != 0)
	case backend.Uint8:
		elements[uint8](v)[at] = uint8(int64(x))
	case backend.Int32:
		elements[int32](v)[at] = int32(x)
	case backend.Int64:
		elements[int64](v)[at] = int64(x)
	case backend.Float16:
		elements[f16](v)[at] = toF16(float32(x))
	case backend.BFloat16:
		elements[bf16](v)[at] = toBF16(float32(x))
	case backend.Float32:
		elements[float32](v)[at] = float32(x)
	default:
		elements[float64](v)[at] = x
	}
}

func values(v *backend.View) []float64 {
	xs := make([]float64, v.Len())
	for i := range xs {
		xs[i] = get(v, i)
	}
	return xs
}

// permuted returns v with its axes in another order.
func permuted(v backend.View, axes ...int) backend.View {
	p := v
	for i, a := range axes {
		p.Dims[i], p.Strides[i] = v.Dims[a], v.Strides[a]
	}
	return p
}

// flipped returns v run backward along an axis.
func flipped(v backend.View, axis int) backend.View {
	v.Offset += (v.Dims[axis] - 1) * v.Strides[axis]
	v.Strides[axis] = -v.Strides[axis]
	return v
}

// every returns every second index of v along an axis.
func every(v backend.View, axis int) backend.View {
	v.Dims[axis] = (v.Dims[axis] + 1) / 2
	v.Strides[axis] *= 2
	return v
}

// broadcast returns v, which has one index on that axis, with n.
func broadcast(v backend.View, axis, n int) backend.View {
	v.Dims[axis], v.Strides[axis] = n, 0
	return v
}

// layouts returns operands of one shape laid out in different ways.
func (r *rig) layouts(d backend.DType, rows, cols int) map[string]backend.View {
	return map[string]backend.View{
		"row-major":     r.random(d, rows, cols),
		"transposed":    permuted(r.random(d, cols, rows), 1, 0),
		"flipped":       flipped(r.random(d, rows, cols), 1),
		"strided":       every(r.random(d, rows, 2*cols), 1),
		"broadcast row": broadcast(r.random(d, 1, cols), 0, rows),
		"broadcast col": broadcast(r.random(d, rows, 1), 1, cols),
		"one element":   broadcast(broadcast(r.random(d, 1, 1), 0, rows), 1, cols),
	}
}

func prog(t testing.TB, ins, params []backend.DType, code []backend.Instr, outs ...backend.Value) *backend.Prog {
	p, err := backend.NewProg(ins, params, code, outs)
	require.NoError(t, err)
	return p
}

func TestOpen(t *testing.T) {
	driver, ok := backend.Lookup("cpu")
	require.True(t, ok)
	require.NoError(t, driver.Available())
	require.Contains(t, driver.About(), "pure Go")
	_, err := backend.Open("cpu:1", backend.Options{})
	require.EqualError(t, err, "cpu: no device 1; the only one is 0")
}

func TestAllocAlignsAndFrees(t *testing.T) {
	dev, err := backend.Open("cpu", backend.Options{})
	require.NoError(t, err)
	for _, size := range []int{0, 1, 63, 4096, mapThreshold - 1, mapThreshold, mapThreshold + 1} {
		b, err := dev.Alloc(size)
		require.NoError(t, err)
		require.Len(t, b.Host, size)
		if size > 0 {
			v := backend.View{Buf: b, DType: backend.Uint8}
			require.Zero(t, uintptr(address(&v, 0))%alignment)
			b.Host[size-1] = 1
		}
		dev.Free(b)
		require.Nil(t, b.Host)
		dev.Free(b)
	}
	_, err = dev.Alloc(-1)
	require.Error(t, err)
	require.NoError(t, dev.Close())
	_, err = dev.Alloc(1)
	require.ErrorIs(t, err, errDeviceClosed)
	_, err = dev.NewStream()
	require.ErrorIs(t, err, errDeviceClosed)
}

func TestMemoryLimit(t *testing.T) {
	dev, err := backend.Open("cpu", backend.Options{MemoryLimit: 1000})
	require.NoError(t, err)
	b, err := dev.Alloc(600)
	require.NoError(t, err)
	_, err = dev.Alloc(600)
	require.ErrorIs(t, err, backend.ErrOutOfMemory)
	require.EqualError(t, err, "cpu: cannot allocate 600 bytes: 600 of the limit of 1000 are in use: out of memory")
	dev.Free(b)
	b, err = dev.Alloc(1000)
	require.NoError(t, err)
	dev.Free(b)
}

func TestFirstFailurePoisonsTheStream(t *testing.T) {
	r := newRig(t, 2)
	table, index := r.random(backend.Float32, 3), r.of(backend.Int64, []float64{0, 7, 9}, 3)
	out := r.empty(backend.Float32, 3)
	other := r.of(backend.Float32, []float64{1, 2, 3}, 3)
	r.s.Exec([]backend.Cmd{
		{Op: backend.Gather, Dst: []backend.View{out}, Src: []backend.View{table, index}},
		{Op: backend.Copy, Dst: []backend.View{other}, Src: []backend.View{table}},
	})
	want := "cpu: float32(3) = gather[axis 0] float32(3), int64(3): index 7 is out of range for axis 0 of length 3"
	require.EqualError(t, r.s.Sync(), want)
	require.EqualError(t, r.s.Download(make([]byte, 4), out.Buf, 0), want)
	require.Equal(t, []float64{1, 2, 3}, values(&other), "a command after the failure was executed")
}

func TestStreamErrors(t *testing.T) {
	elsewhere := newRig(t, 1).random(backend.Float32, 2)
	tests := []struct {
		name string
		do   func(r *rig, v backend.View)
		want string
	}{
		{"a command breaks the contract", func(r *rig, v backend.View) { r.s.Exec([]backend.Cmd{{Op: backend.Copy}}) },
			"has 0 destinations and 0 sources"},
		{"operand of another device", func(r *rig, v backend.View) {
			r.s.Exec([]backend.Cmd{{Op: backend.Copy, Dst: []backend.View{v}, Src: []backend.View{elsewhere}}})
		}, "destination 0 lies on another device than the sources"},
		{"operand was freed", func(r *rig, v backend.View) {
			w := r.random(backend.Float32, 2)
			r.dev.Free(w.Buf)
			r.s.Exec([]backend.Cmd{{Op: backend.Copy, Dst: []backend.View{v}, Src: []backend.View{w}}})
		}, "source 0 was freed"},
		{"upload past the end", func(r *rig, v backend.View) { r.s.Upload(v.Buf, 5, make([]byte, 4)) },
			"upload of 4 bytes at 5: the buffer has 8 bytes"},
		{"download past the end", func(r *rig, v backend.View) { _ = r.s.Download(make([]byte, 9), v.Buf, 0) },
			"download of 9 bytes at 0: the buffer has 8 bytes"},
		{"use after close", func(r *rig, v backend.View) {
			_ = r.s.Close()
			r.s.Exec(nil)
		}, "the stream is closed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, 1)
			tt.do(r, r.random(backend.Float32, 2))
			err := r.s.Sync()
			require.ErrorContains(t, err, tt.want)
			require.Regexp(t, "^cpu: [^\n]*$", err.Error())
			require.Equal(t, err, r.s.Sync())
		})
	}
}

func TestUploadAndDownloadAtOffsets(t *testing.T) {
	r := newRig(t, 1)
	b := r.alloc(8)
	r.s.Upload(b, 0, []byte{0, 1, 2, 3, 4, 5, 6, 7})
	r.s.Upload(b, 3, []byte{9, 9})
	got := make([]byte, 5)
	require.NoError(t, r.s.Download(got, b, 1))
	require.Equal(t, []byte{1, 2, 9, 9, 5}, got)
}

func Example() {
	dev, err := backend.Open("cpu", backend.Options{Workers: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dev.Close()
	fmt.Println(dev.Name())
	// Output: cpu
}

func TestProductsAreExact(t *testing.T) {
	_, err := backend.Open("cpu", backend.Options{Precision: "tf32"})
	require.EqualError(t, err, `cpu: no precision "tf32"; products are exact here`)
	_, err = backend.Open("cpu", backend.Options{MatMul: "cublaslt"})
	require.EqualError(t, err, `cpu: no matmul "cublaslt"; products are by its own kernels here`)
}
