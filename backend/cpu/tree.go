package cpu

import (
	"math/bits"
	"unsafe"
)

// tree adds a row of equal vectors, the leaves, in the order of [backend.TreeSplit] as they come. Node i is the sum of 2^i
// leaves, so its left neighbour in the row is always the node above it: n leaves need no more than log₂ n + 1 vectors.
type tree[A number] struct {
	nodes []A // depth vectors
	width int
	full  int // leaves added; its bits say which nodes are in use
	merge func(left, right []A)
}

// treeDepth returns how many vectors the tree of n leaves needs.
func treeDepth(n int) int { return bits.Len(uint(n)) + 1 }

// leaf returns where the next leaf is to be written.
func (t *tree[A]) leaf() []A { return t.node(treeTop) }

// treeTop is the place of the newest leaf, below all nodes.
const treeTop = -1

func (t *tree[A]) node(i int) []A {
	i++
	return t.nodes[i*t.width : (i+1)*t.width]
}

// add takes in the leaf: merge(left, right) leaves left op right in right.
func (t *tree[A]) add() {
	carry := t.leaf()
	i := 0
	for ; t.full>>i&1 == 1; i++ {
		t.merge(t.node(i), carry)
	}
	copy(t.node(i), carry)
	t.full++
}

// total returns the sum of at least one leaf. The tree is empty afterwards.
func (t *tree[A]) total() []A {
	i := bits.TrailingZeros(uint(t.full))
	sum := t.node(i)
	for rest := t.full >> (i + 1); rest != 0; rest >>= 1 {
		if i++; rest&1 == 1 {
			t.merge(t.node(i), sum)
		}
	}
	t.full = 0
	return sum
}

// pointerTree is a [tree] of blocks of any type, by a kernel. Leaves stay where they are: one that waits for its right neighbour is remembered.
type pointerTree struct {
	nodes [][blockLen]uint64 // treeDepth of them; number 0 is for the total
	merge Kernel             // it may write over its operands
	n     int                // elements of a block
	full  int                // leaves added; its bits say which nodes are in use
	left  unsafe.Pointer     // the last leaf, if their number is odd
}

// add takes in a leaf.
func (t *pointerTree) add(leaf unsafe.Pointer) {
	if t.full&1 == 0 {
		t.left = leaf
		t.full++
		return
	}
	i := bits.TrailingZeros(^uint(t.full))
	sum := unsafe.Pointer(&t.nodes[i])
	t.merge(sum, t.left, leaf, nil, t.n)
	for k := 1; k < i; k++ {
		t.merge(sum, unsafe.Pointer(&t.nodes[k]), sum, nil, t.n)
	}
	t.full++
}

// total returns where the sum of at least one leaf is.
func (t *pointerTree) total() unsafe.Pointer {
	var sum unsafe.Pointer
	for i := range t.nodes {
		if t.full>>i&1 == 0 {
			continue
		}
		node := unsafe.Pointer(&t.nodes[i])
		if i == 0 {
			node = t.left
		}
		if sum == nil {
			sum = node
			continue
		}
		t.merge(unsafe.Pointer(&t.nodes[0]), node, sum, nil, t.n)
		sum = unsafe.Pointer(&t.nodes[0])
	}
	return sum
}
