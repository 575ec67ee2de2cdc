package cpu

import "github.com/weir-ml/weir/backend"

// product is the state of a MatMul.
//
// The summed axes are the contracted batch axes and the inner dimension; the leaves of the grain are sums of at most
// [backend.MatMulGrain] terms. A worker takes a block of the result, or a run of leaves for it if the result is small. For each leaf
// it packs what it needs of both operands, multiplies, and adds the leaf to the tree of its block.
type product struct {
	dst, a, b  backend.View
	accumulate bool
	batch      [backend.MaxRank]batchAxis // kept batch axes
	batches    int                        // how many axes
	count      int                        // how many products they make
	m, n       int
	rowA, rowD int // strides
	colB, colD int
	grain      grain // operand 0 is a, 1 is b
	runA, runB bool  // whether the terms of a leaf follow each other
	typed      multiplier
	turn       *Turn    // for elements of the type, or nil
	rate       int      // multiply-adds in a nanosecond
	dots       bool     // few columns: every result is a dot product
	held       [2]*held // of a and b, what the loop keeps of them, or nil

	rowBlock, colBlock   int // the part of the result that a worker computes at a time
	rowBlocks, colBlocks int
	run, pieces          int
	partial              []uint64 // results of pieces
	joining              bool
	scratch              []productScratch
}

// batchAxis is a kept batch axis.
type batchAxis struct{ dim, a, b, d int }

// productScratch is what a worker needs of its own.
type productScratch struct {
	termA, termB []int
	packA, packB []uint64
	sums         []uint64
	nodes        []uint64
	packed       []packedKey // what packB holds, leaf by leaf
}

// packedKey says which part of the second operand was packed last: consecutive blocks of rows share it.
type packedKey struct{ at, col, terms int }

// multiplier is a matrix product of one type.
type multiplier interface {
	// layout cuts the product into blocks, and may swap it before.
	layout(p *product, workers int)
	piece(p *product, w *productScratch, u unit)
	join(p *product, w *productScratch, u unit)
}

// unit is a block of the result, in one product of the batch, and a piece of its sum.
type unit struct {
	a, b, d    int // offsets of its product
	row, col   int
	rows, cols int
	block      int // its number
	piece      int
}

func (s *stream) matmul(c *backend.Cmd) error {
	p := &s.product
	p.dst, p.a, p.b, p.accumulate = c.Dst[0], c.Src[0], c.Src[1], c.Accumulate
	p.typed, p.turn = s.dev.multipliers[p.dst.DType], s.dev.turns[p.dst.DType.Size()]
	p.split(s.workers)
	if p.count*p.m*p.n == 0 || p.grain.empty() && p.accumulate {
		return nil
	}
	p.rowBlocks, p.colBlocks = (p.m+p.rowBlock-1)/p.rowBlock, (p.n+p.colBlock-1)/p.colBlock
	blocks := p.count * p.rowBlocks * p.colBlocks
	cost := p.cost()
	p.cutPieces(blocks, s.workers, cost)
	for i := range p.scratch {
		p.scratch[i].packed = p.scratch[i].packed[:0]
	}
	p.joining = false
	err := s.run(p, blocks*p.pieces, cost)
	if err == nil && p.pieces > 1 {
		p.joining = true
		err = s.run(p, blocks, p.count*p.m*p.n*p.pieces)
	}
	p.dst, p.a, p.b = backend.View{}, backend.View{}, backend.View{}
	return err
}

// cost estimates the product in nanoseconds: the multiply-adds, and the traffic of the operands.
func (p *product) cost() int {
	terms := p.grain.terms(p.grain.cut.dim)
	for _, l := range p.grain.levels[:p.grain.depth] {
		terms *= l.dim
	}
	return p.count * (p.m*p.n*terms + 4*((p.m+p.n)*terms+p.m*p.n)) / p.rate
}

// split finds the axes of the product. Kept batch axes over which the second operand does not change become rows where strides
// allow, so that a batch times one matrix is one tall product.
func (p *product) split(workers int) {
	d, a, b := &p.dst, &p.a, &p.b
	r := d.Rank
	p.m, p.n = d.Dims[r-2], d.Dims[r-1]
	p.rowA, p.rowD, p.colB, p.colD = a.Strides[r-2], d.Strides[r-2], b.Strides[r-1], d.Strides[r-1]
	p.batches, p.count = 0, 1
	var summed [backend.MaxRank]axis
	var within [backend.MaxRank]int
	n := 0
	for i := range r - 2 {
		switch {
		case a.Dims[i] != d.Dims[i]:
			summed[n] = axis{a.Dims[i], [2]int{a.Strides[i], b.Strides[i]}}
			n++
		case d.Dims[i] != 1:
			p.batch[p.batches] = batchAxis{d.Dims[i], a.Strides[i], b.Strides[i], d.Strides[i]}
			p.batches++
			p.count *= d.Dims[i]
		}
	}
	summed[n] = axis{a.Dims[r-1], [2]int{a.Strides[r-1], b.Strides[r-2]}}
	n++
	inner := 1
	for k := n - 1; k >= 0; k-- {
		within[k] = inner
		inner *= summed[k].dim
	}
	p.grain.reset(summed[:n], within[:n], backend.MatMulGrain)
	p.mergeRows()
	p.dots = false
	p.typed.layout(p, workers)
	strideA, evenA := p.grain.evenStride(0)
	strideB, evenB := p.grain.evenStride(1)
	p.runA, p.runB = evenA && strideA == 1, evenB && strideB == 1
}

// swap computes the transposed product.
func (p *product) swap() {
	p.a, p.b, p.m, p.n = p.b, p.a, p.n, p.m
	p.rowA, p.colB, p.rowD, p.colD = p.colB, p.rowA, p.colD, p.rowD
	for i := range p.batch[:p.batches] {
		x := &p.batch[i]
		x.a, x.b = x.b, x.a
	}
	p.held[0], p.held[1] = p.held[1], p.held[0]
	p.grain.swap()
}

func (p *product) mergeRows() {
	for p.batches > 0 {
		last := p.batch[p.batches-1]
		if last.b != 0 || p.m != 1 && (last.a != p.m*p.rowA || last.d != p.m*p.rowD) {
			return
		}
		if p.m == 1 {
			p.rowA, p.rowD = last.a, last.d
		}
		p.m *= last.dim
		p.count /= max(1, last.dim)
		p.batches--
	}
}

// cutPieces cuts the sum into pieces if there are too few blocks to share.
func (p *product) cutPieces(blocks, workers, cost int) {
	leaves := max(1, p.grain.outermost())
	p.run, p.pieces = leaves, 1
	if workers == 1 || blocks >= 2*workers || cost < parallelCost || p.grain.empty() {
		return
	}
	p.run = runLength(leaves, 4*workers)
	p.pieces = (leaves + p.run - 1) / p.run
	if p.pieces > 1 {
		words[uint64](&p.partial, p.pieces*blocks*p.rowBlock*p.colBlock) // grown here, so that workers only read the slice
	}
}

func (p *product) do(worker, chunk int) {
	w := &p.scratch[worker]
	if p.joining {
		p.typed.join(p, w, p.unit(chunk, 0))
		return
	}
	p.typed.piece(p, w, p.unit(chunk/p.pieces, chunk%p.pieces))
}

// unit returns block number i: rows change first, so that consecutive blocks share the second operand.
func (p *product) unit(i, piece int) unit {
	u := unit{block: i, piece: piece, a: p.a.Offset, b: p.b.Offset, d: p.dst.Offset}
	u.row, i = i%p.rowBlocks*p.rowBlock, i/p.rowBlocks
	u.col, i = i%p.colBlocks*p.colBlock, i/p.colBlocks
	u.rows, u.cols = min(p.rowBlock, p.m-u.row), min(p.colBlock, p.n-u.col)
	for k := p.batches - 1; k >= 0; k-- {
		x := p.batch[k]
		at := i % x.dim
		i /= x.dim
		u.a, u.b, u.d = u.a+at*x.a, u.b+at*x.b, u.d+at*x.d
	}
	u.a += u.row * p.rowA
	u.b += u.col * p.colB
	u.d += u.row*p.rowD + u.col*p.colD
	return u
}
