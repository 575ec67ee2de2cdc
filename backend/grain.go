package backend

import "math/bits"

// The grain of sums. A sum over several axes is defined by recursion on the outermost summed axis: its indices are cut into
// leaves of [Leaf] consecutive indices, and the leaves are added by [TreeSplit]. A leaf of several indices is summed in an
// order that the backend chooses from the leaf's shape alone. A leaf of one index is the sum over the remaining summed axes, by
// the same rule.
//
// Leaves and every run of 2^k leaves that starts at a multiple of 2^k are subtrees, so a sum can be computed in pieces, by any
// number of workers, in any order, with the same bits. Only the outermost axis is cut, so pieces are whole samples when
// the batch is the outermost axis.
const (
	// ReduceGrain is the number of elements of the source that a leaf of a reduction spans at the most, kept axes included.
	ReduceGrain = 4096
	// MatMulGrain is the number of terms that a leaf of a matrix product sums at the most.
	MatMulGrain = 256
)

// Leaf returns how many indices of an axis form a leaf: the largest power of two of which each spans inner, and all
// together at most grain; at least 1.
//
// In a reduction inner is the number of source elements within one index of the axis, reduced or kept. In a matrix product it is
// the number of terms within one index: the product of the summed axes inside it, 1 for the innermost.
func Leaf(grain, inner int) int {
	if inner <= 0 || inner >= grain {
		return 1
	}
	return 1 << (bits.Len(uint(grain/inner)) - 1)
}

// TreeSplit returns how many of n ≥ 2 leaves the left subtree holds: the largest power of two less than n.
func TreeSplit(n int) int { return 1 << (bits.Len(uint(n-1)) - 1) }
