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
	deps    [][]int // of the nodes of the graph
	workers int
}

// divide returns nodes as fused sections. Whoever else uses their storage is outside.
func (d *divider) divide(nodes []*node, outside set, depth int) []section {
	best := d.fused([]section{{nodes: nodes}}, outside)
	batch := batchOf(nodes)
	if depth == 0 || batch < 2 {
		return best
	}
	least := d.costOf(best, d.workers)
	keep := func(s []section) {
		if cost := d.costOf(s, d.workers); cost < least {
			best, least = s, cost
		}
	}
	_, tiled := d.bestTiles(nodes, outside, batch)
	keep(tiled)
	if lo, hi := window(nodes, batch); hi-lo < len(nodes) {
		keep(d.around(nodes, outside, lo, hi, batch, depth))
	}
	return best
}

// around returns nodes with tiles for those from lo to hi alone, and what comes before and after divided in its turn: long runs of small commands want
// larger tiles than a few large ones, or none.
func (d *divider) around(nodes []*node, outside set, lo, hi, batch, depth int) []section {
	middle, _ := d.bestTiles(nodes[lo:hi], d.union(d.storages(nodes[:lo]), d.storages(nodes[hi:]), outside), batch)
	first, last := slices.Concat(nodes[:lo], middle.first), slices.Concat(middle.last, nodes[hi:])
	before, in, after := d.storages(first), d.storages(middle.tiles.nodes), d.storages(last)
	sections := d.divide(first, d.union(in, after, outside), depth-1)
	sections = append(sections, d.fused(join(middle.tiles), d.union(before, after, outside))...)
	return append(sections, d.divide(last, d.union(before, in, outside), depth-1)...)
}

// bestTiles splits nodes by the size of tiles that costs least, and returns them also as fused sections.
func (d *divider) bestTiles(nodes []*node, outside set, batch int) (best split, bestFused []section) {
	deps := within(nodes, d.deps)
	var parts split
	var fused []section
	var uncut []bool
	least := -1
	for tile := 1; tile < batch; tile *= 2 {
		cuts, not := cutsOf(nodes, batch, tile)
		if !slices.Equal(uncut, not) { // else tiles of this size are another use of the same parts
			uncut, parts = not, splitTiles(nodes, deps, cuts, not)
			parts.tiles.batch, parts.tiles.tile = batch, tile
			fused = d.fused(join(section{nodes: parts.first}, parts.tiles, section{nodes: parts.last}), outside)
		}
		parts.tiles.tile, fused = tile, sized(fused, tile)
		if cost := d.costOf(fused, d.workers); least < 0 || cost < least {
			best, bestFused, least = parts, fused, cost
		}
	}
	return best, bestFused
}

// sized returns the sections with tiles of that size.
func sized(sections []section, tile int) []section {
	sections = slices.Clone(sections)
	for i := range sections {
		if sections[i].tile > 0 {
			sections[i].tile = tile
		}
	}
	return sections
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
func (d *divider) fused(sections []section, outside set) []section {
	all := make([]section, len(sections))
	for i, s := range sections {
		beside := d.usedBeside(sections, i)
		s.nodes = fuse(s.nodes, within(s.nodes, d.deps), func(id int) bool { return d.memory[id].role == tensor.Temporary && !beside[id] && !outside.has(id) })
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
func (g *graph) usedBeside(sections []section, i int) set {
	used := g.union()
	for k, s := range sections {
		if k != i {
			used.add(s.nodes)
		}
	}
	return used
}
