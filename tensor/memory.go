package tensor

import (
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
)

// block is the memory that a tensor and its views share.
type block struct {
	buf      *backend.Buffer
	pool     *pool
	released bool
	frozen   bool // any stream may be reading it
	cleanup  runtime.Cleanup
}

func (b *block) release() {
	if b.released {
		return
	}
	b.released = true
	b.cleanup.Stop()
	if b.frozen {
		b.pool.dev.Free(b.buf)
		return
	}
	b.pool.put(b.buf)
}

// freeze takes the block out of the order of its stream: other streams may have queued reads of it, which the device waits for
// when it frees a buffer, and a pool does not when it reuses one.
func (b *block) freeze() {
	if b.frozen {
		return
	}
	b.frozen = true
	b.cleanup.Stop()
	b.cleanup = runtime.AddCleanup(b, b.pool.dev.Free, b.buf)
}

// scope lists the blocks that were made since it began.
type scope struct {
	outer  *scope
	blocks []*block
}

// own gives the block to the innermost scope, or to the recording under way, or else to whoever holds the tensor: then the garbage
// collector returns it to the pool, by way of a queue, unless it is released first.
func (s *Stream) own(b *block) {
	switch {
	case s.scope != nil:
		s.scope.blocks = append(s.scope.blocks, b)
	case s.rec != nil:
		s.rec.blocks = append(s.rec.blocks, b)
	default:
		b.cleanup = runtime.AddCleanup(b, b.pool.bury, b.buf)
	}
}

// Scope calls f and then releases every tensor that was made on the stream meanwhile, but those that f passed to
// [Tensor.Keep]. It also does so when f panics. Scopes nest.
func (s *Stream) Scope(f func()) {
	defer s.endScope(s.beginScope())
	f()
}

func (s *Stream) beginScope() *scope {
	inner := s.spare
	if inner == nil {
		inner = &scope{}
	}
	s.spare = inner.outer
	inner.outer, s.scope = s.scope, inner
	return inner
}

// endScope leaves the emptied scope to a later one, so that a loop of scopes allocates none.
func (s *Stream) endScope(inner *scope) {
	s.scope = inner.outer
	for _, b := range inner.blocks {
		b.release()
	}
	clear(inner.blocks)
	inner.outer, inner.blocks = s.spare, inner.blocks[:0]
	s.spare = inner
}

// Keep moves the tensor from the innermost scope to the one around it, and returns it. Views share the fate of their tensor.
// Outside of its own scope it does nothing.
func (t *Tensor) Keep() *Tensor {
	t.live("keep")
	s := t.stream
	if s == nil || s.scope == nil {
		return t
	}
	i := slices.Index(s.scope.blocks, t.block)
	if i < 0 {
		return t
	}
	inner := s.scope
	inner.blocks = slices.Delete(inner.blocks, i, i+1)
	s.scope = inner.outer
	s.own(t.block)
	s.scope = inner
	return t
}

// Release gives the memory back at once. The tensor and its views cannot be used afterwards. Releasing twice is harmless.
func (t *Tensor) Release() { t.block.release() }

// pool keeps the buffers of one stream, or of one recording, for reuse. Reuse needs no waiting because a stream executes in
// order.
type pool struct {
	dev  backend.Device
	free map[int][]*backend.Buffer // by size class
	idle *pool                     // whose unused memory goes back when the device has none left: a replay needs a recording's

	// Buffers of tensors that the collector found unreachable. Its goroutine only queues them; the stream's owner takes them.
	anyDead atomic.Bool
	mu      sync.Mutex
	dead    []*backend.Buffer
	closed  bool
}

func newPool(d backend.Device) *pool {
	p := &pool{dev: d, free: map[int][]*backend.Buffer{}}
	p.idle = p
	return p
}

func (p *pool) get(size int) (*backend.Buffer, error) {
	if p.anyDead.Load() {
		p.exhume()
	}
	class := sizeClass(size)
	if bufs := p.free[class]; len(bufs) > 0 {
		buf := bufs[len(bufs)-1]
		p.free[class] = bufs[:len(bufs)-1]
		return buf, nil
	}
	return p.fresh(class)
}

// fresh returns memory that the pool has not lent before.
func (p *pool) fresh(class int) (*backend.Buffer, error) {
	buf, err := p.dev.Alloc(class)
	if err == nil || len(p.idle.free) == 0 {
		return buf, err
	}
	p.idle.trim()
	return p.dev.Alloc(class)
}

func (p *pool) put(buf *backend.Buffer) {
	if p.closed {
		p.dev.Free(buf)
		return
	}
	p.free[buf.Size] = append(p.free[buf.Size], buf)
}

// bury queues a buffer whose tensor is unreachable.
func (p *pool) bury(buf *backend.Buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.dev.Free(buf)
		return
	}
	p.dead = append(p.dead, buf)
	p.anyDead.Store(true)
}

func (p *pool) exhume() {
	p.mu.Lock()
	dead := p.dead
	p.dead = nil
	p.anyDead.Store(false)
	p.mu.Unlock()
	for _, buf := range dead {
		p.put(buf)
	}
}

// trim gives unused memory back to the device.
func (p *pool) trim() {
	for _, bufs := range p.free {
		for _, buf := range bufs {
			p.dev.Free(buf)
		}
	}
	clear(p.free)
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true // from here on the collector's goroutine queues no more
	p.mu.Unlock()
	p.exhume()
	p.trim()
}

// sizeClass rounds up so that at most an eighth is wasted on large blocks, and at least to 64 bytes.
func sizeClass(size int) int {
	if size <= 512 {
		return max(64, (size+63)&^63)
	}
	step := 1 << (bits.Len(uint(size-1)) - 4)
	return (size + step - 1) &^ (step - 1)
}
