package cuda

import "github.com/weir-ml/weir/backend"

// argParams has the layout of Arg in kernels/arg.cu, which says what it means.
type argParams struct {
	src, dst, candidates      uint64
	lanes, n, stride          int64
	laneBlocks, pieces, piece int64
	across, last              int32
	lane                      nest
}

const (
	argThreads = 256
	argLoop    = 16 // candidates that are worth a thread, where there are too few
)

// lowerArg lowers the reductions to a position. A lane is searched in pieces, if there are few, and then among what was found in each.
func lowerArg(b *batch, c *backend.Cmd) {
	dst, src := &c.Dst[0], &c.Src[0]
	axis := -1
	for a := range src.Rank {
		if src.Dims[a] != dst.Dims[a] {
			axis = a
		}
	}
	p := argParams{src: address(src), n: 1, lane: nestOf(axis, src, dst)}
	if axis >= 0 {
		p.n, p.stride = int64(src.Dims[axis]), int64(src.Strides[axis])
	}
	p.lanes = p.lane.len()
	for p.last == 0 {
		p.share()
		p.pass(b, c)
	}
}

// pass launches one kernel, and makes what it finds the candidates of the next.
func (p *argParams) pass(b *batch, c *backend.Cmd) {
	if p.pieces == 1 {
		p.dst, p.last = address(&c.Dst[0]), 1
	} else {
		p.dst = b.scratch(int(p.pieces*p.lanes) * backend.Int64.Size())
	}
	rows := argThreads / int64(p.across)
	l := launch{
		kernel: c.ReduceOp.String() + "_" + suffixes[c.Src[0].DType],
		grid:   line(p.laneBlocks * p.pieces),
		block:  [3]uint32{uint32(above(p.n, rows) * int64(p.across))},
	}
	add(b, l, p)
	p.candidates, p.n = p.dst, p.pieces
}

// share divides the work among blocks. Neighbouring threads take neighbours along the axis or neighbouring lanes, whichever are closer in memory.
func (p *argParams) share() {
	across := int64(1)
	if p.candidates != 0 || distance(p.lane.inner(0)) < distance(p.stride) || p.lane.rank == 0 {
		across = above(p.lanes, warp)
	}
	for across < p.lanes && across*p.n < argThreads && across < argThreads {
		across *= 2
	}
	p.across, p.laneBlocks = int32(across), ratio(p.lanes, across)
	worth := ratio(p.n, argThreads/across*argLoop)
	p.pieces = min(worth, ratio(4*processors, p.laneBlocks))
	p.piece = ratio(p.n, p.pieces)
	p.pieces = ratio(p.n, p.piece)
}
