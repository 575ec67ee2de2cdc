package cpu

import (
	"github.com/weir-ml/weir/backend"
)

// laneBlock is the number of results that a reduction computes together.
const laneBlock = 256

// lanes are the kept axes of a reduction: one lane is one result. Operand 0 is the source, 1 the destination.
type lanes struct {
	axes [backend.MaxRank]axis
	rank int
	n    int
}

// push appends an axis within the others, or makes the innermost longer if both operands can walk the two as one.
func (l *lanes) push(a axis) {
	l.n *= a.dim
	if l.rank > 0 {
		if last := &l.axes[l.rank-1]; last.stride[0] == a.dim*a.stride[0] && last.stride[1] == a.dim*a.stride[1] {
			last.dim *= a.dim
			last.stride = a.stride
			return
		}
	}
	l.axes[l.rank] = a
	l.rank++
}

// adjacent reports whether all lanes lie side by side in operand i.
func (l *lanes) adjacent(i int) bool { return l.rank == 0 || l.rank == 1 && l.axes[0].stride[i] == 1 }

// offsets lists where lanes [lo, lo+len(dst)) are in operand i.
func (l *lanes) offsets(dst []int, i, lo int) {
	if l.rank == 1 {
		stride := l.axes[0].stride[i]
		for k := range dst {
			dst[k] = (lo + k) * stride
		}
		return
	}
	var index [backend.MaxRank]int
	at := 0
	for a := l.rank - 1; a >= 0; a-- {
		index[a] = lo % l.axes[a].dim
		lo /= l.axes[a].dim
		at += index[a] * l.axes[a].stride[i]
	}
	for k := range dst {
		dst[k] = at
		for a := l.rank - 1; a >= 0; a-- {
			at += l.axes[a].stride[i]
			if index[a]++; index[a] < l.axes[a].dim {
				break
			}
			at -= index[a] * l.axes[a].stride[i]
			index[a] = 0
		}
	}
}

// reducing is the state of a Reduce.
type reducing struct {
	lanes  lanes
	grain  grain
	folder folder
	dst    backend.View
	src    backend.View
	stride int  // between the terms of a leaf
	even   bool // whether there is one; if not, terms are collected first
	single bool // leaves are one term, and lanes lie side by side in both operands
	run    int  // leaves of the outermost tree in a piece
	pieces int
	blocks int // of lanes

	partial []uint64 // the pieces' results: piece by lane
	scratch []reduceScratch
	joining bool
}

// reduceScratch is what a worker needs of its own.
type reduceScratch struct {
	lane, term []int
	nodes      []uint64
	collected  []uint64
	where      []int64
	next       []int64
	best       []uint64
}

// folder is a reduction of one type.
type folder interface {
	// piece folds a run of leaves for a block of lanes, into the destination or into partial.
	piece(r *reducing, w *reduceScratch, block, piece int)
	// join folds the pieces of a block of lanes into the destination.
	join(r *reducing, w *reduceScratch, block int)
}

func (s *stream) reduce(c *backend.Cmd) error {
	r := &s.reducing
	r.dst, r.src = c.Dst[0], c.Src[0]
	r.split()
	if r.lanes.n == 0 {
		return nil
	}
	r.blocks = (r.lanes.n + laneBlock - 1) / laneBlock
	cost := r.src.Len()
	if r.inLoops() {
		cost = cost * s.dev.kernels.foldCost(c.ReduceOp, r.src.DType) / 1000
	}
	if c.ReduceOp.IsArg() {
		r.folder = s.dev.argFolder(c.ReduceOp, r.src.DType)
	} else {
		r.folder = s.dev.folder(c.ReduceOp, r.src.DType)
		r.cutPieces(s.workers, cost)
	}
	r.joining = false
	err := s.run(r, r.blocks*r.pieces, cost)
	if err == nil && r.pieces > 1 {
		r.joining = true
		err = s.run(r, r.blocks, r.lanes.n*r.pieces)
	}
	r.dst, r.src = backend.View{}, backend.View{}
	return err
}

// split divides the axes of the source into lanes and summed axes.
func (r *reducing) split() {
	var summed [backend.MaxRank]axis
	var within [backend.MaxRank]int
	n, inner := 0, 1
	r.lanes = lanes{n: 1}
	for a := range r.src.Rank {
		x := axis{r.src.Dims[a], [2]int{r.src.Strides[a], r.dst.Strides[a]}}
		if r.dst.Dims[a] == r.src.Dims[a] {
			if x.dim != 1 {
				r.lanes.push(x)
			}
			continue
		}
		summed[n] = x
		n++
	}
	for a, k := r.src.Rank-1, n-1; a >= 0; a-- {
		if r.dst.Dims[a] != r.src.Dims[a] {
			within[k] = inner
			k--
		}
		inner *= r.src.Dims[a]
	}
	r.grain.reset(summed[:n], within[:n], backend.ReduceGrain)
	r.stride, r.even = r.grain.evenStride(0)
	r.single = r.grain.depth == 0 && r.grain.maxTerms() == 1 && r.lanes.adjacent(0) && r.lanes.adjacent(1)
	r.run, r.pieces = max(1, r.grain.outermost()), 1
}

// inLoops reports whether the source is such that loops for rows or columns serve it.
func (r *reducing) inLoops() bool {
	if r.stride == 1 {
		return r.even && r.grain.maxTerms() >= fewestInRow
	}
	if r.lanes.rank == 0 {
		return false
	}
	last := r.lanes.axes[r.lanes.rank-1]
	return last.stride[0] == 1 && last.dim >= fewestBeside
}

// cutPieces cuts the outermost tree into pieces if there are too few blocks of lanes to share.
func (r *reducing) cutPieces(workers, cost int) {
	if workers == 1 || r.blocks >= 2*workers || cost < parallelCost || r.grain.empty() {
		return
	}
	r.single = false
	r.run = runLength(r.grain.outermost(), 4*workers)
	r.pieces = (r.grain.outermost() + r.run - 1) / r.run
	words[uint64](&r.partial, r.pieces*r.lanes.n) // grown here, so that workers only read the slice
}

func (r *reducing) do(worker, chunk int) {
	w := &r.scratch[worker]
	if r.joining {
		r.folder.join(r, w, chunk)
		return
	}
	r.folder.piece(r, w, chunk/r.pieces, chunk%r.pieces)
}

// place lists where the lanes of a block are in operand i.
func (r *reducing) place(w *reduceScratch, i, block int) []int {
	lo := block * laneBlock
	w.lane = grow(w.lane, laneBlock)
	at := w.lane[:min(laneBlock, r.lanes.n-lo)]
	r.lanes.offsets(at, i, lo)
	return at
}

// grow returns x with at least n elements.
func grow[T any](x []T, n int) []T {
	if cap(x) < n {
		return make([]T, n)
	}
	return x[:n]
}
