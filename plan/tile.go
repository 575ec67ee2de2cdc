package plan

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

// cut says how a command works on a batch of samples: operand k is cut along axes[k], whose length is the batch, or is whole where that is
// negative.
type cut struct {
	axes []int
	sum  bool // the command sums over the batch: destination 0 is whole, and each tile has a part of it
}

const whole = -1

// cutOf returns how a command is cut into tiles of that many samples of a batch, if each tile gives the same bits as the whole.
func cutOf(c *backend.Cmd, batch, tile int) (cut, bool) {
	if len(c.Dst) == 0 || c.Op == backend.Random {
		return cut{}, false
	}
	d := &c.Dst[0]
	switch c.Op {
	case backend.Reduce:
		if isLong(&c.Src[0], batch) && d.Dims[0] == 1 {
			return sumOf(c, []int{whole, 0}, backend.Leaf(backend.ReduceGrain, inner(&c.Src[0])), tile)
		}
	case backend.MatMul:
		return cutMatMul(c, batch, tile)
	case backend.Gather:
		if c.Axis == 0 && isLong(d, batch) {
			return cut{axes: []int{0, whole, 0}}, true
		}
	}
	along := c.Op == backend.Gather || c.Op == backend.ScatterAdd || c.Op == backend.Scan || c.Op == backend.Sort
	if along && c.Axis == 0 {
		return cut{}, false
	}
	for _, views := range [2][]backend.View{c.Dst, c.Src} {
		for i := range views {
			if !isLong(&views[i], batch) {
				return cut{}, false
			}
		}
	}
	return cut{axes: make([]int, len(c.Dst)+len(c.Src))}, true
}

// cutMatMul cuts a product along its first batch axis, kept or summed, or a plain product along its rows or its terms.
func cutMatMul(c *backend.Cmd, batch, tile int) (cut, bool) {
	d, a, b := &c.Dst[0], &c.Src[0], &c.Src[1]
	switch {
	case d.Rank == 2 && isLong(d, batch):
		return cut{axes: []int{0, 0, whole}}, true
	case d.Rank == 2 && isLong(b, batch):
		return sumOf(c, []int{whole, 1, 0}, backend.Leaf(backend.MatMulGrain, 1), tile)
	case d.Rank == 2 || !isLong(a, batch):
		return cut{}, false
	case d.Dims[0] == batch:
		return cut{axes: []int{0, 0, 0}}, true
	}
	terms := a.Dims[a.Rank-1] * b.Dims[0] / batch
	for i := 1; i < d.Rank-2; i++ {
		if d.Dims[i] != a.Dims[i] {
			terms *= a.Dims[i]
		}
	}
	return sumOf(c, []int{whole, 0, 0}, backend.Leaf(backend.MatMulGrain, terms), tile)
}

// sumOf returns the cut of a sum over the batch with leaves of that many samples: tiles must be whole leaves. Halves are carried in another type
// than they are stored in, so their parts cannot be.
func sumOf(c *backend.Cmd, axes []int, leaf, tile int) (cut, bool) {
	d := &c.Dst[0]
	isSum := c.Op == backend.MatMul || c.ReduceOp == backend.ReduceSum
	halves := d.DType == backend.Float16 || d.DType == backend.BFloat16
	ok := isSum && !c.Accumulate && !halves && leaf <= tile && d.IsContiguous() && d.Rank < backend.MaxRank
	return cut{axes: axes, sum: true}, ok
}

func isLong(v *backend.View, batch int) bool { return v.Rank > 0 && v.Dims[0] == batch }

// inner returns the number of elements within one index of the first axis.
func inner(v *backend.View) int {
	n := 1
	for _, d := range v.Dims[1:v.Rank] {
		n *= d
	}
	return n
}

// batchOf returns the length of the first axis along which the commands do most of their work, 0 if none can be cut.
func batchOf(nodes []*node) int {
	work := map[int]int{}
	best := 0
	for _, n := range nodes {
		for k := range n.storage {
			v := n.view(k)
			if v.Rank < 1 || v.Dims[0] < 2 {
				continue
			}
			if _, ok := cutOf(&n.cmd, v.Dims[0], v.Dims[0]); ok {
				b := v.Dims[0]
				work[b] += v.Len()
				if work[b] > work[best] || work[b] == work[best] && b < best {
					best = b
				}
				break
			}
		}
	}
	return best
}

// split is nodes in three parts: what comes before tiles, the tiles, and what comes after.
type split struct {
	first []*node
	tiles section
	last  []*node
}

// cutsOf returns how nodes are cut into tiles of that many samples of a batch, and which cannot be.
func cutsOf(nodes []*node, batch, tile int) (cuts []cut, uncut []bool) {
	cuts, uncut = make([]cut, len(nodes)), make([]bool, len(nodes))
	for i, n := range nodes {
		var ok bool
		cuts[i], ok = cutOf(&n.cmd, batch, tile)
		uncut[i] = !ok
	}
	return cuts, uncut
}

// splitTiles puts as many of the nodes, of which these are the dependencies and cuts, in tiles as can be.
func splitTiles(nodes []*node, deps [][]int, cuts []cut, uncut []bool) (to split) {
	s := &splitter{nodes: nodes, deps: deps, cuts: cuts, part: make([]part, len(nodes)), barred: slices.Clone(uncut)}
	for {
		s.assign()
		if !s.bar() {
			break
		}
	}
	for i, n := range nodes {
		switch s.part[i] {
		case before:
			to.first = append(to.first, n)
		case tiled:
			to.tiles.nodes = append(to.tiles.nodes, n)
		default:
			to.last = append(to.last, n)
		}
	}
	return to
}

type part uint8

const (
	before part = iota
	tiled
	after
)

type splitter struct {
	nodes  []*node
	deps   [][]int
	cuts   []cut
	barred []bool // from the tiles
	part   []part
}

// assign gives each node the earliest part that what it follows allows. A tiled sum is complete only after the tiles.
func (s *splitter) assign() {
	for i := range s.nodes {
		p := tiled
		if s.barred[i] {
			p = before
		}
		for _, d := range s.deps[i] {
			if s.part[d] == after || s.part[d] == tiled && (s.barred[i] || s.cuts[d].sum) {
				p = after
			}
		}
		s.part[i] = p
	}
}

// bar keeps a node out of the tiles if a tile would meet what another one writes, and reports whether there was one. Of the writer and the other the one with
// less work goes, and if it is the writer also all that it follows.
func (s *splitter) bar() bool {
	writers := map[int][]access{}
	for i, n := range s.nodes {
		if s.part[i] != tiled {
			continue
		}
		for k := range n.cmd.Dst {
			writers[n.storage[k]] = append(writers[n.storage[k]], access{i, k})
		}
	}
	for i, n := range s.nodes {
		if s.part[i] != tiled {
			continue
		}
		for k, id := range n.storage {
			for _, w := range writers[id] {
				if (w.node != i || w.operand != k) && !s.apart(w, access{i, k}) || w.node == i && w.operand == k && !s.pitched(w) {
					s.barOne(w.node, i)
					return true
				}
			}
		}
	}
	return false
}

// pitched reports whether a written operand gives each sample memory of its own. A sum writes one part for each tile elsewhere.
func (s *splitter) pitched(w access) bool {
	if s.cuts[w.node].sum {
		return true
	}
	_, ok := pitch(s.nodes[w.node].view(w.operand), 0)
	return ok
}

// apart reports whether tiles of one operand never meet other tiles of the other.
func (s *splitter) apart(w, r access) bool {
	axis := s.cuts[r.node].axes[r.operand]
	if s.cuts[w.node].sum || s.cuts[r.node].sum && s.nodes[r.node].writes(r.operand) || axis == whole {
		return false
	}
	a, aok := pitch(s.nodes[w.node].view(w.operand), 0)
	b, bok := pitch(s.nodes[r.node].view(r.operand), axis)
	return aok && bok && a == b
}

// pitch returns how many bytes apart the samples along an axis lie, if each keeps to its own range of so many, starting at the first byte of the
// storage.
func pitch(v *backend.View, axis int) (int, bool) {
	sample := *v
	sample.Dims[axis] = 1
	lo, hi := sample.Bounds()
	return v.Strides[axis] * v.DType.Size(), lo >= 0 && hi <= v.Strides[axis]
}

func (s *splitter) barOne(writer, other int) {
	if writer == other || s.work(writer) > s.work(other) {
		s.barred[other] = true
		return
	}
	s.barred[writer] = true
	s.barAncestors(writer)
}

func (s *splitter) barAncestors(i int) {
	for _, d := range s.deps[i] {
		if s.part[d] == tiled && !s.barred[d] {
			s.barred[d] = true
			s.barAncestors(d)
		}
	}
}

func (s *splitter) work(i int) int {
	n := 0
	for k := range s.nodes[i].storage {
		n += s.nodes[i].view(k).Len()
	}
	return n
}
