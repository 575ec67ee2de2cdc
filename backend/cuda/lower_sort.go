package cuda

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/weir-ml/weir/backend"
)

// sortParams has the layout of Sort in kernels/sort.cu, which says what it means.
type sortParams struct {
	src, items, values, where           uint64
	fault, command                      uint64
	rows, lanes, n, tiles               int64
	valueStride, whereStride, srcStride int64
	segment, bits                       int32
	descending, finish                  int32
	lane                                nest
}

// mergeParams has the layout of Merge in kernels/sort.cu.
type mergeParams struct {
	from, to      uint64
	n, run, tiles int64
}

const (
	sortTile     = 1024
	sortThreads  = 256
	finishBlocks = 1 << 16
)

func lowerSort(b *batch, c *backend.Cmd) {
	values, where, src := &c.Dst[0], &c.Dst[1], &c.Src[0]
	if src.Len() == 0 {
		return
	}
	p := sortParams{
		src: address(src), values: address(values), where: address(where),
		n: int64(src.Dims[c.Axis]), lane: nestOf(c.Axis, values, where, src),
		valueStride: int64(values.Strides[c.Axis]), whereStride: int64(where.Strides[c.Axis]), srcStride: int64(src.Strides[c.Axis]),
	}
	if c.Descending {
		p.descending = 1
	}
	size := src.DType.Size()
	pairs := size == 8 // a key of 64 bits leaves no room for the position
	if key := 8 * size; !pairs && !p.pack(key) {
		b.fail(fmt.Errorf("%v: positions beyond 2³² are not supported", c))
		return
	}
	kernel := "sort_" + suffixes[src.DType]
	if p.n <= sortTile {
		p.finish = 1
		p.tile(b, launch{kernel: kernel})
		return
	}
	p.sortItems(b, launch{kernel: kernel}, pairs)
	count := p.lanes * p.n
	add(b, launch{kernel: "sort_finish_b" + strconv.Itoa(size), grid: covering(count, sortThreads, finishBlocks), block: [3]uint32{sortThreads}}, &p)
}

// pack lays out items of one word, which a key of that many bits and the position share. It reports whether there is room for them.
func (p *sortParams) pack(key int) bool {
	p.bits = int32(bits.Len64(uint64(p.n - 1)))
	return key+int(p.bits) <= 64
}

// tile launches the sort of tiles.
func (p *sortParams) tile(b *batch, l launch) {
	p.lanes = p.lane.len()
	p.segment, p.tiles = int32(above(p.n, sortTile)), ratio(p.n, sortTile)
	lanes := sortTile / int64(p.segment) // of a tile
	l.grid, l.block = line(ratio(p.lanes, lanes)*p.tiles), [3]uint32{sortThreads}
	add(b, l, p)
}

// sortItems leaves all items sorted by lane at p.items.
func (p *sortParams) sortItems(b *batch, l launch, pairs bool) {
	size, kernel := 8, "merge_packed"
	if pairs {
		size, kernel = 16, "merge_pairs"
	}
	bytes := int(p.lane.len()*p.n) * size
	p.items = b.scratch(bytes)
	p.tile(b, l)
	if p.tiles == 1 {
		return
	}
	m := mergeParams{from: p.items, to: b.scratch(bytes), n: p.n, tiles: p.tiles}
	for m.run = sortTile; m.run < p.n; m.run *= 2 {
		add(b, launch{kernel: kernel, grid: line(p.lanes * p.tiles), block: [3]uint32{sortThreads}, guarded: true}, &m)
		m.from, m.to = m.to, m.from
	}
	p.items = m.from
}
