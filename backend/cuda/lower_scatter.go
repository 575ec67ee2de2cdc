package cuda

import (
	"fmt"
	"math/bits"

	"github.com/weir-ml/weir/backend"
)

// scatterParams has the layout of Scatter in kernels/scatter.cu, which says what it means.
type scatterParams struct {
	table, items, sorted  uint64
	count, n, width       int64
	rowStride, itemStride int64
	bits                  int64
	lane, beside          nest
}

// fewParams has the layout of Few in kernels/scatter.cu.
type fewParams struct {
	table, items, index   uint64
	fault, command        uint64
	lanes, n, rows        int64
	rowStride, itemStride int64
	indexStride           int64
	lane                  nest
}

// mostUnsorted is the number of items of a lane up to which each is compared with the others.
const mostUnsorted = 8

const scatterThreads = 128

func lowerScatterAdd(b *batch, c *backend.Cmd) {
	items := &c.Src[0]
	switch {
	case items.Len() == 0:
	case items.Dims[c.Axis] <= mostUnsorted:
		scatterFew(b, c)
	default:
		scatterSorted(b, c)
	}
}

func scatterFew(b *batch, c *backend.Cmd) {
	table, items, index := &c.Dst[0], &c.Src[0], &c.Src[1]
	p := fewParams{
		table: address(table), items: address(items), index: address(index),
		n: int64(items.Dims[c.Axis]), rows: int64(table.Dims[c.Axis]),
		rowStride: int64(table.Strides[c.Axis]), itemStride: int64(items.Strides[c.Axis]), indexStride: int64(index.Strides[c.Axis]),
		lane: nestOf(c.Axis, table, items, index),
	}
	p.lanes = p.lane.len()
	p.fault, p.command = b.index(c)
	grid := line(ratio(p.lanes*p.n, scatterThreads))
	add(b, launch{kernel: "scatter_few_" + suffixes[table.DType], grid: grid, block: [3]uint32{scatterThreads}}, &p)
}

// scatterSorted sorts the indices of each lane. The axes over which an index does not change are not lanes: what lies along them shares a sort.
func scatterSorted(b *batch, c *backend.Cmd) {
	table, items, index := &c.Dst[0], &c.Src[0], &c.Src[1]
	p := scatterParams{
		table: address(table), items: address(items), n: int64(items.Dims[c.Axis]),
		rowStride: int64(table.Strides[c.Axis]), itemStride: int64(items.Strides[c.Axis]),
	}
	s := sortParams{src: address(index), n: p.n, rows: int64(table.Dims[c.Axis]), srcStride: int64(index.Strides[c.Axis])}
	for a, dim := range items.Shape() {
		switch {
		case a == c.Axis:
		case index.Strides[a] == 0:
			p.beside.push(dim, table.Strides[a], items.Strides[a])
		default:
			p.lane.push(dim, table.Strides[a], items.Strides[a])
			s.lane.push(dim, 0, 0, index.Strides[a])
		}
	}
	s.fault, s.command = b.index(c)
	if !s.pack(bits.Len64(uint64(max(s.rows, 1) - 1))) {
		b.fail(fmt.Errorf("%v: rows times items beyond 2⁶⁴ are not supported", c))
		return
	}
	s.sortItems(b, launch{kernel: "sort_index"}, false)
	p.sorted, p.bits, p.width = s.items, int64(s.bits), p.beside.len()
	p.count = s.lanes * p.n * p.width
	grid := line(ratio(p.count, scatterThreads))
	add(b, launch{kernel: "scatter_" + suffixes[table.DType], grid: grid, block: [3]uint32{scatterThreads}, guarded: true}, &p)
}
