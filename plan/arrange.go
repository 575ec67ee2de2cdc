package plan

import (
	"slices"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// arrange replaces the commands of the recording by fewer ones, and by tiles of samples, that use less memory and give the same bits.
func arrange(rec *tensor.Recording) error {
	if err := rec.Settle(); err != nil {
		return err
	}
	g := newGraph(rec)
	once := g.fold()
	g.share()
	g.prune()
	a := &arrangement{graph: g, rec: rec, where: map[int]backend.View{}}
	if err := a.keepConstants(once); err != nil {
		return err
	}
	a.chooseTiles()
	cmds, err := a.commands()
	if err != nil {
		return err
	}
	rec.Replace(cmds)
	return nil
}

// arrangement is a step on its way from a graph to commands.
type arrangement struct {
	*graph
	split
	rec   *tensor.Recording
	where map[int]backend.View // by storage: the place of its element 0, for what moved
}

// keepConstants executes the commands whose results do not change, into memory of their own.
func (a *arrangement) keepConstants(once []*node) error {
	cmds := make([]backend.Cmd, len(once))
	for i, n := range once {
		for k := range n.cmd.Dst {
			id := n.storage[k]
			if _, ok := a.where[id]; ok {
				continue
			}
			buf, err := a.rec.Reserve(a.memory[id].bytes)
			if err != nil {
				return err
			}
			a.where[id] = backend.View{Buf: buf}
		}
		cmds[i] = a.placed(n)
	}
	a.rec.Exec(cmds)
	return nil
}

// chooseTiles takes the tiles that cost least, or none.
func (a *arrangement) chooseTiles() {
	a.split = a.fused(split{before: a.nodes})
	batch := batchOf(a.nodes)
	probe := backend.Cmd{Op: backend.Repeat, Loop: &backend.Loop{Count: 1}}
	if batch < 2 || !a.rec.Supports(&probe) {
		return
	}
	deps := dependencies(a.nodes)
	workers := a.rec.Workers()
	least := costOf(&a.split, workers)
	for tile := 1; tile < batch; tile *= 2 {
		s := a.fused(splitTiles(a.nodes, deps, batch, tile))
		if cost := costOf(&s, workers); cost < least {
			a.split, least = s, cost
		}
	}
}

// privateLeases returns what a tile needs of temporary memory: that of the storage that nothing else uses.
func (a *arrangement) privateLeases() []lease {
	outside := storages(slices.Concat(a.before, a.after))
	byStorage := map[int]*lease{}
	for i, n := range a.tiled {
		for k, id := range n.storage {
			if a.memory[id].role != tensor.Temporary || outside[id] {
				continue
			}
			if byStorage[id] == nil {
				bytes, _ := pitch(n.view(k), max(a.cuts[i].axes[k], 0))
				byStorage[id] = &lease{storage: id, bytes: bytes * a.tile, first: i}
			}
			byStorage[id].last = i
		}
	}
	var leases []lease
	for _, l := range byStorage {
		leases = append(leases, *l)
	}
	return leases
}

// fused returns the split with elementwise commands joined within each part.
func (a *arrangement) fused(s split) split {
	parts := [3][]*node{s.before, s.tiled, s.after}
	var used [3]map[int]bool
	for i, part := range parts {
		used[i] = storages(part)
	}
	for i, part := range parts {
		parts[i] = fuse(part, func(id int) bool {
			return a.memory[id].role == tensor.Temporary && !used[(i+1)%3][id] && !used[(i+2)%3][id]
		})
	}
	f := split{before: parts[0], tiled: parts[1], after: parts[2], batch: s.batch, tile: s.tile}
	for _, n := range f.tiled {
		c, _ := cutOf(&n.cmd, s.batch, s.tile)
		f.cuts = append(f.cuts, c)
	}
	return f
}

// commands returns the arranged step.
func (a *arrangement) commands() ([]backend.Cmd, error) {
	private := a.privateLeases()
	privateAt, privateSize := place(private)
	slots := a.slots()
	globalAt, globalSize := place(slices.Concat(a.globalLeases(privateAt), slots))
	arena, err := a.rec.Reserve(globalSize)
	if err != nil {
		return nil, err
	}
	for id, at := range globalAt {
		a.where[id] = backend.View{Buf: arena, Offset: at}
	}
	privateBuf := &backend.Buffer{Device: arena.Device, Size: privateSize}
	for id, at := range privateAt {
		a.where[id] = backend.View{Buf: privateBuf, Offset: at}
	}
	var cmds []backend.Cmd
	for _, n := range a.before {
		cmds = append(cmds, a.placed(n))
	}
	if len(a.tiled) > 0 {
		cmds = append(cmds, backend.Cmd{Op: backend.Repeat, Loop: a.loop(privateBuf)})
	}
	for _, n := range a.after {
		cmds = append(cmds, a.placed(n))
	}
	return cmds, nil
}

// iterations returns the number of tiles, a shorter last one included.
func (a *arrangement) iterations() int { return (a.batch + a.tile - 1) / a.tile }

// slotStorage numbers the memory of the parts of a tiled sum, beyond that of the recording.
func (a *arrangement) slotStorage(i int) int { return len(a.memory) + i }

// slots returns the leases of the parts of tiled sums.
func (a *arrangement) slots() []lease {
	var leases []lease
	for i, n := range a.tiled {
		if d := n.view(0); a.cuts[i].sum {
			at := len(a.before)
			leases = append(leases, lease{a.slotStorage(i), a.iterations() * d.Len() * d.DType.Size(), at, at})
		}
	}
	return leases
}

// globalLeases returns what the step needs of temporary memory outside of tiles. All tiles are one step of the sequence.
func (a *arrangement) globalLeases(private map[int]int) []lease {
	byStorage := map[int]*lease{}
	note := func(nodes []*node, position func(i int) int) {
		for i, n := range nodes {
			for _, id := range n.storage {
				if _, own := private[id]; own || a.memory[id].role != tensor.Temporary {
					continue
				}
				if byStorage[id] == nil {
					byStorage[id] = &lease{storage: id, bytes: a.memory[id].bytes, first: position(i)}
				}
				byStorage[id].last = position(i)
			}
		}
	}
	note(a.before, func(i int) int { return i })
	note(a.tiled, func(int) int { return len(a.before) })
	note(a.after, func(i int) int { return len(a.before) + 1 + i })
	var leases []lease
	for _, l := range byStorage {
		leases = append(leases, *l)
	}
	return leases
}

// placed returns the command of n on the memory that the arrangement gives it.
func (a *arrangement) placed(n *node) backend.Cmd {
	c := n.cmd.Clone()
	for k := range c.Dst {
		c.Dst[k] = a.viewOf(n, k)
	}
	for k := range c.Src {
		c.Src[k] = a.viewOf(n, len(c.Dst)+k)
	}
	return c
}

func (a *arrangement) viewOf(n *node, k int) backend.View {
	v := *n.view(k)
	if to, moved := a.where[n.storage[k]]; moved {
		v.Buf = to.Buf
		v.Offset += to.Offset / v.DType.Size()
	}
	return v
}

// loop returns the tiled part of the step.
func (a *arrangement) loop(private *backend.Buffer) *backend.Loop {
	l := &backend.Loop{Count: a.batch / a.tile, Private: private}
	rest := a.batch % a.tile
	for i, n := range a.tiled {
		c := a.placed(n)
		if a.cuts[i].sum {
			l.Sums = append(l.Sums, a.sum(i, n))
			slots := a.where[a.slotStorage(i)]
			c.Dst[0].Buf, c.Dst[0].Offset = slots.Buf, slots.Offset/c.Dst[0].DType.Size()
		}
		moves := a.moves(i, &c, private)
		l.Body, l.Moves = append(l.Body, a.shortened(i, &c, a.tile)), append(l.Moves, moves)
		if rest > 0 {
			t := a.shortened(i, &c, rest)
			for k := range moves {
				operandOf(&t, k).Offset += l.Count * moves[k]
			}
			l.Tail = append(l.Tail, t)
		}
	}
	return l
}

func (a *arrangement) sum(i int, n *node) backend.LoopSum {
	d := a.viewOf(n, 0)
	slots := a.where[a.slotStorage(i)]
	s := backend.Contiguous(slots.Buf, d.DType, append([]int{a.iterations()}, d.Shape()...)...)
	s.Offset = slots.Offset / d.DType.Size()
	return backend.LoopSum{Slots: s, Dst: d}
}

// moves returns by how much each operand moves from tile to tile.
func (a *arrangement) moves(i int, c *backend.Cmd, private *backend.Buffer) []int {
	moves := make([]int, len(c.Dst)+len(c.Src))
	for k := range moves {
		v := operandOf(c, k)
		switch {
		case k == 0 && a.cuts[i].sum:
			moves[k] = v.Len()
		case a.cuts[i].axes[k] != whole && v.Buf != private:
			moves[k] = a.tile * v.Strides[a.cuts[i].axes[k]]
		}
	}
	return moves
}

// shortened returns c on so many samples.
func (a *arrangement) shortened(i int, c *backend.Cmd, samples int) backend.Cmd {
	t := c.Clone()
	for k, axis := range a.cuts[i].axes {
		if axis != whole {
			operandOf(&t, k).Dims[axis] = samples
		}
	}
	return t
}

// operandOf returns operand k of c, destinations first.
func operandOf(c *backend.Cmd, k int) *backend.View {
	if k < len(c.Dst) {
		return &c.Dst[k]
	}
	return &c.Src[k-len(c.Dst)]
}
