package plan

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

// What commands cost on common server cores, in nanoseconds. Their ratios decide.
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
func costOf(sections []section, workers int) int {
	cost := 0
	var c cache
	for i := range sections {
		s := &sections[i]
		if s.tile == 0 {
			cost += s.commandsCost(&c, workers)
			continue
		}
		c = cache{}
		s.tileCost(&c)
		c.forget(usedBeside(sections, i)) // the next tile meets other parts of them
		rounds := (s.iterations() + workers - 1) / workers
		cost += rounds * s.tileCost(&c)
		c = cache{}
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

// cache follows which storages were used last.
type cache struct {
	recent []resident // the latest last
	held   int        // bytes
}

// resident is a storage in the cache.
type resident struct {
	storage, bytes int
	sliced         bool
}

// use estimates how long a command calculates and waits for memory. If it is cut, it works on that many samples.
func (c *cache) use(n *node, how cut, samples int) int {
	missed := 0
	views := make([]backend.View, len(n.storage))
	for k, id := range n.storage {
		v := &views[k]
		*v = *n.view(k)
		sliced := how.axes != nil && how.axes[k] != whole
		if sliced {
			v.Dims[how.axes[k]] = samples
		}
		missed += c.touch(id, bytesOf(v), sliced)
	}
	return arithmetic(n, views) + missed*missCost/1024
}

// touch notes a use of so many bytes of a storage and returns how many were not there.
func (c *cache) touch(storage, bytes int, sliced bool) int {
	there := 0
	if at := slices.IndexFunc(c.recent, func(r resident) bool { return r.storage == storage }); at >= 0 {
		there = c.recent[at].bytes
		c.drop(at)
	}
	c.recent = append(c.recent, resident{storage, max(bytes, there), sliced})
	c.held += max(bytes, there)
	for c.held > cacheBytes {
		c.drop(0)
	}
	return max(0, bytes-there)
}

func (c *cache) drop(at int) {
	c.held -= c.recent[at].bytes
	c.recent = slices.Delete(c.recent, at, at+1)
}

// forget drops slices of storages.
func (c *cache) forget(storages map[int]bool) {
	for at := len(c.recent) - 1; at >= 0; at-- {
		if r := c.recent[at]; r.sliced && storages[r.storage] {
			c.drop(at)
		}
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
