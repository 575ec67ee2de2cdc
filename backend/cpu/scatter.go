package cpu

import "github.com/weir-ml/weir/backend"

// addLanes is the number of neighbouring lanes that a worker adds to at a time.
const addLanes = 1 << 10

// adding is the state of a ScatterAdd. A lane is a place along the axes other than the summed one: lanes are shared between workers, and
// within one items are added in their order. The nest runs over the lanes; its operands are the table, the items and the index.
type adding struct {
	nest                nest
	table, items, index backend.View
	axis                int
	scratch             [][]uint64 // by worker: sums of halves
	badIndex
}

func (s *stream) scatterAdd(c *backend.Cmd) error {
	p := &s.adding
	p.table, p.items, p.index, p.axis = c.Dst[0], c.Src[0], c.Src[1], c.Axis
	table, items, index := p.table, p.items, p.index
	table.Dims[c.Axis], items.Dims[c.Axis], index.Dims[c.Axis] = 1, 1, 1
	p.nest.reset(&table, &items, &index)
	n := p.items.Len()
	if n == 0 {
		return nil
	}
	err := s.run(p, p.chunks(), 3*n)
	p.table, p.items, p.index = backend.View{}, backend.View{}, backend.View{}
	if bad := p.take(p.axis, c.Dst[0].Dims[c.Axis]); bad != nil {
		return bad
	}
	return err
}

// width returns how many lanes of the innermost axis are a chunk; chunks do not cross it.
func (p *adding) width() int { return min(addLanes, p.nest.dims[p.nest.rank-1]) }

func (p *adding) chunks() int {
	in := p.nest.dims[p.nest.rank-1]
	return p.nest.len() / in * ((in + p.width() - 1) / p.width())
}

func (p *adding) do(worker, chunk int) {
	switch p.table.DType {
	case backend.Uint8:
		addTo[uint8](p, chunk)
	case backend.Int32:
		addTo[int32](p, chunk)
	case backend.Int64:
		addTo[int64](p, chunk)
	case backend.Float32:
		addTo[float32](p, chunk)
	case backend.Float64:
		addTo[float64](p, chunk)
	case backend.Float16:
		addHalves(p, &p.scratch[worker], chunk, f16.float, toF16)
	case backend.BFloat16:
		addHalves(p, &p.scratch[worker], chunk, bf16.float, toBF16)
	}
}

// lanesOf returns where a chunk of lanes is in each operand, and how many it has.
func (p *adding) lanesOf(chunk int) (at [3]int, lanes int) {
	in := p.nest.dims[p.nest.rank-1]
	perRow := (in + p.width() - 1) / p.width()
	lo := chunk % perRow * p.width()
	var c cursor
	c.seek(&p.nest, chunk/perRow*in+lo)
	for i, v := range [...]*backend.View{&p.table, &p.items, &p.index} {
		at[i] = v.Offset + c.offset(&p.nest, i)
	}
	return at, min(p.width(), in-lo)
}

func addTo[T number](p *adding, chunk int) {
	table, items := elements[T](&p.table), elements[T](&p.items)
	at, lanes := p.lanesOf(chunk)
	in := p.nest.rank - 1
	p.eachRow(chunk, at, lanes, func(lane, n, row, item int) {
		t := at[0] + row*p.table.Strides[p.axis] + lane*p.nest.strides[0][in]
		i := at[1] + item*p.items.Strides[p.axis] + lane*p.nest.strides[1][in]
		addRun(table, items, t, i, p.nest.strides[0][in], p.nest.strides[1][in], n)
	})
}

func addRun[T number](dst, src []T, d, s, dstStride, srcStride, n int) {
	if dstStride == 1 && srcStride == 1 {
		x := src[s : s+n]
		for i, v := range dst[d : d+n] {
			dst[d+i] = v + x[i]
		}
		return
	}
	for range n {
		dst[d] += src[s]
		d += dstStride
		s += srcStride
	}
}

// addHalves carries the sums of its lanes in float32 and rounds them once.
func addHalves[T any](p *adding, memory *[]uint64, chunk int, load func(T) float32, round func(float32) T) {
	table, items := elements[T](&p.table), elements[T](&p.items)
	at, lanes := p.lanesOf(chunk)
	in := p.nest.rank - 1
	rows, down, across := p.table.Dims[p.axis], p.table.Strides[p.axis], p.nest.strides[0][in]
	sums := words[float32](memory, rows*lanes)
	for r := range rows {
		for l := range lanes {
			sums[r*lanes+l] = load(table[at[0]+r*down+l*across])
		}
	}
	p.eachRow(chunk, at, lanes, func(lane, n, row, item int) {
		i := at[1] + item*p.items.Strides[p.axis] + lane*p.nest.strides[1][in]
		for l := range n {
			sums[row*lanes+lane+l] += load(items[i+l*p.nest.strides[1][in]])
		}
	})
	for r := range rows {
		for l := range lanes {
			table[at[0]+r*down+l*across] = round(sums[r*lanes+l])
		}
	}
}

// eachRow calls add for the items of a chunk of lanes in their order: n lanes from lane on of that item go to that row of the table. An
// index that does not vary over the lanes is read once.
func (p *adding) eachRow(chunk int, at [3]int, lanes int, add func(lane, n, row, item int)) {
	index := elements[int64](&p.index)
	step, n := p.nest.strides[2][p.nest.rank-1], 1
	if step == 0 {
		n = lanes
	}
	for item := range p.items.Dims[p.axis] {
		x := at[2] + item*p.index.Strides[p.axis]
		for lane := 0; lane < lanes; lane += n {
			row := index[x+lane*step]
			if uint64(row) >= uint64(p.table.Dims[p.axis]) {
				p.note(item*p.chunks()+chunk, row)
				return
			}
			add(lane, n, int(row), item)
		}
	}
}
