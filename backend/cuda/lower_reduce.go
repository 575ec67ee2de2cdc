package cuda

import (
	"github.com/weir-ml/weir/backend"
)

// reduceParams has the layout of Reduce in kernels/reduce.h, which says what it means.
type reduceParams struct {
	src, dst                      uint64
	lanes, groups, leaves         int64
	leafStride, termStride        int64
	laneBlocks, leafBlocks        int64
	leafTerms, lastTerms          uint32
	even, parts, width, groupSize int32
	across, run, dtype            int32
	accumulate                    int32
	lane, trees, terms            nest
}

const (
	reduceThreads = 256
	warp          = 32
	longestRun    = 8  // of leaves
	longestTerms  = 64 // of leaves of one term
)

func lowerReduce(b *batch, c *backend.Cmd) {
	if c.Dst[0].Len() == 0 {
		return
	}
	if c.ReduceOp.IsArg() {
		lowerArg(b, c)
		return
	}
	r := newReduction(c)
	r.first(b, &c.Src[0])
	for !r.done() {
		r.join(b)
	}
}

// reduction is a reduction that is being lowered: each launch leaves fewer leaves to add.
type reduction struct {
	op         backend.ReduceOp
	dst        *backend.View
	dtype      backend.DType // of the source
	accumulate bool          // whether the destination is added to
	lane       nest          // operands: source, destination
	grain      grain
	side       int64 // kept elements within the innermost summed axis

	depth         int   // levels not yet added
	trees, leaves int64 // of what partial holds
	partial       uint64
}

func newReduction(c *backend.Cmd) *reduction {
	dst, src := &c.Dst[0], &c.Src[0]
	r := &reduction{op: c.ReduceOp, dst: dst, dtype: src.DType, side: 1}
	var axes []summed
	within := src.Len()
	for a, dim := range src.Shape() {
		within /= max(dim, 1)
		if dim == dst.Dims[a] {
			r.lane.push(dim, src.Strides[a], dst.Strides[a])
			r.side *= int64(dim)
			continue
		}
		axes = append(axes, summed{dim: dim, strides: []int{src.Strides[a]}, within: within})
		r.side = 1
	}
	r.grain = cut(axes, backend.ReduceGrain)
	r.depth, r.trees = r.grain.depth, r.grain.trees.len()
	return r
}

// first folds the leaves of the source. How a leaf is folded depends on its shape: a warp folds one if no kept axis is within it, and a part of a warp
// folds each of a few neighbouring lanes; of many a thread folds one.
func (r *reduction) first(b *batch, src *backend.View) {
	g := &r.grain
	p := reduceParams{
		src: address(src), lane: r.lane, trees: g.trees, terms: g.terms,
		leafTerms: uint32(g.leafTerms), lastTerms: uint32(g.lastTerms), leafStride: g.leafStride[0],
		termStride: g.terms.inner(0), parts: 1, width: 1, groupSize: 1,
	}
	if g.even() {
		p.even = 1
	}
	if r.side < warp && g.leafTerms > 1 {
		p.groupSize, p.width = int32(r.side), int32(above(r.side, warp))
		p.parts = int32(above(g.leafTerms, int64(warp/p.width)))
	}
	r.leaves = g.leaves
	r.pass(b, &p, r.dtype)
}

// done reports whether the last launch has written the destination.
func (r *reduction) done() bool { return r.leaves <= 1 && r.depth == 0 }

// join adds what the last launch has left: the leaves of the innermost trees or, if each has one, these trees as leaves of the next level.
func (r *reduction) join(b *batch) {
	if r.leaves == 1 {
		r.depth--
		r.leaves = r.grain.levels[r.depth]
		r.trees /= r.leaves
	}
	lanes := r.lane.len()
	p := reduceParams{
		src: r.partial, lane: r.lane, leafTerms: 1, lastTerms: 1, leafStride: lanes,
		even: 1, parts: 1, width: 1, groupSize: 1,
	}
	stride := int64(1)
	for a := p.lane.rank - 1; a >= 0; a-- {
		p.lane.strides[0][a] = stride
		stride *= p.lane.dims[a]
	}
	p.trees.push(int(r.trees), int(r.leaves*lanes))
	r.pass(b, &p, carried(r.dtype))
}

// pass launches one kernel, on elements of type d.
func (r *reduction) pass(b *batch, p *reduceParams, d backend.DType) {
	p.lanes, p.leaves = r.lane.len(), r.leaves
	p.groups = p.lanes / int64(p.groupSize)
	threads := p.share(r.trees)
	blocks := p.laneBlocks * p.leafBlocks * r.trees
	r.leaves = p.leafBlocks
	if r.done() {
		p.dst, p.dtype = address(r.dst), int32(r.dst.DType)
		if r.accumulate {
			p.accumulate = 1
		}
	} else {
		r.partial = b.scratch(int(r.trees*r.leaves*p.lanes) * carried(d).Size())
		p.dst = r.partial
	}
	add(b, launch{kernel: "reduce_" + r.op.String() + "_" + suffixes[d], grid: line(blocks), block: [3]uint32{uint32(threads)}}, p)
}

// share divides the work among blocks: as many lanes side by side as fill the lines of memory, then leaves, then runs of leaves, as long as there
// are blocks for all multiprocessors. It returns the threads of a block.
func (p *reduceParams) share(trees int64) (threads int64) {
	size := int64(p.parts * p.width)
	side := int64(warp) / size
	longest := int64(longestRun)
	if p.leafTerms == 1 {
		longest = longestTerms
		if p.lanes*p.leaves < 1<<20 {
			side = 8 // a sector of memory; a sum of few numbers waits for memory, not for its width
		}
	}
	groups := reduceThreads / size
	stacked := above(p.leaves, groups/above(p.groups, side))
	across := above(p.groups, groups/stacked)
	across = max(across, warp/(size*stacked))
	p.across, p.laneBlocks = int32(across), ratio(p.groups, across)
	p.run, p.leafBlocks = 1, max(1, ratio(p.leaves, stacked))
	for int64(p.run) < longest && p.leafBlocks > 1 {
		enough := p.laneBlocks*p.leafBlocks*trees > 8*processors
		if !enough && (p.leafTerms > 1 || p.leaves > stacked*longest) {
			break
		}
		p.run *= 2
		p.leafBlocks = ratio(p.leaves, stacked*int64(p.run))
	}
	return size * across * stacked
}
