package cuda

import (
	"strconv"

	"github.com/weir-ml/weir/backend"
)

// gatherParams has the layout of Gather in kernels/gather.cu, which says what it means.
type gatherParams struct {
	dst, table, index     uint64
	fault, command        uint64
	count, rows, rowSteps int64
	wide                  int64
	nest                  nest
}

const (
	gatherThreads = 256
	gatherBlocks  = 1 << 16
)

func lowerGather(b *batch, c *backend.Cmd) {
	dst, table, index := &c.Dst[0], &c.Src[0], &c.Src[1]
	if dst.Len() == 0 {
		return
	}
	walked := *table
	walked.Dims, walked.Strides[c.Axis] = dst.Dims, 0
	p := gatherParams{
		dst: address(dst), table: address(table), index: address(index),
		rows: int64(table.Dims[c.Axis]), rowSteps: int64(table.Strides[c.Axis]), wide: 1,
		nest: nestOf(-1, dst, &walked, index),
	}
	p.fault, p.command = b.index(c)
	size := p.widen(int64(dst.DType.Size()))
	p.count = p.nest.len()
	add(b, launch{kernel: "gather_b" + strconv.Itoa(int(size)), grid: covering(p.count, gatherThreads, gatherBlocks), block: [3]uint32{gatherThreads}}, &p)
}

// widen makes elements of wideBytes of neighbours that share their index, if everything is aligned to them. It returns the size of an element.
func (p *gatherParams) widen(size int64) int64 {
	n := &p.nest
	inner := n.rank - 1
	wide := wideBytes / size
	if inner < 0 || n.strides[0][inner] != 1 || n.strides[1][inner] != 1 || n.strides[2][inner] != 0 {
		return size
	}
	if p.dst%wideBytes != 0 || p.table%wideBytes != 0 || p.rowSteps%wide != 0 || n.dims[inner]%wide != 0 {
		return size
	}
	for a := range inner {
		if n.strides[0][a]%wide != 0 || n.strides[1][a]%wide != 0 {
			return size
		}
	}
	for a := range inner {
		n.strides[0][a] /= wide
		n.strides[1][a] /= wide
	}
	n.dims[inner] /= wide
	p.rowSteps /= wide
	p.wide = wide
	return wideBytes
}
