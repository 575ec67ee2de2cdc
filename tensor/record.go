package tensor

import (
	"errors"

	"github.com/weir-ml/weir/backend"
)

// Recording is a sequence of commands with the memory they work on. Package plan makes it convenient.
type Recording struct {
	stream *Stream
	cmds   []backend.Cmd
	pool   *pool // of the tensors made while recording
	outer  *pool
	inputs map[*block]struct{} // what was made before, held so that the collector leaves it
}

// ErrRecording is the cause when a value is read on the host while a recording is under way: a replay would not read it again.
var ErrRecording = errors.New("values cannot be read while recording")

// BeginRecording starts to keep what the stream executes, until [Recording.End]. Meanwhile tensors take their memory from the
// recording, so that a replay finds each at the same address.
func (s *Stream) BeginRecording() *Recording {
	if s.rec != nil {
		panic(&Error{Op: "record", Reason: "a recording is under way on this stream"})
	}
	r := &Recording{stream: s, pool: newPool(s.dev.dev), outer: s.pool, inputs: map[*block]struct{}{}}
	s.rec, s.pool = r, r.pool
	return r
}

func (r *Recording) keep(c *backend.Cmd, operands []*Tensor) {
	r.cmds = append(r.cmds, c.Clone())
	for _, t := range operands {
		if t.block.pool != r.pool {
			r.inputs[t.block] = struct{}{}
		}
	}
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

// Replay executes commands lo, …, hi−1 again, on what their inputs hold now. It panics if an input was released.
func (r *Recording) Replay(lo, hi int) {
	for b := range r.inputs {
		if b.released {
			panic(&Error{Op: "replay", Reason: "a tensor that the recorded commands use was released"})
		}
	}
	r.stream.queue.Exec(r.cmds[lo:hi])
}

// Close frees the recording's memory. Tensors made while recording cannot be used afterwards.
func (r *Recording) Close() {
	r.End()
	r.cmds, r.inputs = nil, nil
	r.pool.close()
}
