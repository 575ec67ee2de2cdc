package transport

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATreeHoldsEveryPointOnceInItsBox(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	for _, n := range []int{1, 15, 16, 17, 100, 1000} {
		points := grid(r, n, 3) // with ties
		tree := newKDTree(points, 3)
		require.Equal(t, sorted(points, 3), sorted(tree.points, 3))
		next := 0
		for k, node := range tree.nodes {
			for i := node.lo; i < node.hi; i++ {
				require.Zero(t, tree.distance(k, point(tree.points, i, 3)))
			}
			if node.second != 0 {
				continue
			}
			require.Equal(t, next, node.lo, "leaves follow each other")
			require.LessOrEqual(t, node.hi-node.lo, leafSize)
			next = node.hi
		}
		require.Equal(t, n, next)
	}
}

// sorted returns points in an order that does not depend on that given.
func sorted(points []float64, d int) (rows [][]float64) {
	for p := range slices.Chunk(points, d) {
		rows = append(rows, p)
	}
	slices.SortFunc(rows, slices.Compare)
	return rows
}

// A search leaves out only what gains too little.
func TestASearchFindsAllThatGains(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 1))
	const n, d = 500, 2
	tree := newKDTree(gaussian(r, n, d, 3), d)
	potential := gaussian(r, n, 1, 2)
	potential[7] = math.Inf(-1)
	s := &search{kdTree: tree, potential: potential, tops: tree.tops(potential)}
	for _, reach := range []float64{0, 0.5, 10, 1e6} {
		few := 0
		for range 50 {
			p := gaussian(r, 1, d, 4)
			s.near(p, reach)
			top, found := math.Inf(-1), map[int]bool{}
			k := 0
			for _, leaf := range s.leaves {
				for j := leaf.lo; j < leaf.hi; j++ {
					require.Equal(t, potential[j]-squaredDistance(p, point(tree.points, j, d)), s.gains[k])
					found[j] = true
					k++
				}
			}
			for j := range n {
				top = max(top, potential[j]-squaredDistance(p, point(tree.points, j, d)))
			}
			require.Equal(t, top, s.top)
			for j := range n {
				if potential[j]-squaredDistance(p, point(tree.points, j, d)) > top-reach {
					require.True(t, found[j], "point %d", j)
				}
			}
			if len(found) < n/2 {
				few++
			}
		}
		if reach < 1 {
			require.Equal(t, 50, few, "most points are left out")
		}
	}
}
