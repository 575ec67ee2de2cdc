package cuda

import (
	"fmt"
	"math/bits"

	"github.com/weir-ml/weir/backend"
)

// matmulParams has the layout of MatMul in kernels/matmul.h, which says what it means.
type matmulParams struct {
	a, b, d                       uint64
	rows, cols                    int64
	rowA, colB, rowD, colD        int64
	termA, termB, leafA, leafB    int64
	total                         int64
	rowTiles, colTiles, batches   int64
	leaves, leafBlocks            int32
	leafTerms, lastTerms          int32
	run, even, wideA, wideB       int32
	wideD, partial, accumulate, _ int32
	batch, trees, terms           nest
	then                          epilogue
}

// product is a matrix product that is being lowered.
//
// The kept batch axes and the tiles of the results are shared out among blocks; where that is little, so are the leaves of the sum, and then the
// kernels of reductions add the totals of the blocks.
type product struct {
	d, a, b    *backend.View
	accumulate bool
	grain      grain
	arithmetic arithmetic
	kept       []batchAxis
	then       epilogue
	params     matmulParams
}

// batchAxis is a kept batch axis.
type batchAxis struct{ axis, dim, a, b int }

// arithmetic is a way to multiply: its name in those of the kernels, and its kernels' tiles, the best first.
type arithmetic struct {
	name  string
	tiles []tile
	swaps bool // whether a product and its transpose have the same bits
}

// tile is the part of a result that a block computes.
type tile struct {
	rows, cols  int64
	threads     uint32
	stages      int64
	room        int64 // bytes of a stage between the terms of its panels
	least, most int64 // columns that it is for
}

func (t tile) String() string { return fmt.Sprintf("%dx%d", t.rows, t.cols) }

var (
	exactTiles = []tile{
		{rows: 128, cols: 8, threads: 128, stages: 2, most: 8},
		{rows: 128, cols: 128, threads: 256, stages: 2, least: 65},
		{rows: 64, cols: 64, threads: 128, stages: 2, least: 33},
		{rows: 32, cols: 32, threads: 64, stages: 2},
	}
	doubleTiles = []tile{
		{rows: 64, cols: 64, threads: 256, stages: 2, least: 33},
		{rows: 32, cols: 32, threads: 64, stages: 2},
	}
	tensorTiles = []tile{
		{rows: 128, cols: 128, threads: 256, stages: 3, room: 1024, least: 33},
		{rows: 32, cols: 32, threads: 128, stages: 3, room: 1024},
	}
)

// checkPrecision returns an error if no arithmetic has that name.
func checkPrecision(name string) error {
	switch name {
	case "", "tf32", "3xtf32":
		return nil
	}
	return fmt.Errorf("no precision %q; want \"tf32\", \"3xtf32\" or, for exact products, none", name)
}

// checkMatMul returns an error if products cannot be computed as the options say.
func checkMatMul(o backend.Options) error {
	switch {
	case o.MatMul == "":
		return nil
	case o.MatMul != cublasLtName:
		return fmt.Errorf("no matmul %q; want %q or, for products by kernels of its own, none", o.MatMul, cublasLtName)
	case o.Precision == "3xtf32":
		return fmt.Errorf("precision %q with matmul %q, which does not have it; want \"tf32\" or, for float32, none", o.Precision, o.MatMul)
	}
	return nil
}

// arithmeticOf returns how products of the type are computed, float32 in the precision that the device was opened with.
func arithmeticOf(d backend.DType, precision string) arithmetic {
	switch {
	case d == backend.Float64:
		return arithmetic{"f64", doubleTiles, true}
	case d != backend.Float32:
		return arithmetic{suffixes[d], tensorTiles, false}
	case precision != "":
		return arithmetic{precision, tensorTiles, false}
	}
	return arithmetic{"f32", exactTiles, true}
}

// mostShared is how much shared memory every GPU gives to a block that asks for it: 99 KiB from sm_86 on, of which the driver takes one.
const mostShared = 98 << 10

// lowerMatMul lowers the first of some commands, and the second with it if that can be its epilogue. It returns how many it has lowered.
func lowerMatMul(b *batch, cmds []backend.Cmd) int {
	c := &cmds[0]
	d := &c.Dst[0]
	p := product{d: d, a: &c.Src[0], b: &c.Src[1], accumulate: c.Accumulate, arithmetic: arithmeticOf(d.DType, b.on.precision())}
	p.split()
	if d.Len() == 0 || p.grain.leaves == 0 && p.accumulate {
		return 1
	}
	if p.lowerToLibrary(b) {
		return 1
	}
	t, lowered := p.choose(), 1
	run := p.share(t)
	if p.totals(run) == 1 && p.conclude(cmds[1:]) {
		lowered = 2
	}
	p.lower(b, t, run)
	return lowered
}

// totals returns how many totals of blocks a result is the sum of, if each block sums a run of leaves.
func (p *product) totals(run int64) int64 {
	return p.grain.trees.len() * max(1, ratio(p.grain.leaves, run))
}

// split divides the axes into rows, columns, kept batch axes and summed ones.
func (p *product) split() {
	m, n := p.d.Rank-2, p.d.Rank-1
	var axes []summed
	for i := range m {
		switch {
		case p.a.Dims[i] != p.d.Dims[i]:
			axes = append(axes, summed{dim: p.a.Dims[i], strides: []int{p.a.Strides[i], p.b.Strides[i]}})
		case p.d.Dims[i] != 1:
			p.kept = append(p.kept, batchAxis{i, p.d.Dims[i], p.a.Strides[i], p.b.Strides[i]})
		}
	}
	axes = append(axes, summed{dim: p.a.Dims[n], strides: []int{p.a.Strides[n], p.b.Strides[m]}})
	within := 1
	for i := len(axes) - 1; i >= 0; i-- {
		axes[i].within = within
		within *= axes[i].dim
	}
	p.grain = cut(axes, backend.MatMulGrain)
}

// lay lays out the parameters of a product with results of that type at d.
func (p *product) lay(d *backend.View) {
	m, n := d.Rank-2, d.Rank-1
	g := &p.grain
	p.params = matmulParams{
		a: address(p.a), b: address(p.b), d: address(d), rows: int64(d.Dims[m]), cols: int64(d.Dims[n]),
		rowA: int64(p.a.Strides[m]), colB: int64(p.b.Strides[n]), rowD: int64(d.Strides[m]), colD: int64(d.Strides[n]),
		termA: g.terms.inner(0), termB: g.terms.inner(1), leafA: g.leafStride[0], leafB: g.leafStride[1],
		leaves: int32(g.leaves), leafTerms: int32(g.leafTerms), lastTerms: int32(g.lastTerms), trees: g.trees, terms: g.terms,
		then: p.then,
	}
	if g.even() {
		p.params.even = 1
	}
	kept := p.mergeRows(d)
	for _, x := range kept {
		p.params.batch.push(x.dim, x.a, x.b, d.Strides[x.axis])
	}
	p.params.batches = p.params.batch.len()
	if p.arithmetic.swaps && (p.params.rows <= 8 && p.params.cols > 8 || p.params.colD != 1 && p.params.rowD == 1) {
		p.params.swap()
	}
}

// mergeRows makes rows of the inner kept batch axes over which b does not change, so that a batch times one matrix is one tall product. It returns the
// others.
func (p *product) mergeRows(d *backend.View) []batchAxis {
	kept := p.kept
	q := &p.params
	for len(kept) > 0 {
		x := kept[len(kept)-1]
		strideD := int64(d.Strides[x.axis])
		follows := int64(x.a) == q.rows*q.rowA && strideD == q.rows*q.rowD
		if x.b != 0 || q.rows != 1 && !follows {
			break
		}
		if q.rows == 1 {
			q.rowA, q.rowD = int64(x.a), strideD
		}
		q.rows *= int64(x.dim)
		kept = kept[:len(kept)-1]
	}
	return kept
}

// swap makes it the transposed product.
func (q *matmulParams) swap() {
	q.a, q.b, q.rows, q.cols = q.b, q.a, q.cols, q.rows
	q.rowA, q.colB, q.rowD, q.colD = q.colB, q.rowA, q.colD, q.rowD
	q.termA, q.termB, q.leafA, q.leafB = q.termB, q.termA, q.leafB, q.leafA
	q.then.rowBias, q.then.colBias = q.then.colBias, q.then.rowBias
	for _, n := range []*nest{&q.batch, &q.trees, &q.terms} {
		n.strides[0], n.strides[1] = n.strides[1], n.strides[0]
	}
}

// choose returns the first tile that is for so many columns and of which there are enough for all multiprocessors, or else the last.
func (p *product) choose() tile {
	p.lay(p.d)
	tiles := p.arithmetic.tiles
	for _, t := range tiles[:len(tiles)-1] {
		q := &p.params
		fits := q.cols >= t.least && (t.most == 0 || q.cols <= t.most) && 2*q.rows > t.rows
		if fits && ratio(q.rows, t.rows)*ratio(q.cols, t.cols)*q.batches*q.trees.len()*max(1, int64(q.leaves)) >= processors {
			return t
		}
	}
	return tiles[len(tiles)-1]
}

// lower launches the product in that tile, each block summing a run of leaves, and what adds up their results if there are several.
func (p *product) lower(b *batch, t tile, run int64) {
	trees, runs := p.grain.trees.len(), max(1, ratio(p.grain.leaves, run))
	if p.totals(run) == 1 {
		p.lay(p.d)
		p.launch(b, t, run)
		return
	}
	lanes, carrier := p.d.Len(), carried(p.d.DType)
	buffer := backend.Buffer{Addr: uintptr(b.scratch(int(trees*runs) * lanes * carrier.Size()))}
	partial := backend.Contiguous(&buffer, carrier, p.d.Shape()...)
	p.lay(&partial)
	p.params.total, p.params.partial = int64(lanes), 1
	p.launch(b, t, run)
	r := reduction{
		op: backend.ReduceSum, dst: p.d, dtype: p.d.DType, accumulate: p.accumulate, lane: nestOf(-1, p.d, p.d),
		grain: p.grain, depth: p.grain.depth, trees: trees, leaves: runs, partial: uint64(buffer.Addr),
	}
	for !r.done() {
		r.join(b)
	}
}

// share returns how many leaves a block sums: as many as leave enough blocks for all multiprocessors, while the nodes of their tree fit into shared
// memory. The product has been laid out.
func (p *product) share(t tile) (run int64) {
	q := &p.params
	tiles := ratio(q.rows, t.rows) * ratio(q.cols, t.cols) * q.batches * q.trees.len()
	run = 1
	for run < p.grain.leaves && tiles*ratio(p.grain.leaves, 2*run) >= 2*processors && p.shared(t, 2*run) <= mostShared {
		run *= 2
	}
	return run
}

// shared returns the shared memory that a block needs: the panels of all stages, 64 bytes a line and some room, and a node for each level of a tree
// of run leaves; or the results, in rows.
func (p *product) shared(t tile, run int64) int64 {
	size := int64(carried(p.d.DType).Size())
	panels := t.stages * (64*(t.rows+t.cols) + t.room)
	nodes := int64(bits.Len64(uint64(run-1))) * t.rows * t.cols * size
	return max(panels+nodes, t.rows*(t.cols+8)*size)
}

// launch launches the kernel, each block of which sums a run of leaves.
func (p *product) launch(b *batch, t tile, run int64) {
	q := &p.params
	q.run, q.leafBlocks = int32(run), int32(max(1, ratio(p.grain.leaves, run)))
	q.rowTiles, q.colTiles = ratio(q.rows, t.rows), ratio(q.cols, t.cols)
	if p.accumulate && q.partial == 0 {
		q.accumulate = 1
	}
	alongA, alongB := closer(q.termA, q.rowA), closer(q.termB, q.colB)
	q.widen(p.d.DType, alongA, alongB)
	l := launch{
		kernel: "matmul_" + p.arithmetic.name + "_" + t.String() + "_" + layoutOf(alongA) + layoutOf(alongB),
		grid:   line(q.rowTiles * q.colTiles * q.batches * q.trees.len() * int64(q.leafBlocks)),
		block:  [3]uint32{t.threads},
		shared: uint32(p.shared(t, run)),
	}
	add(b, l, q)
}

// closer reports whether the terms of a line are closer together than lines are.
func closer(term, line int64) bool { return term == 1 || line != 1 && distance(term) <= distance(line) }

func layoutOf(along bool) string {
	if along {
		return "k"
	}
	return "l"
}

// widen finds which operands can be moved 16 bytes at a time.
func (q *matmulParams) widen(d backend.DType, alongA, alongB bool) {
	width := int64(wideBytes / d.Size())
	q.wideA = q.wide(0, q.a, alongA, q.termA, q.rowA, q.leafA, width)
	q.wideB = q.wide(1, q.b, alongB, q.termB, q.colB, q.leafB, width)
	if q.partial != 0 {
		width = int64(wideBytes / carried(d).Size())
	}
	if q.colD == 1 && aligned(width, int64(q.d)*width/wideBytes, q.cols, q.rowD, q.total) && q.batch.aligned(2, width) {
		q.wideD = 1
	}
}

// wide returns 1 if operand k can be moved so.
func (q *matmulParams) wide(k int, at uint64, along bool, term, line, leaf, width int64) int32 {
	unit, other := line, term
	if along {
		unit, other = term, line
	}
	terms := q.even != 0 || !along && q.terms.aligned(k, width)
	if q.even == 0 {
		other = 0 // the nest says where terms are
	}
	if unit != 1 || !terms || at%wideBytes != 0 || !aligned(width, other, leaf) || !q.batch.aligned(k, width) || !q.trees.aligned(k, width) {
		return 0
	}
	return 1
}

// aligned reports whether all of the numbers are multiples of width.
func aligned(width int64, numbers ...int64) bool {
	for _, n := range numbers {
		if n%width != 0 {
			return false
		}
	}
	return true
}
