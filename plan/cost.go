package plan

import (
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// What commands cost on common server cores, in nanoseconds. Their ratios decide. A device's own estimates would not change which: they say how long a
// kernel takes on operands in the L1 cache, and tiles are chosen by what waits for memory and by the number of commands.
const (
	commandCost = 300    // to start a command
	shareCost   = 4_000  // to share one between workers
	shareFrom   = 20_000 // what a command must cost to be shared
	missCost    = 60     // to bring a KiB from beyond the cache
	termsPerNs  = 64     // multiply-adds of a matrix product in a nanosecond
	stepsPerNs  = 4      // elementwise instructions in a nanosecond

	cacheBytes = 2 << 20 // of caches that a core has nearly for itself
)

// costOf estimates how long sections run on so many workers. Commands are shared between workers one by one, a tile is one worker's.
func (g *graph) costOf(sections []section, workers int) int {
	cost := 0
	c := newCache(len(g.memory))
	for i := range sections {
		s := &sections[i]
		if s.tile == 0 {
			cost += s.commandsCost(c, g.ends(s, g.usedBeside(sections, i)), workers)
			continue
		}
		beside := g.usedBeside(sections, i)
		ends := g.ends(s, beside)
		c.clear()
		s.tileCost(c, ends)
		c.forget(beside) // the next tile meets other parts of them
		rounds := (s.iterations() + workers - 1) / workers
		cost += rounds * s.tileCost(c, ends)
		c.clear()
	}
	return cost
}

// commandsCost estimates what the commands cost one after another.
func (s *section) commandsCost(c *cache, ends []int, workers int) int {
	cost := 0
	c.ends = ends
	for i, n := range s.nodes {
		alone := c.use(n, cut{}, 0)
		if alone > shareFrom && workers > 1 {
			alone = alone/workers + shareCost
		}
		cost += commandCost + alone
		c.releaseEnding(n, i)
	}
	c.ends = nil
	return cost
}

// tileCost estimates what a tile costs.
func (s *section) tileCost(c *cache, ends []int) int {
	cost := 0
	c.ends = ends
	for i, n := range s.nodes {
		cost += commandCost + c.use(n, s.cuts[i], s.tile)
		if s.cuts[i].sum {
			cost += 2 * bytesOf(n.view(0)) * missCost / 1024 // its slot is written here and read when all are added
		}
		c.releaseEnding(n, i)
	}
	c.ends = nil
	return cost
}

// ends returns for each storage the last command of a section that uses it, or -1 if it is not private to the section's tiles.
func (g *graph) ends(s *section, beside set) []int {
	last := make([]int, len(g.memory))
	for id := range last {
		last[id] = -1
	}
	for i, n := range s.nodes {
		for _, id := range n.storage {
			if g.memory[id].role == tensor.Temporary && !beside[id] {
				last[id] = i
			}
		}
	}
	return last
}

// cache follows which storages were used last. Those that it holds are a ring through number 0, in the order of use: storage s is number s+1.
type cache struct {
	ring  []resident
	held  int            // bytes, those that are free included
	free  int            // bytes of places that private storages left, for the next ones
	ends  []int          // of a tile at hand: which storages are private, as graph.ends says
	views []backend.View // of the command at hand
}

// resident is a storage in the cache, or not, if it has no neighbours.
type resident struct {
	bytes         int
	sliced        bool
	before, after int
}

func newCache(storages int) *cache { return &cache{ring: make([]resident, storages+1)} }

// use estimates how long a command calculates and waits for memory. If it is cut, it works on that many samples.
func (c *cache) use(n *node, how cut, samples int) int {
	missed := 0
	c.views = c.views[:0]
	for k, id := range n.storage {
		c.views = append(c.views, *n.view(k))
		v := &c.views[k]
		sliced := how.axes != nil && how.axes[k] != whole
		if sliced {
			v.Dims[how.axes[k]] = samples
		}
		missed += c.touch(id, bytesOf(v), sliced)
	}
	return arithmetic(n, c.views) + missed*missCost/1024
}

// touch notes a use of so many bytes of a storage and returns how many were not there.
func (c *cache) touch(storage, bytes int, sliced bool) int {
	at := storage + 1
	r := &c.ring[at]
	there := r.bytes
	switch {
	case there > 0:
		c.drop(at)
	case bytes == 0:
		return 0
	case c.ends != nil && c.ends[storage] >= 0:
		there = min(bytes, c.free)
		c.free -= there
		c.held -= there
	}
	last, end := c.ring[0].before, &c.ring[0]
	*r = resident{max(bytes, there), sliced, last, 0}
	c.ring[last].after, end.before = at, at
	c.held += r.bytes
	unused := min(c.free, max(0, c.held-cacheBytes))
	c.free -= unused
	c.held -= unused
	for c.held > cacheBytes {
		c.drop(end.after)
	}
	return max(0, bytes-there)
}

func (c *cache) drop(at int) {
	r := &c.ring[at]
	c.held -= r.bytes
	c.ring[r.before].after, c.ring[r.after].before = r.after, r.before
	*r = resident{}
}

// forget drops slices of storages.
func (c *cache) forget(storages set) {
	for at := c.ring[0].after; at != 0; {
		r := c.ring[at]
		if r.sliced && storages[at-1] {
			c.drop(at)
		}
		at = r.after
	}
}

// releaseEnding leaves the places of the private storages that command i, which is n, uses last.
func (c *cache) releaseEnding(n *node, i int) {
	for _, id := range n.storage {
		if c.ends[id] == i {
			c.release(id)
		}
	}
}

// release leaves the place of a storage to others.
func (c *cache) release(storage int) {
	bytes := c.ring[storage+1].bytes
	if bytes == 0 {
		return
	}
	c.drop(storage + 1)
	c.free += bytes
	c.held += bytes
}

// clear drops everything.
func (c *cache) clear() {
	c.held -= c.free
	c.free = 0
	for c.ring[0].after != 0 {
		c.drop(c.ring[0].after)
	}
}

// arithmetic estimates the calculation of a command on those operands.
func arithmetic(n *node, views []backend.View) int {
	switch n.cmd.Op {
	case backend.MatMul:
		b := &views[2]
		return views[1].Len() * b.Dims[b.Rank-1] / termsPerNs
	case backend.Map:
		steps := 0
		for _, in := range n.cmd.Prog.Code {
			if steps++; in.Op.IsFunction() {
				steps += 3
			}
		}
		return views[0].Len() * steps / stepsPerNs
	}
	most := 0
	for k := range views {
		most = max(most, views[k].Len())
	}
	return most / stepsPerNs
}

// bytesOf returns how many bytes the view touches.
func bytesOf(v *backend.View) int {
	n := v.DType.Size()
	for i, d := range v.Dims[:v.Rank] {
		if v.Strides[i] != 0 {
			n *= d
		}
	}
	return n
}
