package cuda

import "github.com/weir-ml/weir/backend"

// summed is an axis of a sum, with its strides in the sources.
type summed struct {
	dim     int
	strides []int
	within  int // what backend.Leaf takes as inner
}

// grain is how the contract cuts the summed axes: levels are axes of which every index is a leaf of its own, to be summed by the rest, so there is
// a tree for each place of them; each is of the leaves of the axis within, of several indices each.
type grain struct {
	levels     [backend.MaxRank]int64
	depth      int
	trees      nest
	leaves     int64
	leaf       int64 // indices of the cut axis in a leaf
	leafStride [2]int64
	leafTerms  int64 // of all leaves but the last
	lastTerms  int64
	terms      nest // of a leaf, in row-major order
}

// cut returns the grain of the axes, the outermost first. If there is no term there is no leaf.
func cut(axes []summed, limit int) grain {
	g := grain{leaves: 1, leaf: 1, leafTerms: 1, lastTerms: 1}
	for i, a := range axes {
		leaf := backend.Leaf(limit, a.within)
		if leaf > 1 || i == len(axes)-1 {
			g.cutAxis(a, axes[i+1:], leaf)
			break
		}
		g.levels[g.depth] = int64(a.dim)
		g.trees.push(a.dim, a.strides...)
		g.depth++
	}
	for _, a := range axes {
		if a.dim == 0 {
			return grain{}
		}
	}
	return g
}

// cutAxis cuts the axis into leaves, which span the axes within it.
func (g *grain) cutAxis(a summed, within []summed, leaf int) {
	terms := int64(1)
	g.terms.push(min(leaf, a.dim), a.strides...)
	for _, in := range within {
		terms *= int64(in.dim)
		g.terms.push(in.dim, in.strides...)
	}
	g.leaf, g.leaves = int64(leaf), ratio(int64(a.dim), int64(leaf))
	g.leafTerms = terms * min(g.leaf, int64(a.dim))
	g.lastTerms = terms * (int64(a.dim) - (g.leaves-1)*g.leaf)
	for k, s := range a.strides {
		g.leafStride[k] = g.leaf * int64(s)
	}
}

// even reports whether all terms of a leaf are a stride apart.
func (g *grain) even() bool { return g.terms.rank <= 1 }
