//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include "shim.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// replay is commands as a CUDA graph of explicit nodes, one after the other: the driver launches all of it by one call. It has temporary memory of its
// own, since its nodes hold addresses.
type replay struct {
	stream *stream
	graph  unsafe.Pointer
	batch  batch // what the graph was made of
	closed bool
}

// Prepare implements [backend.Replayer].
func (s *stream) Prepare(cmds []backend.Cmd) (backend.Replay, error) {
	if s.failed() {
		return nil, s.err
	}
	r := &replay{stream: s}
	if err := r.make(cmds); err != nil {
		r.batch.arena.free(s.dev)
		return nil, fmt.Errorf("%s: prepare %d commands: %w", s.dev.name, len(cmds), err)
	}
	s.replays[r] = struct{}{}
	return r, nil
}

func (r *replay) make(cmds []backend.Cmd) error {
	s, b := r.stream, &r.batch
	s.nextReplay++
	b.on = s.dev
	b.faults = faults{record: s.batch.faults.record, base: replayBase(s.nextReplay)}
	// A command that may fail makes the next replay look too, from its first node on.
	b.faults.guarding = slices.ContainsFunc(cmds, indexes)
	if err := s.lower(b, cmds); err != nil {
		return err
	}
	if len(b.nodes) == 0 {
		return nil
	}
	s.at = 0
	err := s.dev.try(C.weir_graph_make(&s.dev.handle, (*C.Node)(unsafe.Pointer(&b.nodes[0])), C.size_t(len(b.nodes)),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(b.params))), &r.graph, &s.at))
	if err != nil {
		return fmt.Errorf("%v: %w", &cmds[b.origins[s.at]], err)
	}
	b.nodes, b.origins, b.params = nil, nil, nil
	return nil
}

// indexes reports whether a command may find an index out of range.
func indexes(c backend.Cmd) bool { return c.Op == backend.Gather || c.Op == backend.ScatterAdd }

// Run implements [backend.Replay]: it queues the graph.
func (r *replay) Run() {
	s := r.stream
	guarding := r.batch.faults.guarding
	if s.batch.faults.guarding && !guarding {
		s.Sync() // the nodes of this graph do not look whether an earlier command has failed
	}
	if s.failed() || r.closed || r.graph == nil {
		return
	}
	s.queued.Store(true)
	s.batch.faults.guarding = guarding
	s.keep(s.dev.try(C.weir_graph_run(&s.dev.handle, s.handle, r.graph)))
}

// Close implements [backend.Replay]: it waits until the graph has run and frees it.
func (r *replay) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	s := r.stream
	err := s.Sync()
	if err != nil {
		_ = s.wait() // Sync did not
	}
	delete(s.replays, r)
	if r.graph != nil {
		if e := s.dev.try(C.weir_graph_free(&s.dev.handle, r.graph)); err == nil && e != nil {
			err = fmt.Errorf("%s: free a replay: %w", s.dev.name, e)
		}
	}
	r.batch.arena.free(s.dev)
	return err
}
