package cuda

import "github.com/weir-ml/weir/backend"

// Small commands cost their launches. Those of one program that follow each other and share nothing, as an optimizer's do, one for each
// parameter, run in one launch: a segment of its grid each.

const (
	// mostSegments bounds the commands of a launch.
	mostSegments = 64
	// idleBlocks is how many blocks of a launch may find nothing to do, beside one for each that works: all segments have as many as the greatest needs.
	idleBlocks = 1024
)

// mapRun is what is known of a batch's last launch if it is one of a program: the next may join it.
type mapRun struct {
	nodes    int // of the batch, that launch being the last
	key      programKey
	segments int
	blocks   int64 // of all segments
	widest   int64 // of the greatest
	reads    []span
	writes   []span
}

// span is a range of addresses.
type span struct{ from, to uint64 }

// spanOf returns the addresses from a view's first byte to its last.
func spanOf(v *backend.View) span {
	lo, hi := v.Bounds()
	base, size := uint64(v.Buf.Addr), v.DType.Size()
	return span{base + uint64(lo*size), base + uint64(hi*size)}
}

// meets reports whether some of the spans overlap.
func meets(spans []span, s span) bool {
	for _, t := range spans {
		if s.from < t.to && t.from < s.to {
			return true
		}
	}
	return false
}

// separate reports whether a command depends on none of the segments, nor they on it. The first views are destinations.
func (r *mapRun) separate(views []backend.View, destinations int) bool {
	for i := range views {
		s := spanOf(&views[i])
		if meets(r.writes, s) || i < destinations && meets(r.reads, s) {
			return false
		}
	}
	return true
}

// note remembers what a segment reads and writes.
func (r *mapRun) note(views []backend.View, destinations int, blocks int64) {
	for i := range views {
		if s := spanOf(&views[i]); i < destinations {
			r.writes = append(r.writes, s)
		} else {
			r.reads = append(r.reads, s)
		}
	}
	r.segments++
	r.blocks += blocks
	r.widest = max(r.widest, blocks)
}

// begin makes the launch just appended one that others may join.
func (b *batch) begin(key programKey, views []backend.View, blocks int64) {
	r := &b.run
	*r = mapRun{nodes: len(b.nodes), key: key, reads: r.reads[:0], writes: r.writes[:0]}
	r.note(views, len(key.prog.Outs), blocks)
}

// segmentsOf returns how many commands a launch of the program can run.
func segmentsOf(k programKey) int { return min(mostSegments, mostParams/k.shape.place(k.prog).size) }

// join makes the command a segment of the batch's last launch, if it can be one.
func (b *batch) join(key programKey, params []byte, views []backend.View, blocks int64) bool {
	r := &b.run
	destinations := len(key.prog.Outs)
	switch most := segmentsOf(key); {
	case b.err != nil || r.nodes == 0 || r.nodes != len(b.nodes) || r.key != key || key.shape.indirect || r.segments >= most:
		return false
	case max(r.widest, blocks)*int64(r.segments+1) > 2*(r.blocks+blocks)+idleBlocks || !r.separate(views, destinations):
		return false
	}
	n := &b.nodes[r.nodes-1]
	if n.guard != b.faults.guard(false) {
		return false
	}
	if r.segments == 1 && !b.spread(n, key, len(params)) {
		return true
	}
	copy(b.params[int(n.dst)+r.segments*len(params):], params)
	r.note(views, destinations, blocks)
	n.grid[0], n.grid[1] = uint32(r.widest), uint32(r.segments)
	return true
}

// spread makes the last launch one of segments, with room for the parameters of all. It reports whether there is such a kernel.
func (b *batch) spread(n *node, key programKey, size int) bool {
	s := key.shape
	s.segments = segmentsOf(key)
	f, err := b.on.function(b.programModule(programKey{key.prog, s}), mapName, 0)
	if err != nil {
		b.fail(err)
		return false
	}
	n.function, n.bytes = f, uint64(s.segments*size)
	b.params = append(b.params[:int(n.dst)+size], make([]byte, align(s.segments*size)-size)...)
	return true
}
