package tensor

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
)

// Device is an opened device. Its methods may be called from any goroutine.
type Device struct {
	dev   backend.Device
	debug Debug
	moved atomic.Int64 // open recordings of tensors that got their memory after they were made
}

// Open opens a device by name: "cpu", "cuda:1", or "" for the best CPU backend that the program imports. The environment variable
// WEIR_DEBUG names its debug modes; see [Debug]. Its errors are those of backend.Open, and that of another mode.
func Open(name string, o backend.Options) (*Device, error) {
	debug, err := debugFromEnvironment()
	if err != nil {
		return nil, err
	}
	d, err := backend.Open(name, o)
	if err != nil {
		return nil, err
	}
	return &Device{dev: d, debug: debug}, nil
}

// NewDevice wraps a backend's device that the caller opened.
func NewDevice(d backend.Device) *Device { return &Device{dev: d} }

// Name returns the name that opens the device.
func (d *Device) Name() string { return d.dev.Name() }

// SetDebug sets the debug modes of streams that the device makes from now on. Unlike the other methods it must not be called while another
// goroutine uses the device.
func (d *Device) SetDebug(m Debug) { d.debug = m }

// Close frees the device. Its streams must be closed.
func (d *Device) Close() error { return d.dev.Close() }

// NewStream returns a stream of the device. Its error is the device's, as of one that is lost.
func (d *Device) NewStream() (*Stream, error) {
	q, err := d.dev.NewStream()
	if err != nil {
		return nil, err
	}
	s := &Stream{dev: d, queue: q}
	if d.debug.Leaks {
		s.leaks = newLeakWatch()
	}
	s.pool = s.newPool()
	return s, nil
}

// Stream executes operations in order and owns the tensors they make. It belongs to one goroutine at a time: to share weights
// between goroutines, [Tensor.Freeze] them and give each goroutine its own stream.
//
// An operation runs on the stream of its operands. Its errors that depend on data, like an index out of range, are found when
// a value is read, or by [Stream.Sync]; the first one stands for all.
type Stream struct {
	dev   *Device
	queue backend.Stream
	pool  *pool
	scope *scope
	spare *scope   // ended ones, for reuse
	slab  []header // unused
	views []Tensor // likewise
	rec   *Recording
	guard *guard     // what may end operations; nil for nothing
	leaks *leakWatch // nil unless looked for
	draws *Draws     // who remembers generators; nil for nobody

	// The command being executed. A stream executes one at a time, so an eager operation allocates none.
	cmd [1]backend.Cmd
	dst [4]backend.View
	src [8]backend.View
	imm [8]float64
}

// Device returns the stream's device.
func (s *Stream) Device() *Device { return s.dev }

// Sync waits for all operations and returns the first failure.
func (s *Stream) Sync() error { return s.queue.Sync() }

// Close waits for all operations and frees the stream and its memory. Tensors it made, frozen ones excepted, cannot be used
// afterwards. The error names the scopes that are still open, and what [Debug] found.
func (s *Stream) Close() error {
	var err error
	for _, found := range [...]error{s.queue.Close(), s.openScopes(), s.leaks.report()} {
		switch {
		case err == nil:
			err = found
		case found != nil:
			err = fmt.Errorf("%w; %w", err, found)
		}
	}
	s.pool.close()
	return err
}

// exec executes one command on operands that begin with the destinations, and keeps a copy while recording, which may defer it.
func (s *Stream) exec(c backend.Cmd, operands ...*Tensor) {
	s.proceed(c.Op.String())
	s.cmd[0] = c
	if s.dev.moved.Load() > 0 {
		follow(&s.cmd[0], operands)
	}
	if s.rec != nil {
		s.rec.keep(&s.cmd[0], operands)
		if s.rec.Deferred() {
			return
		}
	}
	s.queue.Exec(s.cmd[:])
}

// run executes a command with any number of operands.
func (s *Stream) run(c backend.Cmd, dst []*Tensor, src []*Tensor) {
	c.Dst, c.Src = s.dst[:0], s.src[:0]
	for _, t := range dst {
		c.Dst = append(c.Dst, t.view)
	}
	for _, t := range src {
		c.Src = append(c.Src, t.view)
	}
	s.exec(c, slices.Concat(dst, src)...)
}

// run1 executes a command with one destination and one source.
func (s *Stream) run1(c backend.Cmd, dst, src *Tensor) {
	s.dst[0], s.src[0] = dst.view, src.view
	c.Dst, c.Src = s.dst[:1], s.src[:1]
	s.exec(c, dst, src)
}

// run2 executes a command with one destination and two sources.
func (s *Stream) run2(c backend.Cmd, dst, a, b *Tensor) {
	s.dst[0], s.src[0], s.src[1] = dst.view, a.view, b.view
	c.Dst, c.Src = s.dst[:1], s.src[:2]
	s.exec(c, dst, a, b)
}

// streamOf returns the stream that the operation runs on: the one of all operands that are not frozen.
func streamOf(op string, xs ...*Tensor) *Stream {
	if len(xs) == 0 {
		Fail(op, nil, "wants at least one operand")
	}
	var s *Stream
	for _, x := range xs {
		x.live(op)
		switch {
		case x.stream == nil || x.stream == s:
		case s == nil:
			s = x.stream
		default:
			Fail(op, xs, "the operands belong to different streams; freeze the shared one")
		}
	}
	if s == nil {
		Fail(op, xs, "every operand is frozen; bind one to a stream with Stream.Use")
	}
	for _, x := range xs {
		if x.stream == nil && x.block.pool.dev != s.dev.dev {
			Fail(op, xs, "the operands lie on devices %s and %s", s.dev.Name(), x.block.pool.dev.Name())
		}
	}
	return s
}

// alloc returns a tensor with undefined contents.
func (s *Stream) alloc(op string, d backend.DType, shape []int) *Tensor {
	if d == backend.Invalid || d > backend.Float64 {
		Fail(op, nil, "wants one of the dtypes %v", backend.DTypes())
	}
	if why := badShape(shape); why != "" {
		Fail(op, nil, "shape %s %s", shapeText(shape), why)
	}
	bytes := size(shape) * d.Size()
	buf, err := s.pool.get(bytes)
	if err != nil {
		panic(&Error{Op: op, Reason: fmt.Sprintf("cannot hold %v%s", d, shapeText(shape)), Err: err})
	}
	h := s.newHeader(bytes)
	h.block.buf, h.block.pool = buf, s.pool
	t := &h.tensor
	t.stream, t.block = s, &h.block
	t.view.Buf, t.view.DType, t.view.Rank = buf, d, len(shape)
	stride := 1
	for i := len(shape) - 1; i >= 0; i-- {
		t.view.Dims[i], t.view.Strides[i] = shape[i], stride
		stride *= max(shape[i], 1)
	}
	s.own(&h.block)
	if s.rec != nil && s.rec.Deferred() {
		s.rec.phantoms.made = append(s.rec.phantoms.made, &h.block)
	}
	return t
}

// badShape says why no tensor can have that shape, or "".
func badShape(shape []int) string {
	if len(shape) > backend.MaxRank {
		return fmt.Sprintf("has %d axes; the limit is %d", len(shape), backend.MaxRank)
	}
	n := 1
	for i, dim := range shape {
		switch {
		case dim < 0:
			return fmt.Sprintf("has a negative dimension on axis %d", i)
		case dim > 0 && n > maxElements/dim:
			return "has too many elements"
		}
		n *= max(dim, 1)
	}
	return ""
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// maxElements keeps byte counts within an int.
const maxElements = int(^uint(0)>>1) / 8
