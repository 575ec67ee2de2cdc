// Package plan records a step once and replays it.
//
//	p, err := plan.Record(stream, func(r *plan.Recorder) error { return trainStep() }) // also runs it the first time
//	for range 999 {
//		err = p.Run()
//	}
//	p.Close()
//
// A replay executes the same commands on the same memory: it sees new values only in tensors that were made before the recording, which is how a
// step is fed, with tensor.SetSlice or a random generator, and how its results are kept, with tensor.CopyInto. Shapes are fixed; another
// batch size needs another plan. A replay gives the bits that the step run eagerly would give.
package plan

import (
	"errors"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Recorder is handed to a step while it runs. A nil Recorder runs it without recording.
type Recorder struct {
	rec   *tensor.Recording
	hosts []host
}

// host is a function that runs after the first n commands.
type host struct {
	after int
	f     func() error
}

// Host calls f, and does so again at this point of every replay. f may read values on the host, which a recorded step otherwise
// must not. Its error is returned, there or by the replay.
func (r *Recorder) Host(f func() error) error {
	if r == nil {
		return f()
	}
	r.rec.Execute()
	r.hosts = append(r.hosts, host{len(r.rec.Commands()), f})
	var err error
	r.rec.Pause(func() { err = f() })
	return err
}

// Plan is a recorded step.
type Plan struct {
	stream *tensor.Stream
	rec    *tensor.Recording
	hosts  []host
	closed bool
}

// Record runs step once and keeps what it did. Tensors that it makes belong to the plan. If the step fails nothing is kept, and
// the stream is as usable as it was.
//
// What step asks for is executed, arranged as it will be in every run, when step has returned: so the first run needs no more memory than the others. A
// host function can read anything, so a step that has one is executed, and replayed, as it is written.
func Record(s *tensor.Stream, step func(r *Recorder) error) (p *Plan, err error) {
	defer tensor.Catch(&err)
	r := &Recorder{rec: s.BeginDeferred()}
	defer func() {
		r.rec.End()
		if p == nil {
			r.rec.Close()
		}
	}()
	if err := step(r); err != nil {
		return nil, err
	}
	r.rec.End()
	if r.rec.Deferred() {
		if err := arrange(r.rec); err != nil {
			return nil, err
		}
		r.rec.Replay(0, len(r.rec.Commands()))
	}
	return &Plan{stream: s, rec: r.rec, hosts: r.hosts}, nil
}

// Commands returns the recorded commands. The caller must not change them.
func (p *Plan) Commands() []backend.Cmd { return p.rec.Commands() }

// Run replays the step. Errors that depend on data are returned by whatever reads a value next.
func (p *Plan) Run() (err error) {
	defer tensor.Catch(&err)
	if p.closed {
		return errors.New("plan: the plan is closed")
	}
	at := 0
	for _, h := range p.hosts {
		p.rec.Replay(at, h.after)
		if err := h.f(); err != nil {
			return err
		}
		at = h.after
	}
	p.rec.Replay(at, len(p.rec.Commands()))
	return nil
}

// Close frees the plan's memory. Tensors that the step made, and their views, cannot be used afterwards.
func (p *Plan) Close() {
	p.closed = true
	p.rec.Close()
}
