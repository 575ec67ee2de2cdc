//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include "shim.h"
import "C"

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// stream queues commands. Everything runs later, on the device; what fails there is found when the stream waits.
type stream struct {
	dev     *device
	handle  unsafe.Pointer
	event   unsafe.Pointer // where the device's Free finds what was queued
	queued  atomic.Bool    // something was, since the stream last waited
	batch   batch
	staging staging
	record  *backend.Buffer // a fault
	found   pinned          // what was read of it
	at      C.size_t        // the node of a batch that the driver did not take
	err     error           // the first failure; it poisons the stream
	closed  bool

	replays    map[*replay]struct{}
	nextReplay uint64
}

func (d *device) NewStream() (backend.Stream, error) {
	s, err := d.newStream()
	if err != nil {
		return nil, fmt.Errorf("%s: new stream: %w", d.name, err)
	}
	return s, nil
}

func (d *device) newStream() (*stream, error) {
	if err := d.failed(); err != nil {
		return nil, err
	}
	s := &stream{dev: d, replays: map[*replay]struct{}{}}
	s.batch.on = d
	if err := d.add(s); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

// add opens a stream, which keeps the device open.
func (d *device) add(s *stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errDeviceClosed
	}
	if err := d.try(C.weir_stream_open(&d.handle, &s.handle, &s.event)); err != nil {
		return err
	}
	d.streams[s] = struct{}{}
	return nil
}

// prepare makes the record that faults are noted in, and waits until it is clear.
func (s *stream) prepare() (err error) {
	if s.found, err = s.dev.pin(faultBytes); err != nil {
		return err
	}
	if s.record, err = s.dev.Alloc(faultBytes); err != nil {
		return err
	}
	s.batch.faults.record = uint64(s.record.Addr)
	s.batch.fill(s.batch.faults.record, 0, faultBytes)
	if err := s.submit(); err != nil {
		return err
	}
	return s.wait()
}

// mostIndexed is the number of commands that may find an index out of range from which a stream waits for those that it has queued, so that it need not
// remember them.
const mostIndexed = 4096

// Exec lowers the commands to a batch and queues it.
func (s *stream) Exec(cmds []backend.Cmd) {
	if len(s.batch.faults.commands) >= mostIndexed {
		s.Sync()
	}
	if s.failed() {
		return
	}
	s.batch.reset()
	s.keep(s.lower(&s.batch, cmds))
	if err := s.submit(); err != nil {
		s.keep(fmt.Errorf("%v: %w", &cmds[s.batch.origins[s.at]], err))
	}
}

// lower appends commands to a batch, up to one that fails, and returns its error.
func (s *stream) lower(b *batch, cmds []backend.Cmd) error {
	var wrong error
	for i := range cmds {
		if wrong = s.check(&cmds[i]); wrong != nil {
			cmds = cmds[:i]
			break
		}
	}
	for at := 0; at < len(cmds); {
		next := at + b.lower(cmds[at:])
		if b.err != nil {
			b.drop(at)
			return fmt.Errorf("%v: %w", &cmds[at], b.err)
		}
		at = next
	}
	return wrong
}

func (s *stream) check(c *backend.Cmd) error {
	if err := c.Check(); err != nil {
		return err
	}
	if why := s.reach(c); why != "" {
		return fmt.Errorf("%v: %s", c, why)
	}
	return nil
}

// reach says why the memory of an operand cannot be used, or "".
func (s *stream) reach(c *backend.Cmd) string {
	for i := range c.Src {
		if why := s.owns(c.Src[i].Buf); why != "" {
			return fmt.Sprintf("source %d %s", i, why)
		}
	}
	for i := range c.Dst {
		if why := s.owns(c.Dst[i].Buf); why != "" {
			return fmt.Sprintf("destination %d %s", i, why)
		}
	}
	return ""
}

func (s *stream) owns(b *backend.Buffer) string {
	switch {
	case !s.dev.made(b):
		return "lies on another device"
	case b.Addr == 0:
		return "was freed"
	}
	return ""
}

// submit queues what is in the batch.
func (s *stream) submit() error {
	b := &s.batch
	if len(b.nodes) == 0 {
		return nil
	}
	s.queued.Store(true)
	s.at = 0
	err := s.dev.try(C.weir_run(&s.dev.handle, s.handle, (*C.Node)(unsafe.Pointer(&b.nodes[0])), C.size_t(len(b.nodes)),
		(*C.char)(unsafe.Pointer(unsafe.SliceData(b.params))), &s.at))
	b.arena.retire(s.dev)
	return err
}

// failed reports whether the stream takes no more work.
func (s *stream) failed() bool {
	if s.err != nil {
		return true
	}
	if s.closed {
		s.err = fmt.Errorf("%s: %w", s.dev.name, errStreamClosed)
	} else if err := s.dev.failed(); err != nil {
		s.err = fmt.Errorf("%s: %w", s.dev.name, err)
	}
	return s.err != nil
}

// keep keeps the first failure.
func (s *stream) keep(err error) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("%s: %w", s.dev.name, err)
	}
}

// keepCopy keeps the failure of an upload or a download.
func (s *stream) keepCopy(err error, what string, bytes int) {
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("%s: %s of %d bytes: %w", s.dev.name, what, bytes, err)
	}
}

func (s *stream) Upload(dst *backend.Buffer, offset int, src []byte) {
	if s.failed() {
		return
	}
	if why := s.spans(dst, offset, len(src)); why != "" {
		s.err = fmt.Errorf("%s: upload of %d bytes at %d: the buffer %s", s.dev.name, len(src), offset, why)
		return
	}
	s.queued.Store(true)
	s.keepCopy(s.upload(uint64(dst.Addr)+uint64(offset), src), "upload", len(src))
}

func (s *stream) Download(dst []byte, src *backend.Buffer, offset int) error {
	if s.failed() {
		return s.err
	}
	if why := s.spans(src, offset, len(dst)); why != "" {
		s.err = fmt.Errorf("%s: download of %d bytes at %d: the buffer %s", s.dev.name, len(dst), offset, why)
		return s.err
	}
	if len(dst) == 0 {
		return s.Sync()
	}
	// The record, if it counts, arrives with the bytes: one wait is enough.
	guarding := s.batch.faults.guarding
	if guarding {
		s.keep(s.fetchRecord())
	}
	s.keepCopy(s.download(dst, uint64(src.Addr)+uint64(offset)), "download", len(dst))
	if guarding && s.err == nil {
		s.keep(s.judge())
	}
	s.failed()
	return s.err
}

// spans says why bytes [offset, offset+n) of b cannot be used, or "".
func (s *stream) spans(b *backend.Buffer, offset, n int) string {
	if b == nil {
		return "is nil"
	}
	if why := s.owns(b); why != "" {
		return why
	}
	if offset < 0 || n > b.Size-offset {
		return fmt.Sprintf("has %d bytes", b.Size)
	}
	return ""
}

// Sync waits for what was queued, and finds out whether an index was out of range.
func (s *stream) Sync() error {
	if s.failed() {
		return s.err
	}
	s.keep(s.settle())
	s.failed()
	return s.err
}

func (s *stream) settle() error {
	guarding := s.batch.faults.guarding
	if guarding {
		if err := s.fetchRecord(); err != nil {
			return err
		}
	}
	if err := s.wait(); err != nil || !guarding {
		return err
	}
	return s.judge()
}

// fetchRecord queues the copy of the record to the host.
func (s *stream) fetchRecord() error {
	return s.dev.try(C.weir_download(&s.dev.handle, s.handle, s.found.p, C.uint64_t(s.record.Addr), faultBytes))
}

// judge returns the error that the record stands for when it has arrived. If there is none, all that was queued has found its indices.
func (s *stream) judge() error {
	if err := s.explain((*fault)(s.found.p)); err != nil {
		return err
	}
	s.batch.faults.forget()
	return nil
}

// explain returns the error that a record stands for, or nil.
func (s *stream) explain(found *fault) error {
	if found.failed == 0 {
		return nil
	}
	err := s.batch.faults.explain(found)
	for r := range s.replays {
		if err == nil {
			err = r.batch.faults.explain(found)
		}
	}
	if err == nil {
		err = fmt.Errorf("index %d is out of range in a command that is not known any more", found.index)
	}
	return err
}

// wait waits for what was queued.
func (s *stream) wait() error {
	if err := s.dev.try(C.weir_synchronize(&s.dev.handle, s.handle)); err != nil {
		return err
	}
	s.queued.Store(false)
	return nil
}

// Close waits, frees the stream and returns the failure that poisoned it, if any.
func (s *stream) Close() error {
	if s.closed {
		return s.err
	}
	err := s.Sync()
	for r := range s.replays {
		r.Close()
	}
	if e := s.free(); err == nil && e != nil {
		err = fmt.Errorf("%s: close the stream: %w", s.dev.name, e)
	}
	s.closed, s.err = true, err
	return err
}

// free gives back what the stream holds. What is queued must have run, or the stream have failed.
func (s *stream) free() error {
	d := s.dev
	first := s.wait()
	s.batch.arena.free(d)
	d.Free(s.record)
	for _, err := range []error{s.freeStaging(), d.unpin(s.found), d.remove(s)} {
		if first == nil {
			first = err
		}
	}
	return first
}

// remove closes a stream.
func (d *device) remove(s *stream) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.streams, s)
	return d.try(C.weir_stream_close(&d.handle, s.handle, s.event))
}
