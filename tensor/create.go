package tensor

import (
	"fmt"

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
func FromBytes(s *Stream, d backend.DType, data []byte, shape ...int) *Tensor {
	t := s.alloc("from bytes", d, shape)
	if t.Len()*d.Size() != len(data) {
		panic(&Error{Op: "from bytes", Reason: fmt.Sprintf("%d bytes do not fill %v%s", len(data), d, shapeText(shape))})
	}
	t.upload(data)
	return t
}

// upload fills a fresh contiguous tensor. Such memory is not reused while recording, because a replay does not upload again.
func (t *Tensor) upload(data []byte) {
	t.block.pinned = t.stream.rec != nil
	t.stream.queue.Upload(t.block.buf, t.view.Offset*t.view.DType.Size(), data)
}

// SetSlice overwrites the elements of dst, in row-major order, from the host: the way to feed a recorded step. dst must be contiguous.
func SetSlice[T Element](dst *Tensor, data []T) {
	s := streamOf("set", dst)
	if dst.DType() != DTypeOf[T]() || dst.Len() != len(data) || !dst.view.IsContiguous() {
		Fail("set", []*Tensor{dst}, "cannot take %d elements of %v", len(data), DTypeOf[T]())
	}
	if s.rec != nil {
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
	steps := make([]int64, n)
	for i := range steps {
		steps[i] = int64(i)
	}
	return Cast(FromSlice(s, steps, n), d)
}

// Linspace returns n numbers from lo to hi, both included, evenly spaced, each rounded once from float64.
func Linspace(s *Stream, d backend.DType, lo, hi float64, n int) *Tensor {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = lo
		if n > 1 {
			xs[i] = (lo*float64(n-1-i) + hi*float64(i)) / float64(n-1)
		}
	}
	return Cast(FromSlice(s, xs, n), d)
}

// ToSlice returns the elements in row-major order. T must be the Go type of t's dtype. It waits for the stream and returns its error.
func ToSlice[T Element](t *Tensor) ([]T, error) {
	if t.DType() != DTypeOf[T]() {
		Fail("read", []*Tensor{t}, "cannot read as %v; Cast it first", DTypeOf[T]())
	}
	data := make([]T, t.Len())
	return data, t.download(backend.AsBytes(data))
}

// Bytes returns the elements of any dtype in row-major order and the machine's byte order.
func (t *Tensor) Bytes() ([]byte, error) {
	data := make([]byte, t.Len()*t.DType().Size())
	return data, t.download(data)
}

// Float64s returns the elements, converted, in row-major order.
func (t *Tensor) Float64s() ([]float64, error) {
	data := make([]float64, t.Len())
	if t.DType() == backend.Float64 {
		return data, t.download(backend.AsBytes(data))
	}
	s := t.reader("read")
	var err error
	s.Scope(func() { err = Cast(s.Use(t), backend.Float64).download(backend.AsBytes(data)) })
	return data, err
}

// Item returns the one element of t, converted.
func (t *Tensor) Item() (float64, error) {
	if t.Len() != 1 {
		Fail("item", []*Tensor{t}, "wants one element")
	}
	data, err := t.Float64s()
	return data[0], err
}

// reader returns the stream through which t is read.
func (t *Tensor) reader(op string) *Stream {
	t.live(op)
	if t.stream == nil {
		Fail(op, []*Tensor{t}, "the tensor is frozen; bind it to a stream with Stream.Use")
	}
	return t.stream
}

func (t *Tensor) download(data []byte) error {
	s := t.reader("read")
	if s.rec != nil {
		return &Error{Op: "read", Err: ErrRecording}
	}
	if len(data) == 0 {
		return s.Sync()
	}
	if t.view.IsContiguous() {
		return s.queue.Download(data, t.block.buf, t.view.Offset*t.DType().Size())
	}
	var err error
	s.Scope(func() {
		c := Contiguous(t)
		err = s.queue.Download(data, c.block.buf, 0)
	})
	return err
}
