package tensor

import (
	"errors"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
)

// pool keeps the buffers of one stream, or of one recording, for reuse. Reuse needs no waiting because a stream executes in
// order.
type pool struct {
	dev    backend.Device
	free   [][]*backend.Buffer   // by number of the size class
	idle   *pool                 // whose unused memory goes back when the device has none left: a replay needs a recording's
	poison func(*backend.Buffer) // overwrites what is released, in the order of the stream; nil for none
	watch  *leakWatch            // nil for none

	// Buffers of tensors that the collector found unreachable. Its goroutine only queues them; the stream's owner takes them.
	anyDead atomic.Bool
	mu      sync.Mutex
	dead    []*backend.Buffer
	closed  bool
}

func newPool(d backend.Device) *pool {
	p := &pool{dev: d}
	p.idle = p
	return p
}

func (p *pool) get(size int) (*backend.Buffer, error) {
	if p.anyDead.Load() {
		p.exhume()
	}
	class := sizeClass(size)
	if i := classNumber(class); i < len(p.free) && len(p.free[i]) > 0 {
		last := len(p.free[i]) - 1
		buf := p.free[i][last]
		p.free[i] = p.free[i][:last]
		return buf, nil
	}
	return p.fresh(class)
}

// fresh returns memory that the pool has not lent before.
func (p *pool) fresh(class int) (*backend.Buffer, error) {
	buf, err := p.dev.Alloc(class)
	if !errors.Is(err, backend.ErrOutOfMemory) || len(p.idle.free) == 0 {
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
	if p.poison != nil {
		p.poison(buf)
	}
	i := classNumber(buf.Size)
	for i >= len(p.free) {
		p.free = append(p.free, nil)
	}
	p.free[i] = append(p.free[i], buf)
}

// bury queues a buffer whose tensor is unreachable.
func (p *pool) bury(buf *backend.Buffer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch.collected(buf)
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
	p.free = nil
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true // from here on the collector's goroutine queues no more
	p.mu.Unlock()
	p.exhume()
	p.trim()
}

// smallMemory is the size up to which classes are 64 bytes apart.
const smallMemory = 512

// sizeClass rounds up so that at most an eighth is wasted on large blocks, and at least to 64 bytes.
func sizeClass(size int) int {
	if size <= smallMemory {
		return max(64, (size+63)&^63)
	}
	step := 1 << (bits.Len(uint(size-1)) - 4)
	return (size + step - 1) &^ (step - 1)
}

// classNumber counts the size classes from 0, in order.
func classNumber(class int) int {
	if class <= smallMemory {
		return class/64 - 1
	}
	length := bits.Len(uint(class - 1))
	return 8*(length-9) + (class-1)>>(length-4) - 8
}
