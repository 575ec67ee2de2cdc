package cpu

import (
	"fmt"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

const (
	alignment = 64
	// mapThreshold is the size from which a block is mapped outside the Go heap: the collector neither counts it, so it does not
	// stretch the heap goal, nor keeps its pages after it is freed.
	mapThreshold = 1 << 20
)

// Alloc returns a zeroed block. Its error wraps [backend.ErrOutOfMemory] if the limit or the machine leaves no room.
func (d *device) Alloc(size int) (*backend.Buffer, error) {
	if size < 0 {
		return nil, fmt.Errorf("%s: cannot allocate %d bytes", d.name, size)
	}
	if d.closed.Load() {
		return nil, fmt.Errorf("%s: cannot allocate %d bytes: %w", d.name, size, errDeviceClosed)
	}
	used := d.used.Add(int64(size))
	if d.limit > 0 && used > d.limit {
		d.used.Add(-int64(size))
		return nil, fmt.Errorf("%s: cannot allocate %d bytes: %d of the limit of %d are in use: %w",
			d.name, size, used-int64(size), d.limit, backend.ErrOutOfMemory)
	}
	host, err := allocate(size)
	if err != nil {
		d.used.Add(-int64(size))
		return nil, fmt.Errorf("%s: cannot allocate %d bytes: %w: %w", d.name, size, backend.ErrOutOfMemory, err)
	}
	return &backend.Buffer{Device: d, Size: size, Host: host}, nil
}

// Free gives the block back and empties b, so that a later use is an error and not a fault. Freeing twice does nothing.
func (d *device) Free(b *backend.Buffer) {
	if b == nil || b.Host == nil || b.Device != backend.Device(d) {
		return
	}
	host := b.Host
	b.Host = nil
	d.used.Add(-int64(b.Size))
	release(host)
}

func allocate(size int) ([]byte, error) {
	if mapped(size) {
		return mapMemory(size)
	}
	block := make([]byte, size+alignment)
	// The Go heap does not move, so the slice stays aligned.
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(block))) % alignment
	return block[skip : int(skip)+size : int(skip)+size], nil
}

func release(host []byte) {
	if mapped(len(host)) {
		unmapMemory(host)
	}
}

func mapped(size int) bool { return canMap && size >= mapThreshold }
