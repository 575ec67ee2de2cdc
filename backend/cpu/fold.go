package cpu

import (
	"math"

	"github.com/weir-ml/weir/backend"
)

// fold is a reduction of elements of T, carried as A: float32 for the halves, else T.
type fold[T any, A number] struct {
	empty A                                      // the result of no elements
	leaf  func(src []T, at, stride, terms int) A // the result of at least one
	merge func(left, right []A)                  // right = left op right
	round func(A) T
}

func (f *fold[T, A]) piece(r *reducing, w *reduceScratch, block, piece int) {
	at := r.place(w, 0, block)
	t := folding[T, A]{fold: f, grain: &r.grain, src: elements[T](&r.src), lane: at, stride: r.stride}
	if r.grain.empty() {
		f.fillEmpty(r, w, block)
		return
	}
	t.plan(w, r.even)
	lo := piece * r.run
	total := t.level(0, r.src.Offset, lo, min(lo+r.run, r.grain.outermost()))
	if r.pieces == 1 {
		f.store(r, w, block, total)
		return
	}
	copy(f.partial(r, block, piece), total)
}

func (f *fold[T, A]) fillEmpty(r *reducing, w *reduceScratch, block int) {
	dst := elements[T](&r.dst)
	for _, at := range r.place(w, 1, block) {
		dst[r.dst.Offset+at] = f.round(f.empty)
	}
}

func (f *fold[T, A]) store(r *reducing, w *reduceScratch, block int, total []A) {
	dst := elements[T](&r.dst)
	for i, at := range r.place(w, 1, block) {
		dst[r.dst.Offset+at] = f.round(total[i])
	}
}

// partial returns where the lanes of a piece are kept.
func (f *fold[T, A]) partial(r *reducing, block, piece int) []A {
	lo := block * laneBlock
	all := words[A](&r.partial, r.pieces*r.lanes.n)
	return all[piece*r.lanes.n+lo : piece*r.lanes.n+min(lo+laneBlock, r.lanes.n)]
}

func (f *fold[T, A]) join(r *reducing, w *reduceScratch, block int) {
	width := min(laneBlock, r.lanes.n-block*laneBlock)
	t := tree[A]{nodes: words[A](&w.nodes, width*treeDepth(r.pieces)), width: width, merge: f.merge}
	for p := range r.pieces {
		copy(t.leaf(), f.partial(r, block, p))
		t.add()
	}
	f.store(r, w, block, t.total())
}

// folding folds the terms of a block of lanes.
type folding[T any, A number] struct {
	*fold[T, A]
	grain     *grain
	src       []T
	lane      []int // where the lanes are
	stride    int
	term      []int // where the terms of a leaf are, if they have no even stride
	collected []T
	trees     [backend.MaxRank + 1]tree[A]
}

// plan lays out the trees of the levels in scratch memory.
func (t *folding[T, A]) plan(w *reduceScratch, even bool) {
	g, width, size := t.grain, len(t.lane), 0
	depth := func(level int) int {
		if level < g.depth {
			return treeDepth(g.levels[level].dim)
		}
		return treeDepth(g.leaves())
	}
	for level := range g.depth + 1 {
		size += depth(level) * width
	}
	nodes := words[A](&w.nodes, size)
	for level := range g.depth + 1 {
		n := depth(level) * width
		t.trees[level] = tree[A]{nodes: nodes[:n], width: width, merge: t.merge}
		nodes = nodes[n:]
	}
	if !even {
		w.term = grow(w.term, g.maxTerms())
		t.term = g.offsets(w.term, 0, min(g.leaf, g.cut.dim))
		t.collected = words[T](&w.collected, len(t.term))
	}
}

// level folds leaves [lo, hi) of one level.
func (t *folding[T, A]) level(level, at, lo, hi int) []A {
	g, tr := t.grain, &t.trees[level]
	if level == g.depth {
		for i := lo; i < hi; i++ {
			from := i * g.leaf
			t.fold1(tr.leaf(), at+from*g.cut.stride[0], g.terms(min(g.leaf, g.cut.dim-from)))
			tr.add()
		}
		return tr.total()
	}
	below := g.leaves()
	if level+1 < g.depth {
		below = g.levels[level+1].dim
	}
	for i := lo; i < hi; i++ {
		copy(tr.leaf(), t.level(level+1, at+i*g.levels[level].stride[0], 0, below))
		tr.add()
	}
	return tr.total()
}

// fold1 folds a leaf: for each lane that many terms, in row-major order.
func (t *folding[T, A]) fold1(dst []A, at, terms int) {
	for i, lane := range t.lane {
		if t.term == nil {
			dst[i] = t.leaf(t.src, at+lane, t.stride, terms)
			continue
		}
		for k, o := range t.term[:terms] {
			t.collected[k] = t.src[at+lane+o]
		}
		dst[i] = t.leaf(t.collected, 0, 1, terms)
	}
}

// folders are the folds by reduction and type.
var folders = func() (t [backend.ReduceMin + 1][backend.Float64 + 1]folder) {
	for op := range t {
		op := backend.ReduceOp(op)
		t[op][backend.Uint8] = foldInt[uint8](op, 0, math.MaxUint8)
		t[op][backend.Int32] = foldInt[int32](op, math.MinInt32, math.MaxInt32)
		t[op][backend.Int64] = foldInt[int64](op, math.MinInt64, math.MaxInt64)
		t[op][backend.Float16] = foldFloat(op, f16.float, toF16)
		t[op][backend.BFloat16] = foldFloat(op, bf16.float, toBF16)
		t[op][backend.Float32] = foldFloat(op, same[float32], same[float32])
		t[op][backend.Float64] = foldFloat(op, same[float64], same[float64])
	}
	return t
}()

func foldFor(op backend.ReduceOp, d backend.DType) folder { return folders[op][d] }

func same[T any](x T) T { return x }

func foldInt[T integer](op backend.ReduceOp, least, greatest T) folder {
	f := &fold[T, T]{round: same[T]}
	switch op {
	case backend.ReduceSum:
		f.empty, f.leaf, f.merge = 0, sumInt[T], mergeSum[T]
	case backend.ReduceProd:
		f.empty, f.leaf, f.merge = 1, prodInt[T], mergeProd[T]
	case backend.ReduceMax:
		f.empty, f.leaf, f.merge = least, maxLeaf(same[T]), mergeMax[T]
	case backend.ReduceMin:
		f.empty, f.leaf, f.merge = greatest, minLeaf(same[T]), mergeMin[T]
	}
	return f
}

func foldFloat[T any, A float](op backend.ReduceOp, load func(T) A, round func(A) T) folder {
	f := &fold[T, A]{round: round}
	switch op {
	case backend.ReduceSum:
		f.empty, f.leaf, f.merge = 0, sumFloat[T, A](load), mergeSum[A]
	case backend.ReduceProd:
		f.empty, f.leaf, f.merge = 1, prodFloat[T, A](load), mergeProd[A]
	case backend.ReduceMax:
		f.empty, f.leaf, f.merge = A(math.Inf(-1)), maxLeaf(load), mergeMax[A]
	case backend.ReduceMin:
		f.empty, f.leaf, f.merge = A(math.Inf(1)), minLeaf(load), mergeMin[A]
	}
	return f
}
