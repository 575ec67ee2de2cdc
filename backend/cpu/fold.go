package cpu

import (
	"math"

	"github.com/weir-ml/weir/backend"
)

// fold is a reduction of elements of T, carried as A: float32 for the halves, else T.
type fold[T any, A number] struct {
	empty  A // the result of no elements
	leaf   leaf[A]
	beside func(dst, src []A, at, stride, terms int)                    // leaf for lanes that lie side by side from src[at] on, or nil
	single func(w *reduceScratch, dst, src []A, at, stride, leaves int) // all of it for lanes that lie side by side and leaves of one term, or nil
	merge  func(left, right []A)                                        // right = left op right
	rows   bool                                                         // leaf gains by many lanes along which the terms follow each other
	direct bool                                                         // A is T
	load   func(T) A
	round  func(A) T
}

func (f *fold[T, A]) piece(r *reducing, w *reduceScratch, block, piece int) {
	if r.grain.empty() {
		f.fillEmpty(r, w, block)
		return
	}
	first := block * laneBlock
	if f.single != nil && r.single {
		at := r.dst.Offset + first
		dst := elements[A](&r.dst)[at:][:min(laneBlock, r.lanes.n-first)]
		f.single(w, dst, elements[A](&r.src), r.src.Offset+first, r.stride, r.grain.leaves())
		return
	}
	t := folding[T, A]{fold: f, grain: &r.grain, src: elements[T](&r.src), width: min(laneBlock, r.lanes.n-first), stride: r.stride}
	if f.direct && r.even {
		t.plain = elements[A](&r.src)
	}
	if t.plain != nil && f.beside != nil && r.lanes.n > 1 && r.lanes.adjacent(0) {
		t.first = first
	} else {
		t.lane = r.place(w, 0, block)
	}
	t.plan(w)
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
	if f.direct && r.lanes.adjacent(1) {
		copy(elements[A](&r.dst)[r.dst.Offset+block*laneBlock:], total)
		return
	}
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
	plain     []A   // src, where its terms are of A and a stride apart; else they are collected first
	width     int   // how many lanes
	lane      []int // where they are, nil if they lie side by side
	first     int   // where the first one is then
	stride    int
	term      []int // where the terms of a leaf are
	collected []A
	together  int // leaves that are folded by one call
	trees     [backend.MaxRank + 1]tree[A]
}

// plan lays out the trees of the levels in scratch memory.
func (t *folding[T, A]) plan(w *reduceScratch) {
	g, width, size := t.grain, t.width, 0
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
	if t.plain != nil {
		t.planTogether(w)
		return
	}
	w.term = grow(w.term, g.maxTerms())
	t.term = g.offsets(w.term, 0, min(g.leaf, g.cut.dim))
	t.collected = words[A](&w.collected, len(t.term))
}

// level folds leaves [lo, hi) of one level.
func (t *folding[T, A]) level(level, at, lo, hi int) []A {
	g, tr := t.grain, &t.trees[level]
	if level == g.depth {
		for i := t.foldTogether(at, lo, hi); i < hi; i++ {
			from := i * g.leaf
			t.foldLeaf(tr.leaf(), at+from*g.cut.stride[0], g.terms(min(g.leaf, g.cut.dim-from)))
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

// fewLanes is below how many lanes leaves are folded together, about leafLanes lanes by a call: each sum waits for its last addition, and others
// can go on meanwhile.
const (
	fewLanes  = 4
	leafLanes = 16
)

// planTogether lays out the lanes of leaves that are folded by one call.
func (t *folding[T, A]) planTogether(w *reduceScratch) {
	if !t.rows || t.lane == nil || t.stride != 1 || t.width >= fewLanes || t.grain.leaves() < 2 {
		return
	}
	t.together = leafLanes / t.width
	w.term = grow(w.term, t.together*t.width)
	t.term = w.term[:t.together*t.width]
	for i := range t.term {
		t.term[i] = t.lane[i%t.width] + i/t.width*t.grain.leaf*t.grain.cut.stride[0]
	}
	t.collected = words[A](&w.collected, len(t.term))
}

// foldTogether folds leaves from lo on as long as there are enough of full length, and returns the first that is left.
func (t *folding[T, A]) foldTogether(at, lo, hi int) int {
	g, tr := t.grain, &t.trees[t.grain.depth]
	for whole := min(hi, g.cut.dim/g.leaf); t.together > 1 && whole-lo > 1; {
		n := min(t.together, whole-lo)
		t.leaf(t.collected[:n*t.width], t.plain, at+lo*g.leaf*g.cut.stride[0], t.term[:n*t.width], t.stride, g.terms(g.leaf))
		for i := range n {
			copy(tr.leaf(), t.collected[i*t.width:])
			tr.add()
		}
		lo += n
	}
	return lo
}

// foldLeaf folds a leaf: for each lane that many terms, in row-major order.
func (t *folding[T, A]) foldLeaf(dst []A, at, terms int) {
	if t.lane == nil {
		t.beside(dst, t.plain, at+t.first, t.stride, terms)
		return
	}
	if t.plain != nil {
		t.leaf(dst, t.plain, at, t.lane, t.stride, terms)
		return
	}
	for i, lane := range t.lane {
		for k, o := range t.term[:terms] {
			t.collected[k] = t.load(t.src[at+lane+o])
		}
		t.leaf(dst[i:i+1], t.collected, 0, atZero[:], 1, terms)
	}
}

var atZero = [1]int{0}

// folders are the folds by reduction and type.
var folders = func() (t [backend.ReduceMin + 1][backend.Float64 + 1]folder) {
	for op := range t {
		op := backend.ReduceOp(op)
		t[op][backend.Uint8] = foldInt[uint8](op, 0, math.MaxUint8)
		t[op][backend.Int32] = foldInt[int32](op, math.MinInt32, math.MaxInt32)
		t[op][backend.Int64] = foldInt[int64](op, math.MinInt64, math.MaxInt64)
		t[op][backend.Float16] = foldHalf(op, f16.float, toF16)
		t[op][backend.BFloat16] = foldHalf(op, bf16.float, toBF16)
		t[op][backend.Float32] = foldFloat[float32](op)
		t[op][backend.Float64] = foldFloat[float64](op)
	}
	return t
}()

func (d *device) folder(op backend.ReduceOp, t backend.DType) folder {
	if f := d.folders[op][t]; f != nil {
		return f
	}
	return folders[op][t]
}

func same[T any](x T) T { return x }

func foldInt[T integer](op backend.ReduceOp, least, greatest T) folder {
	f := &fold[T, T]{direct: true, load: same[T], round: same[T]}
	switch op {
	case backend.ReduceSum:
		f.empty, f.leaf, f.merge = 0, eachLane(sumInt[T]), mergeSum[T]
	case backend.ReduceProd:
		f.empty, f.leaf, f.merge = 1, eachLane(prodInt[T]), mergeProd[T]
	case backend.ReduceMax:
		f.empty, f.leaf, f.merge = least, maxLanes[T], mergeMax[T]
	case backend.ReduceMin:
		f.empty, f.leaf, f.merge = greatest, minLanes[T], mergeMin[T]
	}
	return f
}

func foldFloat[T float](op backend.ReduceOp) folder {
	f := &fold[T, T]{direct: true, load: same[T], round: same[T]}
	switch op {
	case backend.ReduceSum:
		f.empty, f.leaf, f.merge = 0, sumLanes[T], mergeSum[T]
	case backend.ReduceProd:
		f.empty, f.leaf, f.merge = 1, eachLane(prodWide[T]), mergeProd[T]
	case backend.ReduceMax:
		f.empty, f.leaf, f.merge = T(math.Inf(-1)), maxLanes[T], mergeMax[T]
	case backend.ReduceMin:
		f.empty, f.leaf, f.merge = T(math.Inf(1)), minLanes[T], mergeMin[T]
	}
	return f
}

// foldHalf folds halves as float32.
func foldHalf[T f16 | bf16](op backend.ReduceOp, load func(T) float32, round func(float32) T) folder {
	wide := foldFloat[float32](op).(*fold[float32, float32])
	return &fold[T, float32]{empty: wide.empty, leaf: wide.leaf, merge: wide.merge, load: load, round: round}
}
