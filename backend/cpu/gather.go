package cpu

import (
	"fmt"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
)

// pickChunk is the number of elements a worker gathers at a time.
const pickChunk = 1 << 14

// picking is the state of a Gather. The nest runs over the destination; its operands are the destination, the index and the table,
// whose stride along the axis is taken out: the index gives it.
type picking struct {
	nest              nest
	dst, table, index backend.View
	axis, dim, stride int
	badIndex
}

// badIndex keeps the first index that is out of range, in row-major order.
type badIndex struct {
	value atomic.Pointer[outOfRange]
}

type outOfRange struct {
	place int // in row-major order
	index int64
}

func (b *badIndex) note(place int, index int64) {
	bad := &outOfRange{place, index}
	for {
		old := b.value.Load()
		if old != nil && old.place <= place || b.value.CompareAndSwap(old, bad) {
			return
		}
	}
}

// take returns the error that says what was noted, and forgets it.
func (b *badIndex) take(axis, dim int) error {
	bad := b.value.Swap(nil)
	if bad == nil {
		return nil
	}
	return fmt.Errorf("index %d is out of range for axis %d of length %d", bad.index, axis, dim)
}

func (s *stream) gather(c *backend.Cmd) error {
	p := &s.picking
	p.dst, p.table, p.index = c.Dst[0], c.Src[0], c.Src[1]
	p.axis, p.dim, p.stride = c.Axis, p.table.Dims[c.Axis], p.table.Strides[c.Axis]
	walked := p.table
	walked.Strides[c.Axis] = 0
	p.nest.reset(&p.dst, &p.index, &walked)
	n := p.nest.len()
	if n == 0 {
		return nil
	}
	err := s.run(p, (n+pickChunk-1)/pickChunk, 2*n)
	p.dst, p.table, p.index = backend.View{}, backend.View{}, backend.View{}
	if bad := p.take(p.axis, p.dim); bad != nil {
		return bad
	}
	return err
}

func (p *picking) do(_, chunk int) {
	switch p.dst.DType.Size() {
	case 1:
		pick[uint8](p, chunk)
	case 2:
		pick[uint16](p, chunk)
	case 4:
		pick[uint32](p, chunk)
	case 8:
		pick[uint64](p, chunk)
	}
}

func pick[T any](p *picking, chunk int) {
	dst, table, index := elements[T](&p.dst), elements[T](&p.table), elements[int64](&p.index)
	n, in := &p.nest, p.nest.rank-1
	stride := [3]int{n.strides[0][in], n.strides[1][in], n.strides[2][in]}
	lo := chunk * pickChunk
	left := min(pickChunk, n.len()-lo)
	var at cursor
	for at.seek(n, lo); left > 0; {
		run := min(at.run(n), left)
		d, x := p.dst.Offset+at.offset(n, 0), p.index.Offset+at.offset(n, 1)
		t := p.table.Offset + at.offset(n, 2)
		if stride[1] == 0 {
			i := index[x]
			if uint64(i) >= uint64(p.dim) {
				p.note(lo, i)
				return
			}
			copyRun(dst, table, d, t+int(i)*p.stride, stride[0], stride[2], run)
		} else {
			for k := range run {
				i := index[x+k*stride[1]]
				if uint64(i) >= uint64(p.dim) {
					p.note(lo+k, i)
					return
				}
				dst[d+k*stride[0]] = table[t+k*stride[2]+int(i)*p.stride]
			}
		}
		at.skip(n, run)
		lo += run
		left -= run
	}
}
