package tensor

import (
	"errors"

	"github.com/weir-ml/weir/backend"
)

// Recording is a sequence of commands with the memory they work on. Package plan makes it convenient.
type Recording struct {
	stream    *Stream
	cmds      []backend.Cmd
	pool      *pool // of the tensors made while recording
	outer     *pool
	blocks    []*block            // made while recording, outside of any scope
	inputs    map[*block]struct{} // made before, held so that the collector leaves it
	constants []*backend.Buffer   // written by the host while recording
	traced    tracing
	replays   map[segment]backend.Replay // what the stream has readied
	phantoms  *phantoms                  // while nothing is executed
	moved     bool                       // tensors got their memory after they were made
}

// segment is commands lo, …, hi−1 of a recording.
type segment struct{ lo, hi int }

// ErrRecording is the cause when a value is read on the host while a recording is under way: a replay would not read it again.
var ErrRecording = errors.New("values cannot be read while recording")

// BeginRecording starts to keep what the stream executes, until [Recording.End]. Meanwhile tensors take their memory from the
// recording, so that a replay finds each at the same address.
func (s *Stream) BeginRecording() *Recording {
	if s.rec != nil {
		panic(&Error{Op: "record", Reason: "a recording is under way on this stream"})
	}
	r := &Recording{stream: s, pool: s.newPool(), outer: s.pool, inputs: map[*block]struct{}{}}
	r.pool.idle = r.outer
	s.rec, s.pool = r, r.pool
	return r
}

func (r *Recording) keep(c *backend.Cmd, operands []*Tensor) {
	r.cmds = append(r.cmds, c.Clone())
	r.traced.keep(c, operands)
	for _, t := range operands {
		if t.block.pool != r.pool {
			r.inputs[t.block] = struct{}{}
		}
	}
}

// constant returns memory for the elements of a tensor that nothing else uses before the recording is closed, and that nothing has used
// since it began: a replay would do so again.
func (r *Recording) constant(t *Tensor) *Tensor {
	buf, err := r.outer.fresh(t.block.buf.Size)
	if err != nil {
		panic(&Error{Op: "record", Reason: "cannot hold a constant", Err: err})
	}
	r.constants = append(r.constants, buf)
	c := *t
	c.view.Buf, c.block = buf, &block{buf: buf, pool: r.pool}
	r.traced.id(c.block, true)
	return &c
}

// Pause calls f while the stream does not record: f may read values, and what it executes is not replayed. Tensors that it makes live
// outside the recording.
func (r *Recording) Pause(f func()) {
	s := r.stream
	s.rec, s.pool = nil, r.outer
	defer func() { s.rec, s.pool = r, r.pool }()
	f()
}

// End stops recording.
func (r *Recording) End() {
	if r.stream.rec == r {
		r.stream.rec, r.stream.pool = nil, r.outer
	}
}

// Commands returns the recorded commands. The caller must not change them.
func (r *Recording) Commands() []backend.Cmd { return r.cmds }

// Replay executes commands lo, …, hi−1 again, on what their inputs hold now. It panics if an input was released, and while the stream
// records: what is replayed would be missing from that recording.
func (r *Recording) Replay(lo, hi int) {
	if r.stream.rec != nil {
		panic(&Error{Op: "replay", Reason: "a recording is under way on this stream"})
	}
	for b := range r.inputs {
		if b.released {
			panic(&Error{Op: "replay", Reason: "a tensor that the recorded commands use was released"})
		}
	}
	if q, ok := r.stream.queue.(backend.Replayer); ok {
		r.stream.proceed("replay")
		r.prepared(q, segment{lo, hi}).Run()
		return
	}
	for r.stream.guard != nil && hi-lo > replayGroup {
		r.stream.proceed("replay")
		r.stream.queue.Exec(r.cmds[lo : lo+replayGroup])
		lo += replayGroup
	}
	r.stream.proceed("replay")
	r.stream.queue.Exec(r.cmds[lo:hi])
}

// prepared returns the commands as the stream has readied them, when they were replayed first.
func (r *Recording) prepared(q backend.Replayer, at segment) backend.Replay {
	if p := r.replays[at]; p != nil {
		return p
	}
	p, err := q.Prepare(r.cmds[at.lo:at.hi])
	if err != nil {
		panic(&Error{Op: "replay", Err: err})
	}
	if r.replays == nil {
		r.replays = map[segment]backend.Replay{}
	}
	r.replays[at] = p
	return p
}

// forget frees what the stream has readied.
func (r *Recording) forget() {
	for _, p := range r.replays {
		_ = p.Close() // its error is the stream's, which whatever reads a value next returns
	}
	r.replays = nil
}

// Replace makes the recording execute other commands, to the same effect, from now on. They work on memory of the recorded ones, where that is not
// temporary, and on what [Recording.Reserve] gave; temporary memory is freed.
func (r *Recording) Replace(cmds []backend.Cmd) {
	r.forget()
	r.cmds, r.traced = cmds, tracing{}
	r.pool.trim()
}

// Reserve returns memory that lives as long as the recording. It returns an error if the device has none left.
func (r *Recording) Reserve(size int) (*backend.Buffer, error) {
	buf, err := r.outer.fresh(sizeClass(size))
	if err == nil {
		r.constants = append(r.constants, buf)
	}
	return buf, err
}

// Exec executes commands at once, which are not replayed.
func (r *Recording) Exec(cmds []backend.Cmd) { r.stream.queue.Exec(cmds) }

// Supports reports whether the device executes the command itself.
func (r *Recording) Supports(c *backend.Cmd) bool { return r.stream.dev.dev.Supports(c) }

// Workers returns how many workers of the device share a command, 1 if it does not say.
func (r *Recording) Workers() int {
	if d, ok := r.stream.dev.dev.(backend.Parallel); ok {
		return d.Workers()
	}
	return 1
}

// replayGroup is the number of commands that are replayed between two looks at a context.
const replayGroup = 8

// Close frees the recording's memory. Tensors made while recording cannot be used afterwards.
func (r *Recording) Close() {
	r.End()
	r.forget()
	for _, b := range r.blocks {
		b.release()
	}
	for _, buf := range r.constants {
		r.pool.put(buf)
	}
	if r.moved {
		r.stream.dev.moved.Add(-1)
	}
	r.cmds, r.blocks, r.inputs, r.constants, r.traced, r.moved = nil, nil, nil, nil, tracing{}, false
	r.pool.close()
}
