//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

var (
	errDeviceClosed = errors.New("the device is closed")
	errStreamClosed = errors.New("the stream is closed")
)

// lost are the GPUs that have failed, by number. The driver takes no more work for them in this process.
var lost sync.Map

type device struct {
	name    string
	ordinal int
	handle  C.Device
	limit   int64                 // bytes; 0 is none
	rounds  string                // the precision of float32 products
	failure atomic.Pointer[error] // what poisons all streams
	loaded  loaded
	lt      *cublasLt // multiplies, if the device was opened so

	mu      sync.Mutex // of what follows, and of allocation
	closed  bool
	used    int64 // bytes
	blocks  map[uintptr]struct{}
	streams map[*stream]struct{}
}

func openDevice(n int, o backend.Options) (*device, error) {
	if err := checkPrecision(o.Precision); err != nil {
		return nil, err
	}
	if err := checkMatMul(o); err != nil {
		return nil, err
	}
	if _, err := inspect(n); err != nil {
		return nil, err
	}
	if cause, is := lost.Load(n); is {
		return nil, fmt.Errorf("device %d failed before; the process must be started again: %w", n, cause.(error))
	}
	d := &device{
		name: "cuda", ordinal: n, limit: o.MemoryLimit, rounds: o.Precision,
		blocks: map[uintptr]struct{}{}, streams: map[*stream]struct{}{},
	}
	if n > 0 {
		d.name = fmt.Sprintf("cuda:%d", n)
	}
	d.loaded.init()
	if err := check(C.weir_device_open(C.int(n), &d.handle)); err != nil {
		return nil, fmt.Errorf("device %d: %w", n, err)
	}
	if o.MatMul == "" {
		return d, nil
	}
	if err := d.openCublasLt(); err != nil {
		_ = d.Close() // what failed first counts
		return nil, err
	}
	return d, nil
}

func (d *device) Name() string { return d.name }

func (d *device) precision() string { return d.rounds }

// Supports reports whether c keeps to the contract: every operation but the optional ones is known here.
func (d *device) Supports(c *backend.Cmd) bool { return !c.Op.Optional() && c.Check() == nil }

// made reports whether the block is one of the device's.
func (d *device) made(b *backend.Buffer) bool {
	owner, ok := b.Device.(*device)
	return ok && owner == d
}

// try returns the error of a call. One that the device cannot recover from poisons all its streams.
func (d *device) try(s C.Status) error {
	if s.code == 0 {
		return nil
	}
	err := check(s)
	if errors.Is(err, ErrDeviceLost) {
		err = fmt.Errorf("%w: %w", ErrDeviceLost, err)
		lost.LoadOrStore(d.ordinal, err)
		d.poison(err)
	}
	return err
}

// poison makes all streams return err from now on.
func (d *device) poison(err error) { d.failure.CompareAndSwap(nil, &err) }

// failed returns what poisons the device, or nil.
func (d *device) failed() error {
	if p := d.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// Close gives everything back to the driver. Blocks in use are lost with it. Its error is what has poisoned the device, if anything did.
func (d *device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	if n := len(d.streams); n > 0 {
		return fmt.Errorf("%s: close: %d of its streams are open", d.name, n)
	}
	d.closed = true
	freeing := d.freeBlocks()
	unloading := d.loaded.unload(d)
	leaving := d.lt.close()
	closing := d.try(C.weir_device_close(&d.handle))
	err := d.failed()
	for _, e := range []error{freeing, unloading, leaving, closing} {
		switch {
		case err == nil:
			err = e
		case e != nil:
			err = fmt.Errorf("%w; %w", err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: close: %w", d.name, err)
	}
	return nil
}

// pinned is memory of the host that the device reaches.
type pinned struct {
	p unsafe.Pointer
	n int
}

func (d *device) pin(n int) (pinned, error) {
	var p unsafe.Pointer
	err := d.try(C.weir_pin(&d.handle, C.size_t(n), &p))
	return pinned{p, n}, err
}

func (d *device) unpin(m pinned) error {
	if m.p == nil {
		return nil
	}
	return d.try(C.weir_unpin(&d.handle, m.p))
}

// bytes returns the memory.
func (m pinned) bytes() []byte { return unsafe.Slice((*byte)(m.p), m.n) }
