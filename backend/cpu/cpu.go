// Package cpu is the backend in pure Go: every required operation of the contract, on all cores, on every platform Go runs on.
//
// It is the reference the faster backends are held against, so it is plain where plainness costs little. A command is executed
// when Exec is called; it is cut into chunks that do not depend on the number of workers, and the workers take chunks in
// turn. Elementwise programs run block by block, each instruction over a block that stays in the L1 cache; matrix products
// pack their operands and run a register-blocked kernel.
//
// The package registers itself as "cpu" with rank 10. [NewDevice] makes devices of other backends that differ in their inner loops alone.
package cpu

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
)

const rank = 10

func init() { backend.Register("cpu", rank, driver{}) }

type driver struct{}

func (driver) Available() error { return nil }

func (driver) About() string { return fmt.Sprintf("pure Go, %d workers", runtime.GOMAXPROCS(0)) }

// Open opens device 0, the only one. Several may be open at once; they share the process's workers.
func (driver) Open(n int, o backend.Options) (backend.Device, error) {
	if n != 0 {
		return nil, fmt.Errorf("cpu: no device %d; the only one is 0", n)
	}
	return NewDevice("cpu", o, Kernels{})
}

var (
	errDeviceClosed = errors.New("the device is closed")
	errStreamClosed = errors.New("the stream is closed")
)

type device struct {
	name        string
	kernels     Kernels
	multipliers [backend.Float64 + 1]multiplier
	folders     ownFolders
	argFolders  ownArgFolders
	turns       [9]*Turn // by the bytes of an element
	workers     int
	limit       int64 // bytes; 0 is none
	used        atomic.Int64
	closed      atomic.Bool
}

func (d *device) Name() string { return d.name }

// Workers returns how many goroutines share a command.
func (d *device) Workers() int { return d.workers }

// made reports whether the block is one of the device's. It costs less than comparing interfaces.
func (d *device) made(b *backend.Buffer) bool {
	owner, ok := b.Device.(*device)
	return ok && owner == d
}

// Supports reports whether c keeps to the contract: every operation is known here.
func (d *device) Supports(c *backend.Cmd) bool { return c.Check() == nil }

func (d *device) NewStream() (backend.Stream, error) {
	if d.closed.Load() {
		return nil, fmt.Errorf("%s: new stream: %w", d.name, errDeviceClosed)
	}
	return newStream(d, d.workers), nil
}

// Close makes later allocations fail. Blocks in use stay valid until they are freed.
func (d *device) Close() error {
	d.closed.Store(true)
	return nil
}
