package plan

import (
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
	a.sections = a.divide()
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
	sections []section
	rec      *tensor.Recording
	where    map[int]backend.View // by storage: the place of its element 0, for what moved
	slots    map[*node]int        // the storage of the parts of tiled sums, numbered beyond that of the recording
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

// divide returns the step in sections; a device that does not execute loops gets one without tiles.
func (a *arrangement) divide() []section {
	d := &divider{a.graph, a.dependencies(), a.rec.Workers()}
	depth := maxDepth
	if !a.rec.Supports(&backend.Cmd{Op: backend.Repeat, Loop: &backend.Loop{Count: 1}}) {
		depth = 0
	}
	return d.divide(a.nodes, nil, depth)
}

// commands returns the arranged step.
func (a *arrangement) commands() ([]backend.Cmd, error) {
	private := make([]map[int]int, len(a.sections))
	sizes := make([]int, len(a.sections))
	for i := range a.sections {
		private[i], sizes[i] = a.privatePlaces(i)
	}
	at, size := place(a.globalLeases(private))
	arena, err := a.rec.Reserve(size)
	if err != nil {
		return nil, err
	}
	for id, offset := range at {
		a.where[id] = backend.View{Buf: arena, Offset: offset}
	}
	var cmds []backend.Cmd
	for i := range a.sections {
		s := &a.sections[i]
		if s.tile > 0 {
			own := &backend.Buffer{Device: arena.Device, Size: sizes[i]}
			for id, offset := range private[i] {
				a.where[id] = backend.View{Buf: own, Offset: offset}
			}
			cmds = append(cmds, backend.Cmd{Op: backend.Repeat, Loop: a.loop(s, own)})
			continue
		}
		for _, n := range s.nodes {
			cmds = append(cmds, a.placed(n))
		}
	}
	return cmds, nil
}

// privatePlaces gives the temporary memory of a tile of section i its places.
func (a *arrangement) privatePlaces(i int) (offsets map[int]int, size int) {
	leases := a.privateLeases(i)
	heirs := inherit(a.sections[i].nodes, leases)
	offsets, size = place(leasesOf(leases))
	for heir, source := range heirs {
		offsets[heir] = offsets[source]
	}
	return offsets, size
}

// privateLeases returns by storage what a tile of section i needs of temporary memory: that of the storage that nothing else uses.
func (a *arrangement) privateLeases(i int) map[int]*lease {
	s := &a.sections[i]
	if s.tile == 0 {
		return nil
	}
	beside := a.usedBeside(a.sections, i)
	byStorage := map[int]*lease{}
	for i, n := range s.nodes {
		for k, id := range n.storage {
			if a.memory[id].role != tensor.Temporary || beside[id] {
				continue
			}
			if byStorage[id] == nil {
				bytes, _ := pitch(n.view(k), max(s.cuts[i].axes[k], 0))
				byStorage[id] = &lease{storage: id, bytes: bytes * s.tile, first: i}
			}
			byStorage[id].last = i
		}
	}
	return byStorage
}

func leasesOf(byStorage map[int]*lease) []lease {
	var leases []lease
	for _, l := range byStorage {
		leases = append(leases, *l)
	}
	return leases
}

// globalLeases returns what the step needs of temporary memory outside of what is private to tiles, and numbers the slots of tiled sums. All tiles of a
// section are one step of the sequence.
func (a *arrangement) globalLeases(private []map[int]int) []lease {
	byStorage := map[int]*lease{}
	now := 0
	note := func(id, bytes int) {
		if byStorage[id] == nil {
			byStorage[id] = &lease{storage: id, bytes: bytes, first: now}
		}
		byStorage[id].last = now
	}
	a.slots = map[*node]int{}
	for i := range a.sections {
		s := &a.sections[i]
		for k, n := range s.nodes {
			for _, id := range n.storage {
				if _, own := private[i][id]; !own && a.memory[id].role == tensor.Temporary {
					note(id, a.memory[id].bytes)
				}
			}
			switch {
			case s.tile == 0:
				now++
			case s.cuts[k].sum:
				d := n.view(0)
				a.slots[n] = len(a.memory) + len(a.slots)
				note(a.slots[n], s.iterations()*d.Len()*d.DType.Size())
			}
		}
		now++
	}
	return leasesOf(byStorage)
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

// loop returns a tiled section.
func (a *arrangement) loop(s *section, private *backend.Buffer) *backend.Loop {
	l := &backend.Loop{Count: s.batch / s.tile, Private: private}
	rest := s.batch % s.tile
	for i, n := range s.nodes {
		c := a.placed(n)
		if s.cuts[i].sum {
			l.Sums = append(l.Sums, a.sum(s, n))
			slots := a.where[a.slots[n]]
			c.Dst[0].Buf, c.Dst[0].Offset = slots.Buf, slots.Offset/c.Dst[0].DType.Size()
		}
		moves := s.moves(i, &c, private)
		l.Body, l.Moves = append(l.Body, s.shortened(i, &c, s.tile)), append(l.Moves, moves)
		if rest > 0 {
			t := s.shortened(i, &c, rest)
			for k := range moves {
				operandOf(&t, k).Offset += l.Count * moves[k]
			}
			l.Tail = append(l.Tail, t)
		}
	}
	return l
}

func (a *arrangement) sum(s *section, n *node) backend.LoopSum {
	d := a.viewOf(n, 0)
	slots := a.where[a.slots[n]]
	parts := backend.Contiguous(slots.Buf, d.DType, append([]int{s.iterations()}, d.Shape()...)...)
	parts.Offset = slots.Offset / d.DType.Size()
	return backend.LoopSum{Slots: parts, Dst: d}
}

// moves returns by how much each operand moves from tile to tile.
func (s *section) moves(i int, c *backend.Cmd, private *backend.Buffer) []int {
	moves := make([]int, len(c.Dst)+len(c.Src))
	for k := range moves {
		v := operandOf(c, k)
		switch {
		case k == 0 && s.cuts[i].sum:
			moves[k] = v.Len()
		case s.cuts[i].axes[k] != whole && v.Buf != private:
			moves[k] = s.tile * v.Strides[s.cuts[i].axes[k]]
		}
	}
	return moves
}

// shortened returns c on so many samples.
func (s *section) shortened(i int, c *backend.Cmd, samples int) backend.Cmd {
	t := c.Clone()
	for k, axis := range s.cuts[i].axes {
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
