package plan

import (
	"slices"

	"github.com/weir-ml/weir/tensor"
)

// section is a part of a step: commands one after another or, if tile is not 0, all of them on so many samples of a batch at a time.
type section struct {
	nodes       []*node
	batch, tile int
	cuts        []cut // of nodes, if they are tiled
}

// iterations returns the number of tiles, a shorter last one included.
func (s *section) iterations() int { return (s.batch + s.tile - 1) / s.tile }

// maxDepth is how often what comes before and after tiles is divided again.
const maxDepth = 2

// divider finds the sections that cost least.
type divider struct {
	*graph
	workers int
}

// divide returns nodes as fused sections. Whoever else uses their storage is outside.
func (d *divider) divide(nodes []*node, outside map[int]bool, depth int) []section {
	best := d.fused([]section{{nodes: nodes}}, outside)
	batch := batchOf(nodes)
	if depth == 0 || batch < 2 {
		return best
	}
	least := costOf(best, d.workers)
	keep := func(s []section) {
		if cost := costOf(s, d.workers); cost < least {
			best, least = s, cost
		}
	}
	first, tiles, last := d.bestTiles(nodes, outside, batch)
	keep(d.fused(join(section{nodes: first}, tiles, section{nodes: last}), outside))
	if lo, hi := window(nodes, batch); hi-lo < len(nodes) {
		keep(d.around(nodes, outside, lo, hi, batch, depth))
	}
	return best
}

// around returns nodes with tiles for those from lo to hi alone, and what comes before and after divided in its turn: long runs of small commands want
// larger tiles than a few large ones, or none.
func (d *divider) around(nodes []*node, outside map[int]bool, lo, hi, batch, depth int) []section {
	beside := union(outside, storages(nodes[:lo]), storages(nodes[hi:]))
	first, tiles, last := d.bestTiles(nodes[lo:hi], beside, batch)
	first, last = slices.Concat(nodes[:lo], first), slices.Concat(last, nodes[hi:])
	in := storages(tiles.nodes)
	sections := d.divide(first, union(outside, in, storages(last)), depth-1)
	sections = append(sections, d.fused(join(tiles), union(outside, storages(first), storages(last)))...)
	return append(sections, d.divide(last, union(outside, in, storages(first)), depth-1)...)
}

// bestTiles splits nodes by the size of tiles that costs least.
func (d *divider) bestTiles(nodes []*node, outside map[int]bool, batch int) (first []*node, tiles section, last []*node) {
	deps := dependencies(nodes)
	least := -1
	for tile := 1; tile < batch; tile *= 2 {
		f, t, l := splitTiles(nodes, deps, batch, tile)
		cost := costOf(d.fused(join(section{nodes: f}, t, section{nodes: l}), outside), d.workers)
		if least < 0 || cost < least {
			first, tiles, last, least = f, t, l, cost
		}
	}
	return first, tiles, last
}

// window returns the run of nodes from the first to the last of those that do much for each sample of a batch.
func window(nodes []*node, batch int) (lo, hi int) {
	work := make([]int, len(nodes))
	for i, n := range nodes {
		for k := range n.storage {
			if v := n.view(k); isLong(v, batch) && v.Strides[0] != 0 {
				work[i] = max(work[i], v.Len()/batch)
			}
		}
	}
	much := (slices.Max(work) + 7) / 8
	lo, hi = len(nodes), 0
	for i, w := range work {
		if w >= much {
			lo, hi = min(lo, i), i+1
		}
	}
	return lo, hi
}

// join returns the sections that are not empty.
func join(sections ...section) []section {
	return slices.DeleteFunc(sections, func(s section) bool { return len(s.nodes) == 0 })
}

// fused returns the sections with elementwise commands joined within each.
func (d *divider) fused(sections []section, outside map[int]bool) []section {
	all := make([]section, len(sections))
	for i, s := range sections {
		beside := usedBeside(sections, i)
		s.nodes = fuse(s.nodes, func(id int) bool { return d.memory[id].role == tensor.Temporary && !beside[id] && !outside[id] })
		s.cuts = nil
		for _, n := range s.nodes {
			if s.tile > 0 {
				c, _ := cutOf(&n.cmd, s.batch, s.tile)
				s.cuts = append(s.cuts, c)
			}
		}
		all[i] = s
	}
	return all
}

// usedBeside returns the storage that other sections than number i use.
func usedBeside(sections []section, i int) map[int]bool {
	used := map[int]bool{}
	for k, s := range sections {
		if k != i {
			used = union(used, storages(s.nodes))
		}
	}
	return used
}

func union(sets ...map[int]bool) map[int]bool {
	all := map[int]bool{}
	for _, set := range sets {
		for id := range set {
			all[id] = true
		}
	}
	return all
}
