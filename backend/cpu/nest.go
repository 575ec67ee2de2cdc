package cpu

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// nest is the iteration space of a command, in row-major order: axes of one index are dropped, and neighbours that every operand
// can walk as one are merged. An empty or one-element space has one axis.
type nest struct {
	rank    int
	dims    [backend.MaxRank]int
	strides [][backend.MaxRank]int // by operand
}

// reset makes the nest of views of the same shape. It keeps the memory of the previous one.
func (n *nest) reset(views ...*backend.View) {
	n.begin(len(views))
	shape := views[0]
	for axis := range shape.Rank {
		n.push(shape.Dims[axis], axis, views)
	}
	n.end()
}

func (n *nest) begin(operands int) {
	n.rank = 0
	if cap(n.strides) < operands {
		n.strides = make([][backend.MaxRank]int, operands)
	}
	n.strides = n.strides[:operands]
}

// push appends an axis inside the others.
func (n *nest) push(dim, axis int, views []*backend.View) {
	if dim == 1 {
		return
	}
	if n.rank > 0 && n.merges(dim, axis, views) {
		n.dims[n.rank-1] *= dim
	} else {
		n.dims[n.rank] = dim
		n.rank++
	}
	for i := range n.strides {
		n.strides[i][n.rank-1] = views[i].Strides[axis]
	}
}

func (n *nest) merges(dim, axis int, views []*backend.View) bool {
	for i := range n.strides {
		if n.strides[i][n.rank-1] != dim*views[i].Strides[axis] {
			return false
		}
	}
	return true
}

func (n *nest) end() {
	if n.rank > 0 {
		return
	}
	n.rank, n.dims[0] = 1, 1
	for i := range n.strides {
		n.strides[i][0] = 1
	}
}

// len returns the number of elements.
func (n *nest) len() int {
	size := 1
	for _, d := range n.dims[:n.rank] {
		size *= d
	}
	return size
}

// run returns how many elements operand i has in row-major order without gaps, from any multiple of so many on.
func (n *nest) run(i int) int {
	run := 1
	for a := n.rank - 1; a >= 0 && n.strides[i][a] == run; a-- {
		run *= n.dims[a]
	}
	return run
}

// turn returns after how many elements in row-major order operand i begins anew.
func (n *nest) turn(i int) int {
	turn, all := 1, 1
	for a := n.rank - 1; a >= 0; a-- {
		all *= n.dims[a]
		if n.strides[i][a] != 0 {
			turn = all
		}
	}
	return turn
}

// constant reports whether operand i is one element everywhere.
func (n *nest) constant(i int) bool {
	for a := range n.rank {
		if n.strides[i][a] != 0 {
			return false
		}
	}
	return true
}

// cursor is a place in a nest.
type cursor struct {
	index [backend.MaxRank]int
}

// seek moves to element number i in row-major order.
func (c *cursor) seek(n *nest, i int) {
	for a := n.rank - 1; a > 0; a-- {
		d := n.dims[a]
		c.index[a] = i % d
		i /= d
	}
	c.index[0] = i
}

// offset returns where operand i has its element here, relative to its first.
func (c *cursor) offset(n *nest, i int) int {
	at := 0
	for a := range n.rank {
		at += c.index[a] * n.strides[i][a]
	}
	return at
}

// run returns how many elements are left along the innermost axis.
func (c *cursor) run(n *nest) int { return n.dims[n.rank-1] - c.index[n.rank-1] }

// skip moves on by elements of the innermost axis, at most run.
func (c *cursor) skip(n *nest, elements int) {
	a := n.rank - 1
	c.index[a] += elements
	for ; a > 0 && c.index[a] == n.dims[a]; a-- {
		c.index[a] = 0
		c.index[a-1]++
	}
}

// rect returns the largest rectangle of at most that many elements from here on: part of a row of the innermost axis, or several whole ones.
func (c *cursor) rect(n *nest, elements int) (rows, cols int) {
	in := n.rank - 1
	cols = n.dims[in]
	if in == 0 || c.index[in] != 0 || elements < cols {
		return 1, min(c.run(n), elements)
	}
	return min(n.dims[in-1]-c.index[in-1], elements/cols), cols
}

// pass moves behind a rectangle that rect returned.
func (c *cursor) pass(n *nest, rows, cols int) {
	if rows == 1 {
		c.skip(n, cols)
		return
	}
	a := n.rank - 2
	c.index[a] += rows
	for ; a > 0 && c.index[a] == n.dims[a]; a-- {
		c.index[a] = 0
		c.index[a-1]++
	}
}

// place returns where operand i, that begins at offset, has the rectangle that begins here.
func (c *cursor) place(n *nest, i, offset int) rect {
	r := rect{at: offset + c.offset(n, i), col: n.strides[i][n.rank-1]}
	if n.rank > 1 {
		r.row = n.strides[i][n.rank-2]
	}
	return r
}

// elements returns the whole buffer of v as elements of T, which must have the size of v's dtype; v.Offset is an index in it. A
// Buffer's memory is bytes, aligned for any T.
func elements[T any](v *backend.View) []T {
	var t T
	host := v.Buf.Host
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(host))), len(host)/int(unsafe.Sizeof(t)))
}

// words returns n elements of T in memory that grows as needed and is kept between calls.
func words[T any](memory *[]uint64, n int) []T {
	var t T
	need := (n*int(unsafe.Sizeof(t)) + 7) / 8
	if cap(*memory) < need {
		*memory = make([]uint64, need+need/4)
	}
	block := (*memory)[:cap(*memory)]
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(block))), n)
}
