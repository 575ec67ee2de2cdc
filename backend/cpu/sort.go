package cpu

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

// sorting is the state of a Sort. The nest runs over the lanes, the places along the other axes; its operands are the values, the positions
// and the source.
type sorting struct {
	nest                nest
	values, where, from backend.View
	axis                int
	descending          bool
}

func (s *stream) sort(c *backend.Cmd) error {
	p := &s.sorting
	p.values, p.where, p.from, p.axis, p.descending = c.Dst[0], c.Dst[1], c.Src[0], c.Axis, c.Descending
	n := p.from.Len()
	if n == 0 {
		return nil
	}
	values, where, from := p.values, p.where, p.from
	values.Dims[c.Axis], where.Dims[c.Axis], from.Dims[c.Axis] = 1, 1, 1
	p.nest.reset(&values, &where, &from)
	err := s.run(p, p.nest.len(), 60*n)
	p.values, p.where, p.from = backend.View{}, backend.View{}, backend.View{}
	return err
}

func (p *sorting) do(_, lane int) {
	switch p.from.DType {
	case backend.Bool, backend.Uint8:
		sortLane(p, lane, same[uint8])
	case backend.Int32:
		sortLane(p, lane, same[int32])
	case backend.Int64:
		sortLane(p, lane, same[int64])
	case backend.Float32:
		sortLane(p, lane, same[float32])
	case backend.Float64:
		sortLane(p, lane, same[float64])
	case backend.Float16:
		sortLane(p, lane, f16.float)
	case backend.BFloat16:
		sortLane(p, lane, bf16.float)
	}
}

// item is an element to sort. Its position breaks ties, so a sort that is not stable sorts stably.
type item[T any, A number] struct {
	stored   T
	key      A
	position int64
}

func sortLane[T any, A number](p *sorting, lane int, load func(T) A) {
	values, where, from := elements[T](&p.values), elements[int64](&p.where), elements[T](&p.from)
	var at cursor
	at.seek(&p.nest, lane)
	items := make([]item[T, A], p.from.Dims[p.axis])
	base, stride := p.from.Offset+at.offset(&p.nest, 2), p.from.Strides[p.axis]
	for i := range items {
		x := from[base+i*stride]
		items[i] = item[T, A]{x, load(x), int64(i)}
	}
	slices.SortFunc(items, order[T, A](p.descending))
	v, w := p.values.Offset+at.offset(&p.nest, 0), p.where.Offset+at.offset(&p.nest, 1)
	for i, x := range items {
		values[v+i*p.values.Strides[p.axis]] = x.stored
		where[w+i*p.where.Strides[p.axis]] = x.position
	}
}

// order compares by key, NaN last in either direction, then by position.
func order[T any, A number](descending bool) func(x, y item[T, A]) int {
	up := -1
	if descending {
		up = 1
	}
	return func(x, y item[T, A]) int {
		xNaN, yNaN := x.key != x.key, y.key != y.key
		switch {
		case x.key < y.key:
			return up
		case x.key > y.key:
			return -up
		case xNaN != yNaN && yNaN:
			return -1
		case xNaN != yNaN:
			return 1
		}
		return int(x.position - y.position)
	}
}
