package cpu

import (
	"fmt"
	"slices"

	"github.com/weir-ml/weir/backend"
)

// maxLoops bounds the loops a stream remembers.
const maxLoops = 64

// looping is the state of a Repeat: each worker takes iterations in turn and executes all their commands by itself, on a stream of one
// worker with memory of its own.
type looping struct {
	loop    *backend.Loop
	workers []*loopWorker
	done    int              // iterations that were executed before the workers share the others
	summing *backend.LoopSum // whose slots are being added, or nil while iterations run
}

// loopWorker is what a worker needs of its own.
type loopWorker struct {
	stream  *stream
	private *backend.Buffer
	loops   map[*backend.Loop]*ownLoop
	current *ownLoop
	nodes   []uint64
}

// ownLoop is a worker's copy of a loop, in its private memory.
type ownLoop struct {
	body, tail []backend.Cmd
	home       []int             // offset of every operand of body in iteration 0
	held       [][2]*held        // by command of body
	buffers    []*backend.Buffer // of all operands, but for private
	private    *backend.Buffer
}

// known returns the loop's copy if it was executed before, and so checked.
func (l *looping) known(loop *backend.Loop) *ownLoop {
	if len(l.workers) == 0 {
		return nil
	}
	return l.workers[0].loops[loop]
}

// reachLoop says why the memory of an operand of the loop cannot be used, or "".
func (s *stream) reachLoop(loop *backend.Loop) string {
	var buffers []*backend.Buffer
	if own := s.looping.known(loop); own != nil {
		buffers = own.buffers
	} else {
		buffers = buffersOf(loop)
	}
	for _, b := range buffers {
		if why := s.owns(b); why != "" {
			return "the memory of an operand " + why
		}
	}
	return ""
}

// buffersOf returns the buffers that the loop uses, but for the private one.
func buffersOf(loop *backend.Loop) []*backend.Buffer {
	var buffers []*backend.Buffer
	c := backend.Cmd{Loop: loop}
	c.Buffers(func(b *backend.Buffer) {
		if !slices.Contains(buffers, b) {
			buffers = append(buffers, b)
		}
	})
	return buffers
}

// repeat executes a loop.
func (s *stream) repeat(loop *backend.Loop) error {
	l := &s.looping
	for len(l.workers) < s.workers {
		l.workers = append(l.workers, &loopWorker{stream: newStream(s.dev, 1), loops: map[*backend.Loop]*ownLoop{}})
	}
	isNew := l.known(loop) == nil
	for _, w := range l.workers {
		if err := w.enter(s.dev, loop); err != nil {
			return err
		}
	}
	l.loop, l.done = loop, 0
	err := l.run(s, isNew)
	if err == nil {
		err = l.failure()
	}
	for i := range loop.Sums {
		if err == nil {
			err = s.addSlots(&loop.Sums[i])
		}
	}
	l.loop = nil
	return err
}

// run executes the iterations. Those of a new loop begin with one on each worker in turn: that makes ready what it needs of its own, so later runs allocate
// nothing, whichever worker is late to them.
func (l *looping) run(s *stream, isNew bool) error {
	iterations := l.loop.Iterations()
	if isNew {
		ready := min(s.workers, iterations)
		if err := s.job.run(inTurn{l}, ready, 1); err != nil {
			return err
		}
		l.done = ready
	}
	return s.job.run(l, iterations-l.done, s.workers)
}

// inTurn is the first iterations of a loop, each for another worker.
type inTurn struct{ *looping }

func (l inTurn) do(_, chunk int) { l.looping.do(chunk, chunk) }

// enter makes the loop current.
func (w *loopWorker) enter(d *device, loop *backend.Loop) error {
	if err := w.reserve(d, loop.Private); err != nil {
		return err
	}
	own := w.loops[loop]
	if own == nil || own.private != w.private {
		if len(w.loops) >= maxLoops {
			clear(w.loops)
		}
		own = newOwnLoop(loop, w.private)
		w.loops[loop] = own
	}
	own.forget()
	w.current = own
	return nil
}

// reserve makes the worker's private memory as large as the loop's.
func (w *loopWorker) reserve(d *device, like *backend.Buffer) error {
	if like == nil || w.private != nil && w.private.Size >= like.Size {
		return nil
	}
	grown, err := d.Alloc(like.Size)
	if err != nil {
		return err
	}
	d.Free(w.private)
	w.private = grown
	return nil
}

func newOwnLoop(loop *backend.Loop, private *backend.Buffer) *ownLoop {
	own := &ownLoop{private: private, buffers: buffersOf(loop), held: heldBy(loop)}
	clone := func(cmds []backend.Cmd) []backend.Cmd {
		mine := make([]backend.Cmd, len(cmds))
		for i := range cmds {
			mine[i] = cmds[i].Clone()
			for _, views := range [2][]backend.View{mine[i].Dst, mine[i].Src} {
				for k := range views {
					if views[k].Buf == loop.Private {
						views[k].Buf = private
					}
				}
			}
		}
		return mine
	}
	own.body, own.tail = clone(loop.Body), clone(loop.Tail)
	for i := range own.body {
		for _, views := range [2][]backend.View{own.body[i].Dst, own.body[i].Src} {
			for k := range views {
				own.home = append(own.home, views[k].Offset)
			}
		}
	}
	return own
}

// do executes an iteration, or adds a block of slots.
func (l *looping) do(worker, chunk int) {
	w := l.workers[worker]
	if l.summing != nil {
		w.addBlock(l, chunk)
		return
	}
	if chunk += l.done; chunk < l.loop.Count {
		w.current.move(l.loop.Moves, chunk)
		w.execute(w.current.body, w.current.held)
		return
	}
	w.execute(w.current.tail, nil)
}

// execute executes the commands of an iteration, of which those of the body have a place to hold operands.
func (w *loopWorker) execute(cmds []backend.Cmd, holds [][2]*held) {
	for i := range cmds {
		if w.stream.err != nil {
			return
		}
		w.stream.product.held = [2]*held{}
		if holds != nil {
			w.stream.product.held = holds[i]
		}
		if err := w.stream.dispatch(&cmds[i]); err != nil {
			w.stream.err = fmt.Errorf("%v: %w", &cmds[i], err)
		}
	}
}

// forget drops what the loop holds, which was right when it ran before.
func (o *ownLoop) forget() {
	for _, operands := range o.held {
		for _, h := range operands {
			if h != nil {
				h.parts = h.parts[:0]
			}
		}
	}
}

// move brings the operands of the body to an iteration.
func (o *ownLoop) move(moves [][]int, iteration int) {
	n := 0
	for i := range o.body {
		c, by := &o.body[i], moves[i]
		for k := range c.Dst {
			c.Dst[k].Offset = o.home[n] + iteration*by[k]
			n++
		}
		by = by[len(c.Dst):]
		for k := range c.Src {
			c.Src[k].Offset = o.home[n] + iteration*by[k]
			n++
		}
	}
}

// failure returns the first failure of an iteration. It poisons the stream of the loop, so the workers' are free for the next.
func (l *looping) failure() error {
	var first error
	for _, w := range l.workers {
		if first == nil {
			first = w.stream.err
		}
		w.stream.err = nil
	}
	return first
}

// addSlots takes a sum of the loop.
func (s *stream) addSlots(sum *backend.LoopSum) error {
	l := &s.looping
	l.summing = sum
	n := sum.Dst.Len()
	for _, w := range l.workers {
		words[[blockLen]uint64](&w.nodes, treeDepth(sum.Slots.Dims[0]))
	}
	err := s.run(l, (n+blockLen-1)/blockLen, n*sum.Slots.Dims[0]/4)
	l.summing = nil
	return err
}

// addBlock adds the slots of a block of results. The kernel of addition may write over its operands.
func (w *loopWorker) addBlock(l *looping, chunk int) {
	sum := l.summing
	d := &sum.Dst
	add := w.stream.dev.kernels.instr(backend.Add, d.DType)
	size, total := d.DType.Size(), d.Len()
	lo := chunk * blockLen
	n := min(blockLen, total-lo)
	leaves := sum.Slots.Dims[0]
	nodes := words[[blockLen]uint64](&w.nodes, treeDepth(leaves))
	t := pointerTree{nodes: nodes, merge: add, n: n}
	for i := range leaves {
		t.add(address(&sum.Slots, sum.Slots.Offset+i*total+lo))
	}
	copy(block[byte](address(d, d.Offset+lo), n*size), block[byte](t.total(), n*size))
}
