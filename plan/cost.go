package plan

import "github.com/weir-ml/weir/backend"

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
			cost += s.commandsCost(c, workers)
			continue
		}
		c.clear()
		s.tileCost(c)
		c.forget(g.usedBeside(sections, i)) // the next tile meets other parts of them
		rounds := (s.iterations() + workers - 1) / workers
		cost += rounds * s.tileCost(c)
		c.clear()
	}
	return cost
}

// commandsCost estimates what the commands cost one after another.
func (s *section) commandsCost(c *cache, workers int) int {
	cost := 0
	for _, n := range s.nodes {
		alone := c.use(n, cut{}, 0)
		if alone > shareFrom && workers > 1 {
			alone = alone/workers + shareCost
		}
		cost += commandCost + alone
	}
	return cost
}

// tileCost estimates what a tile costs.
func (s *section) tileCost(c *cache) int {
	cost := 0
	for i, n := range s.nodes {
		cost += commandCost + c.use(n, s.cuts[i], s.tile)
	}
	return cost
}

// cache follows which storages were used last. Those that it holds are a ring through number 0, in the order of use: storage s is number s+1.
type cache struct {
	ring  []resident
	held  int            // bytes
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
	}
	last, end := c.ring[0].before, &c.ring[0]
	*r = resident{max(bytes, there), sliced, last, 0}
	c.ring[last].after, end.before = at, at
	c.held += r.bytes
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

// clear drops everything.
func (c *cache) clear() {
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
