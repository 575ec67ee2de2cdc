package cpu

import "github.com/weir-ml/weir/backend"

var multipliers = [backend.Float64 + 1]multiplier{
	backend.Float16:  &multiply[f16, float32]{f16.float, packHalf(f16.float), storeHalf(f16.float, toF16), mergeSum[float32]},
	backend.BFloat16: &multiply[bf16, float32]{bf16.float, packHalf(bf16.float), storeHalf(bf16.float, toBF16), mergeSum[float32]},
	backend.Float32:  &multiply[float32, float32]{same[float32], packSame[float32], storeSame[float32], mergeSum[float32]},
	backend.Float64:  &multiply[float64, float64]{same[float64], packSame[float64], storeSame[float64], mergeSum[float64]},
}

// multiply is the matrix product of elements of T, summed as A.
type multiply[T any, A float] struct {
	load  func(T) A
	pack  packer[T, A]
	put   func(dst []T, at, stride int, row []A, add bool)
	merge func(left, right []A)
}

// layout makes few columns few rows: tiles have fewer of them.
func (f *multiply[T, A]) layout(p *product, _ int) {
	if p.n < kernelCols && p.n < p.m {
		p.swap()
	}
	p.rowBlock, p.colBlock, p.rate = 64, 128, 4
}

func (f *multiply[T, A]) piece(p *product, w *productScratch, u unit) {
	if p.grain.empty() {
		f.zero(p, u)
		return
	}
	t := blockProduct[T, A]{multiply: f, p: p, w: w, u: u, a: elements[T](&p.a), b: elements[T](&p.b)}
	t.plan()
	lo := u.piece * p.run
	total := t.level(0, u.a, u.b, lo, min(lo+p.run, p.grain.outermost()))
	if p.pieces == 1 {
		f.store(p, u, total)
		return
	}
	copy(f.partial(p, u, u.piece), total)
}

func (f *multiply[T, A]) zero(p *product, u unit) {
	var zero [1]A
	dst := elements[T](&p.dst)
	for i := range u.rows {
		for j := range u.cols {
			f.put(dst, u.d+i*p.rowD+j*p.colD, 1, zero[:], false)
		}
	}
}

func (f *multiply[T, A]) partial(p *product, u unit, piece int) []A {
	size := p.rowBlock * p.colBlock
	n := p.count * p.rowBlocks * p.colBlocks * p.pieces * size
	at := (u.block*p.pieces + piece) * size
	return words[A](&p.partial, n)[at : at+u.rows*u.cols]
}

func (f *multiply[T, A]) join(p *product, w *productScratch, u unit) {
	width := u.rows * u.cols
	t := tree[A]{nodes: words[A](&w.nodes, width*treeDepth(p.pieces)), width: width, merge: f.merge}
	for piece := range p.pieces {
		copy(t.leaf(), f.partial(p, u, piece))
		t.add()
	}
	f.store(p, u, t.total())
}

// store writes a block of results, rounded, or adds it.
func (f *multiply[T, A]) store(p *product, u unit, sum []A) {
	dst := elements[T](&p.dst)
	for i := range u.rows {
		f.put(dst, u.d+i*p.rowD, p.colD, sum[i*u.cols:(i+1)*u.cols], p.accumulate)
	}
}

// blockProduct computes one block of the result.
type blockProduct[T any, A float] struct {
	*multiply[T, A]
	p     *product
	w     *productScratch
	u     unit
	a, b  []T
	trees [backend.MaxRank]tree[A]
}

// plan lays out the trees of the levels in scratch memory and finds where the terms of a leaf are.
func (t *blockProduct[T, A]) plan() {
	g, width, size := &t.p.grain, t.u.rows*t.u.cols, 0
	depth := func(level int) int {
		if level < g.depth {
			return treeDepth(g.levels[level].dim)
		}
		return treeDepth(g.leaves())
	}
	for level := range g.depth + 1 {
		size += depth(level) * width
	}
	nodes := words[A](&t.w.nodes, size)
	for level := range g.depth + 1 {
		n := depth(level) * width
		t.trees[level] = tree[A]{nodes: nodes[:n], width: width, merge: t.merge}
		nodes = nodes[n:]
	}
	w, most := t.w, min(g.leaf, g.cut.dim)
	w.termA = g.offsets(grow(w.termA, g.terms(most)), 0, most)
	w.termB = g.offsets(grow(w.termB, g.terms(most)), 1, most)
}

// level sums leaves [lo, hi) of one level, of operands that start at a and b.
func (t *blockProduct[T, A]) level(level, a, b, lo, hi int) []A {
	g, tr := &t.p.grain, &t.trees[level]
	if level == g.depth && hi-lo == 1 {
		from := lo * g.leaf
		t.leaf(tr.leaf(), a+from*g.cut.stride[0], b+from*g.cut.stride[1], g.terms(min(g.leaf, g.cut.dim-from)))
		return tr.leaf()
	}
	if level == g.depth {
		for i := lo; i < hi; i++ {
			from := i * g.leaf
			terms := g.terms(min(g.leaf, g.cut.dim-from))
			t.leaf(tr.leaf(), a+from*g.cut.stride[0], b+from*g.cut.stride[1], terms)
			tr.add()
		}
		return tr.total()
	}
	below := g.leaves()
	if level+1 < g.depth {
		below = g.levels[level+1].dim
	}
	for i := lo; i < hi; i++ {
		x := &g.levels[level]
		copy(tr.leaf(), t.level(level+1, a+i*x.stride[0], b+i*x.stride[1], 0, below))
		tr.add()
	}
	return tr.total()
}

// thinTerms is the number of terms up to which a leaf is summed by rows.
const thinTerms = 4

// leaf writes the sums of one leaf of terms.
func (t *blockProduct[T, A]) leaf(dst []A, a, b, terms int) {
	if terms <= thinTerms {
		t.thinLeaf(dst, a, b, terms)
		return
	}
	p, w, u := t.p, t.w, t.u
	even := (terms + 1) &^ 1
	strips := (u.cols + kernelCols - 1) / kernelCols
	packB := words[A](&w.packB, strips*even*kernelCols)
	if key := (packedKey{b, u.col, terms}); len(w.packed) == 0 || w.packed[0] != key {
		w.packed = append(w.packed[:0], key)
		for s := range strips {
			cols := min(kernelCols, u.cols-s*kernelCols)
			t.pack(packB[s*even*kernelCols:(s+1)*even*kernelCols], t.b,
				strip{b + s*kernelCols*p.colB, p.colB, w.termB[:terms], p.runB, cols, kernelCols})
		}
	}
	packA := words[A](&w.packA, even*kernelRows)
	left := grouped[[2 * kernelRows]A](packA)
	right := grouped[[2 * kernelCols]A](packB)
	for i := 0; i < u.rows; i += kernelRows {
		rows := min(kernelRows, u.rows-i)
		t.pack(packA, t.a, strip{a + i*p.rowA, p.rowA, w.termA[:terms], p.runA, rows, kernelRows})
		for s := range strips {
			var sums [kernelRows * kernelCols]A
			multiplyTile(&sums, left, right[s*even/2:(s+1)*even/2])
			j := s * kernelCols
			cols := min(kernelCols, u.cols-j)
			if rows == kernelRows && cols == kernelCols {
				*(*[kernelCols]A)(dst[i*u.cols+j:]) = [kernelCols]A(sums[:])
				*(*[kernelCols]A)(dst[(i+1)*u.cols+j:]) = [kernelCols]A(sums[kernelCols:])
				continue
			}
			for r := range rows {
				copy(dst[(i+r)*u.cols+j:][:cols], sums[r*kernelCols:])
			}
		}
	}
}

// thinLeaf writes the sums of a leaf of at most thinTerms terms.
func (t *blockProduct[T, A]) thinLeaf(dst []A, a, b, terms int) {
	p, w, u := t.p, t.w, t.u
	even := (terms + 1) &^ 1
	w.packed = w.packed[:0]
	packB := words[A](&w.packB, even*u.cols)
	clear(packB[terms*u.cols:])
	for k, o := range w.termB[:terms] {
		for j := range u.cols {
			packB[k*u.cols+j] = t.load(t.b[b+o+j*p.colB])
		}
	}
	clear(dst)
	for i := range u.rows {
		var left [thinTerms]A
		for k, o := range w.termA[:terms] {
			left[k] = t.load(t.a[a+i*p.rowA+o])
		}
		row := dst[i*u.cols : (i+1)*u.cols]
		for k := 0; k < even; k += 2 {
			multiplyThin(row, left[k], left[k+1], packB[k*u.cols:], packB[(k+1)*u.cols:])
		}
	}
}
