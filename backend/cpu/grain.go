package cpu

import "github.com/weir-ml/weir/backend"

// axis is one axis of a nest of two operands.
type axis struct {
	dim    int
	stride [2]int
}

// grain is how the contract cuts the summed axes of a reduction or a matrix product: levels are axes of which every index is a
// leaf of its own, to be summed by the rest; then cut is the axis with the leaves of several indices, or the last, and inner are the
// axes within it. All leaves of a level are alike but the last one of cut.
type grain struct {
	levels [backend.MaxRank]axis
	depth  int
	cut    axis
	leaf   int // indices of cut in a leaf
	inner  [backend.MaxRank]axis
	inners int
}

// reset cuts the summed axes, outermost first; within[i] is what [backend.Leaf] takes as inner for axis i.
func (g *grain) reset(summed []axis, within []int, limit int) {
	*g = grain{}
	for i, a := range summed {
		g.cut, g.leaf = a, backend.Leaf(limit, within[i])
		if g.leaf > 1 || i == len(summed)-1 {
			g.inners = copy(g.inner[:], summed[i+1:])
			return
		}
		g.levels[g.depth] = a
		g.depth++
	}
	g.cut, g.leaf = axis{dim: 1}, 1
}

// swap exchanges the operands.
func (g *grain) swap() {
	for i := range g.levels {
		g.levels[i].swap()
		g.inner[i].swap()
	}
	g.cut.swap()
}

func (a *axis) swap() { a.stride[0], a.stride[1] = a.stride[1], a.stride[0] }

// outermost returns the number of leaves of the outermost tree.
func (g *grain) outermost() int {
	if g.depth > 0 {
		return g.levels[0].dim
	}
	return g.leaves()
}

// leaves returns the number of leaves of the cut axis.
func (g *grain) leaves() int { return (g.cut.dim + g.leaf - 1) / g.leaf }

// allLeaves returns the number of leaves of all levels.
func (g *grain) allLeaves() int {
	n := g.leaves()
	for _, a := range g.levels[:g.depth] {
		n *= a.dim
	}
	return n
}

// terms returns the number of terms of a leaf of that many indices.
func (g *grain) terms(indices int) int {
	for _, a := range g.inner[:g.inners] {
		indices *= a.dim
	}
	return indices
}

// maxTerms returns the number of terms of the largest leaf.
func (g *grain) maxTerms() int { return g.terms(min(g.leaf, g.cut.dim)) }

// empty reports whether there is nothing to sum.
func (g *grain) empty() bool {
	for _, a := range g.levels[:g.depth] {
		if a.dim == 0 {
			return true
		}
	}
	return g.terms(g.cut.dim) == 0
}

// offsets lists where the terms of a leaf of that many indices are in operand i, relative to the first, in row-major order.
func (g *grain) offsets(dst []int, i, indices int) []int {
	dst = dst[:g.terms(indices)]
	if len(dst) == 0 {
		return dst
	}
	dst[0] = 0
	done := 1
	for k := g.inners - 1; k >= 0; k-- {
		done = repeatShifted(dst, done, g.inner[k].dim, g.inner[k].stride[i])
	}
	repeatShifted(dst, done, indices, g.cut.stride[i])
	return dst
}

// repeatShifted makes n copies of dst[:done] follow each other, each moved by a stride further, and returns their length.
func repeatShifted(dst []int, done, n, stride int) int {
	for c := 1; c < n; c++ {
		shift := c * stride
		for j, o := range dst[:done] {
			dst[c*done+j] = o + shift
		}
	}
	return done * n
}

// evenStride returns the stride of the terms in operand i if it is the same from each to the next.
func (g *grain) evenStride(i int) (stride int, even bool) {
	span := 1
	for k := g.inners - 1; k >= 0; k-- {
		a := g.inner[k]
		if a.dim == 1 {
			continue
		}
		if span > 1 && a.stride[i] != stride*span {
			return 0, false
		}
		if span == 1 {
			stride = a.stride[i]
		}
		span *= a.dim
	}
	if span == 1 {
		return g.cut.stride[i], true
	}
	return stride, g.cut.dim == 1 || g.leaf == 1 || g.cut.stride[i] == stride*span
}

// runLength returns into how long runs of leaves, a power of two, n leaves are cut so that there are some pieces.
func runLength(n, pieces int) int {
	length := 1
	for length*pieces < n {
		length *= 2
	}
	return length
}
