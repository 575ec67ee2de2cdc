package cuda

import (
	"strconv"

	"github.com/weir-ml/weir/backend"
)

const (
	// copyThreads is the size of a block of a copy, and copyBlocks how many there are at most: then threads take several elements.
	copyThreads = 256
	copyBlocks  = 1 << 20
	// tileSide is the side of the squares in which a transposing copy moves, and tileRows how many of its rows a block takes at a time.
	tileSide, tileRows = 32, 8
	// leastTransposed is the side of the smallest matrix that is copied so.
	leastTransposed = 8
)

// copyParams has the layout of Copy in kernels/copy.cu.
type copyParams struct {
	dst, src uint64
	n        int64
	nest     nest
}

// transposeParams has the layout of Transpose in kernels/copy.cu.
type transposeParams struct {
	dst, src             uint64
	tiles                int64
	rows, columns        int64
	dstRow, srcRow       int64
	dstColumn, srcColumn int64
	matrices             nest
}

// castProgs are the programs of one Cast, by source and destination type.
var castProgs = func() map[[2]backend.DType]*backend.Prog {
	progs := map[[2]backend.DType]*backend.Prog{}
	for _, from := range backend.DTypes() {
		for _, to := range backend.DTypes() {
			p, err := backend.NewProg([]backend.DType{from}, nil, []backend.Instr{{Op: backend.Cast, DType: to}}, []backend.Value{1})
			if err != nil {
				panic(err)
			}
			progs[[2]backend.DType{from, to}] = p
		}
	}
	return progs
}()

func lowerCopy(b *batch, c *backend.Cmd) {
	dst, src := &c.Dst[0], &c.Src[0]
	if dst.DType != src.DType {
		b.runProgram(castProgs[[2]backend.DType{src.DType, dst.DType}], nil, c.Dst, c.Src)
		return
	}
	b.move(dst, src)
}

// move copies between views of one shape and type.
func (b *batch) move(dst, src *backend.View) {
	n, size := dst.Len(), dst.DType.Size()
	if n == 0 {
		return
	}
	if dst.IsContiguous() && src.IsContiguous() && b.copy(address(dst), address(src), n*size) {
		return
	}
	p := copyParams{dst: address(dst), src: address(src), nest: nestOf(-1, dst, src)}
	if t, turns := p.transposed(); turns {
		add(b, launch{kernel: "transpose_b" + strconv.Itoa(size), grid: line(min(t.tiles, copyBlocks)), block: [3]uint32{tileSide, tileRows}}, &t)
		return
	}
	for size < wideBytes && p.widen(uint64(size)) {
		size *= 2
	}
	p.n = p.nest.len()
	add(b, launch{kernel: "copy_b" + strconv.Itoa(size), grid: covering(p.n, copyThreads, copyBlocks), block: [3]uint32{copyThreads}}, &p)
}

// widen makes one element of two neighbours, if they lie together everywhere and are aligned.
func (p *copyParams) widen(size uint64) bool {
	n := &p.nest
	inner := n.rank - 1
	if inner < 0 || n.dims[inner]%2 != 0 || n.strides[0][inner] != 1 || n.strides[1][inner] != 1 || (p.dst|p.src)%(2*size) != 0 {
		return false
	}
	for a := range inner {
		if (n.strides[0][a]|n.strides[1][a])%2 != 0 {
			return false
		}
	}
	n.dims[inner] /= 2
	for a := range inner {
		n.strides[0][a] /= 2
		n.strides[1][a] /= 2
	}
	return true
}

// transposed returns the copy as one of matrices whose rows are dense in the source and whose columns are dense in the destination, if it is one.
func (p *copyParams) transposed() (t transposeParams, ok bool) {
	n := &p.nest
	row, column := n.densest(1), n.densest(0)
	if row < 0 || row == column || n.dims[row] < leastTransposed || n.dims[column] < leastTransposed {
		return t, false
	}
	t = transposeParams{
		dst: p.dst, src: p.src, rows: n.dims[row], columns: n.dims[column],
		dstRow: n.strides[0][row], srcRow: n.strides[1][row], dstColumn: n.strides[0][column], srcColumn: n.strides[1][column],
	}
	for a := range int(n.rank) {
		if a != row && a != column {
			t.matrices.push(int(n.dims[a]), int(n.strides[0][a]), int(n.strides[1][a]))
		}
	}
	t.tiles = ratio(t.rows, tileSide) * ratio(t.columns, tileSide) * t.matrices.len()
	return t, true
}

// densest returns the axis along which the elements of operand k are nearest to each other, but not the same: the innermost of several. It is −1 if
// there is none.
func (n *nest) densest(k int) int {
	best := -1
	for a := int(n.rank) - 1; a >= 0; a-- {
		s := distance(n.strides[k][a])
		if s != 0 && (best < 0 || s < distance(n.strides[k][best])) {
			best = a
		}
	}
	return best
}
