package cpu

import (
	"math/bits"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// Tile is the inner loop of a matrix product for one float type: a block of the result that is small enough for the registers.
type Tile struct {
	Rows, Cols int // of the largest block
	Rate       int // multiply-adds in a nanosecond, roughly; 4 at least
	Multiply   Multiply
	Dots       *Dots  // or nil
	Outer      *Outer // or nil
}

// Multiply computes a block of at most that many rows and columns, one of each at least. For i < rows and j < cols it sets
//
//	c[i·rowC + j] = Σ a[i·rowA + k·termA] · b[k·termB + j],  k < terms
//
// or, if add, adds the finished sum to what is there. Strides count elements. Every sum has the same order of terms and the same
// roundings, whatever rows, cols and strides are, so that a row of a product has the same bits wherever its block is cut. There are at most
// [backend.MatMulGrain] terms. Nothing outside of the operands is touched.
type Multiply func(c unsafe.Pointer, rowC int, a unsafe.Pointer, rowA, termA int, b unsafe.Pointer, termB, terms, rows, cols int, add bool)

const (
	tileRows     = 8       // tiles in a block of rows
	tileCols     = 8       // tiles in a block of columns
	wideRows     = 16      // the same of a product with several blocks of columns: for each block of rows all of the second operand passes by,
	wideCols     = 16      // and for each block of columns the first operand is copied anew
	page         = 4096    // lines this far apart meet in one set of the L1 cache
	nearby       = 512     // bytes between terms up to which the second operand is read where it lies
	lessNear     = 1024    // the same where a copy would serve no more than someRows
	someRows     = 512     // rows of the whole product
	fewRows      = 2       // tiles of rows for which copying the second operand does not pay
	keptElements = 1 << 20 // of copies of the second operand that a worker keeps
	cacheStride  = 16      // elements between the copied rows of the first operand, beyond their length
)

// tiled is the matrix product of elements of T by a [Tile] of A.
type tiled[T any, A float] struct {
	*multiply[T, A]
	tile *Tile
	plus Kernel // adds elements of A
}

// withTiles returns the multipliers, of which those that have a tile use it.
func (k *Kernels) withTiles() [backend.Float64 + 1]multiplier {
	all := multipliers
	if k.Tile == nil {
		return all
	}
	if tile := k.Tile(backend.Float32); tile != nil {
		plus := k.instr(backend.Add, backend.Float32)
		all[backend.Float16] = tileOver[f16, float32](all[backend.Float16], tile, plus)
		all[backend.BFloat16] = tileOver[bf16, float32](all[backend.BFloat16], tile, plus)
		all[backend.Float32] = tileOver[float32, float32](all[backend.Float32], tile, plus)
	}
	if tile := k.Tile(backend.Float64); tile != nil {
		all[backend.Float64] = tileOver[float64, float64](all[backend.Float64], tile, k.instr(backend.Add, backend.Float64))
	}
	return all
}

func tileOver[T any, A float](m multiplier, t *Tile, plus Kernel) multiplier {
	return &tiled[T, A]{m.(*multiply[T, A]), t, plus}
}

// layout turns the product so that the columns of its result lie side by side, and cuts it into blocks: smaller ones if the workers would
// otherwise have too few to share evenly.
func (f *tiled[T, A]) layout(p *product, workers int) {
	p.rate = f.tile.Rate
	if d := f.tile.Dots; d != nil && p.n <= d.Cols {
		p.dots, p.rowBlock, p.colBlock = true, dotRows, d.Cols
		return
	}
	if p.colD != 1 && p.rowD == 1 && p.n > 1 {
		p.swap()
	}
	p.rowBlock, p.colBlock = tileRows*f.tile.Rows, tileCols*f.tile.Cols
	if p.m > p.rowBlock && p.n > p.colBlock {
		p.colBlock = evenBlock(p.n, f.tile.Cols, wideCols)
		if rows := wideRows * f.tile.Rows; workers == 1 || p.count*p.m*p.n >= 8*workers*rows*p.colBlock {
			p.rowBlock = rows
		}
	}
	if workers > 1 && p.m > p.rowBlock && p.count*p.m*p.n < 4*workers*p.rowBlock*p.colBlock {
		p.rowBlock /= 2
	}
}

// evenBlock cuts n columns into as few blocks of at most that many tiles as can be, and those into equal ones.
func evenBlock(n, cols, most int) int {
	tiles := (n + cols - 1) / cols
	blocks := (tiles + most - 1) / most
	return (tiles + blocks - 1) / blocks * cols
}

func (f *tiled[T, A]) piece(p *product, w *productScratch, u unit) {
	if p.grain.empty() {
		f.zero(p, u)
		return
	}
	t := tiledBlock[T, A]{tiled: f, p: p, w: w, u: u, a: elements[T](&p.a), b: elements[T](&p.b)}
	t.plan()
	lo := u.piece * p.run
	n := min(p.run, p.grain.outermost()-lo)
	if p.pieces > 1 {
		t.sum(area[A]{f.partial(p, u, u.piece), u.cols}, 0, u.a, u.b, lo, n, 0, false)
		return
	}
	direct, ok := t.destination()
	if ok && n > 2 && !p.accumulate {
		t.sumHalves(direct, lo, n)
		return
	}
	if ok {
		t.sum(direct, 0, u.a, u.b, lo, n, 0, p.accumulate)
		return
	}
	total := t.block(0)
	t.sum(total, 0, u.a, u.b, lo, n, 1, false)
	f.store(p, u, total.at)
}

// area is where the sums of a block go: its elements from the first on, and the stride of its rows.
type area[A float] struct {
	at  []A
	row int
}

// tiledBlock computes one block of the result.
type tiledBlock[T any, A float] struct {
	*tiled[T, A]
	p            *product
	w            *productScratch
	u            unit
	a, b         []T
	spare        []A // blocks of sums, one for each depth of the trees
	termA, termB int // strides, if even
	evenA, evenB bool
	placedA      bool // whether the places of the terms are listed
	placedB      bool
	seen         int // leaves of the second operand that were copied or found copied
}

// plan lays out the scratch memory.
func (t *tiledBlock[T, A]) plan() {
	g, w := &t.p.grain, t.w
	depth := 2 + bits.Len(uint(g.leaves()))
	for _, l := range g.levels[:g.depth] {
		depth += bits.Len(uint(l.dim))
	}
	t.spare = words[A](&w.nodes, depth*t.u.rows*t.u.cols)
	t.termA, t.evenA = g.evenStride(0)
	t.termB, t.evenB = g.evenStride(1)
}

// destination returns the place of the block in the result, if sums can be written there as they come.
func (t *tiledBlock[T, A]) destination() (area[A], bool) {
	p, u := t.p, t.u
	if p.colD != 1 && u.cols > 1 || p.rowD < 0 {
		return area[A]{}, false
	}
	dst, same := any(elements[T](&p.dst)).([]A)
	if !same {
		return area[A]{}, false
	}
	return area[A]{dst[u.d:], p.rowD}, true
}

// sum writes or adds the sum of n leaves of one level, from lo on, in the order of [backend.TreeSplit]. The blocks of spare from number
// depth on are free.
func (t *tiledBlock[T, A]) sum(dst area[A], level, a, b, lo, n, depth int, add bool) {
	if n == 1 {
		t.one(dst, level, a, b, lo, depth, add)
		return
	}
	if add {
		part := t.block(depth)
		t.sum(part, level, a, b, lo, n, depth+1, false)
		t.addAreas(dst, dst, part)
		return
	}
	left := backend.TreeSplit(n)
	t.sum(dst, level, a, b, lo, left, depth, false)
	t.sum(dst, level, a, b, lo+left, n-left, depth, true)
}

// one writes or adds leaf i of a level: of the last level the sum of its terms, of another the sum of the level below.
func (t *tiledBlock[T, A]) one(dst area[A], level, a, b, i, depth int, add bool) {
	g := &t.p.grain
	if level == g.depth {
		from := i * g.leaf
		t.leaf(dst, a+from*g.cut.stride[0], b+from*g.cut.stride[1], g.terms(min(g.leaf, g.cut.dim-from)), add)
		return
	}
	below := g.leaves()
	if level+1 < g.depth {
		below = g.levels[level+1].dim
	}
	x := &g.levels[level]
	t.sum(dst, level+1, a+i*x.stride[0], b+i*x.stride[1], 0, below, depth, add)
}

// sumHalves writes the sum of n leaves of the first level, from lo on. The halves of the tree are summed in scratch memory, which stays in the
// cache, so that the result, which may be far away, is written once.
func (t *tiledBlock[T, A]) sumHalves(dst area[A], lo, n int) {
	half := backend.TreeSplit(n)
	left, right := t.block(0), t.block(1)
	t.sum(left, 0, t.u.a, t.u.b, lo, half, 2, false)
	t.sum(right, 0, t.u.a, t.u.b, lo+half, n-half, 2, false)
	t.addAreas(dst, left, right)
}

// block returns a block of spare.
func (t *tiledBlock[T, A]) block(i int) area[A] {
	size := t.u.rows * t.u.cols
	return area[A]{t.spare[i*size : (i+1)*size], t.u.cols}
}

// addAreas sets dst to left + right.
func (t *tiledBlock[T, A]) addAreas(dst, left, right area[A]) {
	cols := t.u.cols
	for i := range t.u.rows {
		for j := 0; j < cols; j += blockLen {
			t.plus(pointer(dst.at, i*dst.row+j), pointer(left.at, i*left.row+j), pointer(right.at, i*right.row+j), nil, min(blockLen, cols-j))
		}
	}
}

// leaf writes or adds the sums of one leaf of terms.
func (t *tiledBlock[T, A]) leaf(dst area[A], a, b, terms int, add bool) {
	switch {
	case t.p.dots:
		t.dots(dst, a, b, terms, add)
	case t.tile.Outer != nil && terms <= t.tile.Outer.Terms:
		t.outer(dst, a, b, terms, add)
	default:
		t.tiles(dst, a, b, terms, add)
	}
}

// tiles writes or adds the sums of a leaf tile by tile. A strip of columns of the second operand stays in the L1 cache while all rows of
// the first pass by.
func (t *tiledBlock[T, A]) tiles(dst area[A], a, b, terms int, add bool) {
	u, tile := t.u, t.tile
	left := t.left(a, terms)
	right, panel := t.right(b, terms)
	for j := 0; j < u.cols; j += tile.Cols {
		t.strip(dst, left, pointer(right.at, j/tile.Cols*panel), right.term, terms, j, min(tile.Cols, u.cols-j), add)
	}
}

// strip writes or adds the sums of a strip of columns from number j on, no more than a tile has.
func (t *tiledBlock[T, A]) strip(dst area[A], left lines[A], right unsafe.Pointer, termB, terms, j, cols int, add bool) {
	tile, rows := t.tile, t.u.rows
	for i := 0; i < rows; i += tile.Rows {
		tile.Multiply(pointer(dst.at, i*dst.row+j), dst.row, pointer(left.at, i*left.line), left.line, left.term,
			right, termB, terms, min(tile.Rows, rows-i), cols, add)
	}
}

func pointer[T any](x []T, at int) unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(x)), at*int(unsafe.Sizeof(x[0])))
}
