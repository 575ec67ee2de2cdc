//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// Alloc returns a block of device memory. Its error wraps [backend.ErrOutOfMemory] if the limit or the GPU leaves no room. The driver keeps what was
// freed for later blocks.
func (d *device) Alloc(size int) (*backend.Buffer, error) {
	address, err := d.alloc(size)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot allocate %d bytes: %w", d.name, size, err)
	}
	return &backend.Buffer{Device: d, Size: size, Addr: address}, nil
}

func (d *device) alloc(size int) (uintptr, error) {
	if size < 0 {
		return 0, errors.New("want 0 or more")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return 0, errDeviceClosed
	}
	if err := d.failed(); err != nil {
		return 0, err
	}
	if d.limit > 0 && int64(size) > d.limit-d.used {
		return 0, fmt.Errorf("%d of the limit of %d are in use: %w", d.used, d.limit, backend.ErrOutOfMemory)
	}
	address, err := d.ask(max(size, 1)) // the driver has no blocks of 0 bytes
	switch {
	case errors.Is(err, backend.ErrOutOfMemory):
		return 0, fmt.Errorf("%d are in use: %w", d.used, err)
	case err != nil:
		return 0, err
	}
	d.used += int64(size)
	d.blocks[address] = struct{}{}
	return address, nil
}

// ask takes a block from the driver. If it has none, blocks that are being freed may make room.
func (d *device) ask(size int) (uintptr, error) {
	var address C.uint64_t
	err := d.try(C.weir_alloc(&d.handle, C.size_t(size), &address))
	if errors.Is(err, backend.ErrOutOfMemory) {
		if err := d.try(C.weir_reclaim(&d.handle)); err != nil {
			return 0, err
		}
		err = d.try(C.weir_alloc(&d.handle, C.size_t(size), &address))
	}
	return uintptr(address), err
}

// Free gives a block back when all that is queued on the device's streams has run, and takes its address from b, so that a later use is an
// error. Freeing twice does nothing. If the driver refuses, streams return why.
func (d *device) Free(b *backend.Buffer) {
	if b == nil || !d.made(b) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	address := b.Addr
	if address == 0 {
		return
	}
	b.Addr = 0
	d.used -= int64(b.Size)
	if d.closed {
		return // it went with everything else
	}
	delete(d.blocks, address)
	var streams, events []unsafe.Pointer
	for s := range d.streams {
		if s.queued.Load() {
			streams, events = append(streams, s.handle), append(events, s.event)
		}
	}
	err := d.try(C.weir_free(&d.handle, C.uint64_t(address), unsafe.SliceData(streams), unsafe.SliceData(events), C.size_t(len(streams))))
	if err != nil {
		d.poison(fmt.Errorf("free: %w", err))
	}
}

// freeBlocks frees what nobody has, as tensors that wait for the garbage collector. There are no streams left to wait for.
func (d *device) freeBlocks() error {
	var first error
	for address := range d.blocks {
		if err := d.try(C.weir_free(&d.handle, C.uint64_t(address), nil, nil, 0)); first == nil {
			first = err
		}
	}
	clear(d.blocks)
	return first
}
