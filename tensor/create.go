package tensor

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
)

// Element is a Go type that tensors are made from and read into: bool, uint8, int32, int64, float32 or float64.
type Element interface {
	bool | uint8 | int32 | int64 | float32 | float64
}

// DTypeOf returns the dtype of a Go type.
func DTypeOf[T Element]() backend.DType {
	switch any(*new(T)).(type) {
	case bool:
		return backend.Bool
	case uint8:
		return backend.Uint8
	case int32:
		return backend.Int32
	case int64:
		return backend.Int64
	case float32:
		return backend.Float32
	}
	return backend.Float64
}

// FromSlice returns a tensor with a copy of data in row-major order. It panics if the shape has another number of elements.
func FromSlice[T Element](s *Stream, data []T, shape ...int) *Tensor {
	t := s.alloc("from slice", DTypeOf[T](), shape)
	if t.Len() != len(data) {
		panic(&Error{Op: "from slice", Reason: fmt.Sprintf("%d elements do not fill shape %s", len(data), shapeText(shape))})
	}
	t.upload(backend.AsBytes(data))
	return t
}

// FromBytes returns a tensor of any dtype from its elements in row-major order and the machine's byte order.
// That of the entries of package tensorio is little-endian: on another machine they must be swapped first.
func FromBytes(s *Stream, d backend.DType, data []byte, shape ...int) *Tensor {
	t := s.alloc("from bytes", d, shape)
	if t.Len()*d.Size() != len(data) {
		panic(&Error{Op: "from bytes", Reason: fmt.Sprintf("%d bytes do not fill %v%s", len(data), d, shapeText(shape))})
	}
	t.upload(data)
	return t
}

// upload fills a fresh contiguous tensor. A replay does not upload again, so while recording the data goes to memory that stays as it is,
// and a command that is replayed copies it.
func (t *Tensor) upload(data []byte) {
	s := t.stream
	if s.rec == nil {
		s.queue.Upload(t.block.buf, 0, data)
		return
	}
	c := s.rec.constant(t)
	s.queue.Upload(c.block.buf, 0, data)
	s.run1(backend.Cmd{Op: backend.Copy}, t, c)
}

// SetSlice overwrites the elements of dst, in row-major order, from the host: the way to feed a recorded step. dst must be contiguous.
func SetSlice[T Element](dst *Tensor, data []T) {
	s := streamOf("set", dst)
	switch {
	case dst.block.frozen:
		Fail("set", []*Tensor{dst}, "the tensor is frozen")
	case dst.DType() != DTypeOf[T]() || dst.Len() != len(data):
		Fail("set", []*Tensor{dst}, "cannot take %d elements of %v", len(data), DTypeOf[T]())
	case len(data) > 0 && !dst.view.IsContiguous():
		Fail("set", []*Tensor{dst}, "wants a contiguous tensor, not strides %v", dst.Strides())
	case s.rec != nil:
		Fail("set", []*Tensor{dst}, "the host cannot write while recording: a replay would not write again")
	}
	s.queue.Upload(dst.block.buf, dst.view.Offset*dst.view.DType.Size(), backend.AsBytes(data))
}

// Zeros returns a tensor of zeros.
func Zeros(s *Stream, d backend.DType, shape ...int) *Tensor { return Full(s, d, 0, shape...) }

// Ones returns a tensor of ones.
func Ones(s *Stream, d backend.DType, shape ...int) *Tensor { return Full(s, d, 1, shape...) }

// Full returns a tensor filled with a value, converted to d by the cast rules of package backend.
func Full(s *Stream, d backend.DType, value float64, shape ...int) *Tensor {
	t := s.alloc("full", d, shape)
	s.imm[0] = value
	s.dst[0] = t.view
	s.exec(backend.Cmd{Op: backend.Map, Prog: fillProgs[d], Imm: s.imm[:1], Dst: s.dst[:1]}, t)
	return t
}

// fillProgs store their parameter.
var fillProgs = func() (progs [backend.Float64 + 1]*backend.Prog) {
	for _, d := range backend.DTypes() {
		progs[d] = mustProg(nil, []backend.DType{d}, nil, []backend.Value{0})
	}
	return progs
}()

// Arange returns the integers 0, 1, …, n−1 as a tensor of shape (n).
func Arange(s *Stream, d backend.DType, n int) *Tensor {
	checkCount("arange", n)
	steps := make([]int64, n)
	for i := range steps {
		steps[i] = int64(i)
	}
	return fromHost(s, d, steps)
}

// ArangeStep returns the numbers lo, lo + step, lo + 2·step, … before hi as a tensor of one axis, each computed in float64 as lo + i·step and then
// cast. With a negative step they descend. There are ⌈(hi−lo)/step⌉ of them, none if hi lies the other way; a fraction as step can
// round that to one more than meant, so count with [Linspace] then.
func ArangeStep(s *Stream, d backend.DType, lo, hi, step float64) *Tensor {
	n := math.Ceil((hi - lo) / step)
	if step == 0 || math.IsNaN(n) || n > float64(maxElements) {
		Fail("arange", nil, "cannot make the steps of %v from %v to %v", step, lo, hi)
	}
	xs := make([]float64, max(int(n), 0))
	for i := range xs {
		xs[i] = lo + float64(float64(i)*step)
	}
	return fromHost(s, d, xs)
}

// Eye returns a matrix with ones on its diagonal and zeros elsewhere.
func Eye(s *Stream, d backend.DType, rows, columns int) *Tensor {
	eye := Zeros(s, d, rows, columns)
	s.Scope(func() { s.copyInto(Diagonal(eye, 0, 0, 1), Ones(s, d)) })
	return eye
}

// Linspace returns n numbers from lo to hi, both included, evenly spaced, each rounded once from float64.
func Linspace(s *Stream, d backend.DType, lo, hi float64, n int) *Tensor {
	checkCount("linspace", n)
	xs := make([]float64, n)
	for i := range xs {
		switch i {
		case 0:
			xs[i] = lo
		case n - 1:
			xs[i] = hi
		default:
			xs[i] = (float64(lo*float64(n-1-i)) + float64(hi*float64(i))) / float64(n-1)
		}
	}
	return fromHost(s, d, xs)
}

func checkCount(op string, n int) {
	if n < 0 {
		Fail(op, nil, "cannot make %d elements", n)
	}
}

// fromHost returns data as a tensor of one axis and dtype d.
func fromHost[T Element](s *Stream, d backend.DType, data []T) (t *Tensor) {
	s.Scope(func() { t = Cast(FromSlice(s, data, len(data)), d).Keep() })
	return t
}

// ToSlice returns the elements in row-major order. T must be the Go type of t's dtype. It waits for the stream and returns its error.
func ToSlice[T Element](t *Tensor) ([]T, error) {
	if t.DType() != DTypeOf[T]() {
		Fail("read", []*Tensor{t}, "cannot read as %v; Cast it first", DTypeOf[T]())
	}
	data := make([]T, t.Len())
	if err := t.download(backend.AsBytes(data)); err != nil {
		return nil, err
	}
	return data, nil
}

// Read copies the elements in row-major order to dst, which has as many and is of the Go type of the dtype.
func Read[T Element](dst []T, t *Tensor) error {
	if t.DType() != DTypeOf[T]() || t.Len() != len(dst) {
		Fail("read", []*Tensor{t}, "cannot be read into %d elements of %v", len(dst), DTypeOf[T]())
	}
	return t.download(backend.AsBytes(dst))
}

// Bytes returns the elements of any dtype in row-major order and the machine's byte order.
// The error is the stream's first, see Stream.Sync, or ErrRecording.
func (t *Tensor) Bytes() ([]byte, error) {
	data := make([]byte, t.Len()*t.DType().Size())
	if err := t.download(data); err != nil {
		return nil, err
	}
	return data, nil
}

// Float64s returns the elements, converted, in row-major order. Its errors are those of Bytes.
func (t *Tensor) Float64s() ([]float64, error) {
	s, err := t.reader()
	if err != nil {
		return nil, err
	}
	var data []float64
	s.Scope(func() { data, err = ToSlice[float64](Cast(t, backend.Float64)) })
	return data, err
}

// Item returns the one element of t, converted. Its errors are those of Bytes; more elements than one panic with an *Error.
func (t *Tensor) Item() (float64, error) {
	if t.Len() != 1 {
		Fail("item", []*Tensor{t}, "wants one element")
	}
	s, err := t.reader()
	if err != nil {
		return 0, err
	}
	word := s.imm[:1] // of the stream's own, so that reading a loss each step allocates nothing
	s.Scope(func() { err = Cast(t, backend.Float64).download(backend.AsBytes(word)) })
	return word[0], err
}

// reader returns the stream through which t is read.
func (t *Tensor) reader() (*Stream, error) {
	t.live("read")
	if t.stream == nil {
		Fail("read", []*Tensor{t}, "the tensor is frozen; bind it to a stream with Stream.Use")
	}
	if t.stream.rec != nil {
		return nil, &Error{Op: "read", Err: ErrRecording}
	}
	return t.stream, nil
}

func (t *Tensor) download(data []byte) error {
	s, err := t.reader()
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return s.Sync()
	}
	if t.view.IsContiguous() {
		return s.queue.Download(data, t.block.buf, t.view.Offset*t.DType().Size())
	}
	s.Scope(func() {
		c := Contiguous(t)
		err = s.queue.Download(data, c.block.buf, 0)
	})
	return err
}
