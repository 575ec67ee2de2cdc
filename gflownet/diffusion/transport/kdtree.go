package transport

import (
	"cmp"
	"math"
	"slices"
)

// kdTree halves points again and again along the widest axis of their box, and finds those that gain much, potential[j] − ‖p − points[j]‖², without
// looking at the others.
type kdTree struct {
	d      int
	points []float64 // in the order of the leaves
	nodes  []kdNode  // a node's first child is the next
	boxes  []float64 // of each node, the least coordinates and the greatest, 2·d numbers
}

// kdNode holds the points lo to hi, hi left out.
type kdNode struct {
	lo, hi, second int // second is the second child; 0 for a leaf
}

// leafSize points are looked at together: enough to be worth the bound on them.
const leafSize = 16

// newKDTree returns the tree of points, which it puts in an order of its own.
func newKDTree(points []float64, d int) *kdTree {
	t := &kdTree{d: d}
	order := make([]int, len(points)/d)
	for i := range order {
		order[i] = i
	}
	t.build(points, order, 0)
	t.points = make([]float64, 0, len(points))
	for _, i := range order {
		t.points = append(t.points, point(points, i, d)...)
	}
	return t
}

// build adds the node of the points that order names, which are those from lo on.
func (t *kdTree) build(points []float64, order []int, lo int) {
	k := len(t.nodes)
	t.nodes = append(t.nodes, kdNode{lo: lo, hi: lo + len(order)})
	axis := t.enclose(points, order)
	if len(order) <= leafSize {
		return
	}
	slices.SortFunc(order, func(i, j int) int {
		return cmp.Or(cmp.Compare(points[i*t.d+axis], points[j*t.d+axis]), cmp.Compare(i, j))
	})
	half := (len(order)/2 + leafSize - 1) / leafSize * leafSize // full leaves
	t.build(points, order[:half], lo)
	t.nodes[k].second = len(t.nodes)
	t.build(points, order[half:], lo+half)
}

// enclose adds the box of some points, and returns its widest axis.
func (t *kdTree) enclose(points []float64, order []int) (axis int) {
	box := make([]float64, 2*t.d)
	for a := range t.d {
		box[a], box[t.d+a] = math.Inf(1), math.Inf(-1)
		for _, i := range order {
			v := points[i*t.d+a]
			box[a], box[t.d+a] = min(box[a], v), max(box[t.d+a], v)
		}
		if box[t.d+a]-box[a] > box[t.d+axis]-box[axis] {
			axis = a
		}
	}
	t.boxes = append(t.boxes, box...)
	return axis
}

// tops returns the greatest potential in each node.
func (t *kdTree) tops(potential []float64) []float64 {
	tops := make([]float64, len(t.nodes))
	for k := len(t.nodes) - 1; k >= 0; k-- {
		n := t.nodes[k]
		if n.second == 0 {
			tops[k] = slices.Max(potential[n.lo:n.hi])
		} else {
			tops[k] = max(tops[k+1], tops[n.second])
		}
	}
	return tops
}

// distance returns the squared distance from p to the box of node k.
func (t *kdTree) distance(k int, p []float64) (sum float64) {
	d := len(p)
	box := t.boxes[2*k*d : 2*(k+1)*d]
	for a, v := range p {
		off := max(box[a]-v, v-box[d+a], 0)
		sum += float64(off * off)
	}
	return sum
}

// search is a search of a tree under potentials. One goroutine uses it at a time.
type search struct {
	*kdTree
	potential, tops []float64

	// What was found: the gains of the points of some leaves, the greatest of all gains among them.
	leaves []kdNode
	gains  []float64
	top    float64

	stack []bounded
}

// bounded is a node whose points gain at most so much.
type bounded struct {
	node  int
	bound float64
}

// near finds all points that gain more than the most less reach, and some others. What it finds is a function of tree, potentials, p and reach alone.
func (s *search) near(p []float64, reach float64) {
	s.leaves, s.gains, s.top = s.leaves[:0], s.gains[:0], math.Inf(-1)
	s.stack = append(s.stack[:0], bounded{0, s.tops[0] - s.distance(0, p)})
	for len(s.stack) > 0 {
		next := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if !(next.bound > s.top-reach) {
			continue
		}
		n := s.nodes[next.node]
		if n.second == 0 {
			s.look(p, n)
			continue
		}
		first, second := s.child(next.node+1, p), s.child(n.second, p)
		if first.bound > second.bound { // what gains most is looked at first: it rules the most out
			first, second = second, first
		}
		s.stack = append(s.stack, first, second)
	}
}

func (s *search) child(k int, p []float64) bounded { return bounded{k, s.tops[k] - s.distance(k, p)} }

// look adds the gains of a leaf.
func (s *search) look(p []float64, n kdNode) {
	s.leaves = append(s.leaves, n)
	from := len(s.gains)
	s.gains = slices.Grow(s.gains, n.hi-n.lo)[:from+n.hi-n.lo]
	gains := s.gains[from:]
	reducedCosts(gains, p, s.points[n.lo*s.d:n.hi*s.d], s.potential[n.lo:n.hi])
	for j, cost := range gains {
		gains[j] = -cost
		s.top = max(s.top, -cost)
	}
}
