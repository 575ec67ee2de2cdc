package backend

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// ErrOutOfMemory is wrapped by the error of an allocation that the device cannot satisfy.
var ErrOutOfMemory = errors.New("out of memory")

// ErrMisconfigured is wrapped by the error of a backend that would be available but for a setting of the user's, like an environment
// variable. Open("") returns it: it does not pass on to another backend, which the user did not ask for.
var ErrMisconfigured = errors.New("misconfigured")

// Buffer is a block of a device's memory. Blocks are aligned to 64 bytes at least. What a fresh one holds is not defined.
type Buffer struct {
	Device Device
	Size   int     // bytes
	Host   []byte  // the memory itself, where the host can reach it
	Addr   uintptr // the device's address, where it cannot
}

// Options configure a device that is being opened. The zero value is the default.
type Options struct {
	Workers     int   // threads of a CPU device; 0 is as many as the process may use
	MemoryLimit int64 // bytes; 0 is no limit but the machine's

	// Precision is that of the products in float32 matrix products. "" is exact; another may be faster on a backend that knows it, and its results
	// are not within the contract. An unknown one is an error.
	Precision string

	// MatMul names a library that computes matrix products in the place of the backend. "" is none; with another results depend on more than the
	// contract says. An unknown one, or one that is not installed, is an error.
	MatMul string
}

// Driver opens the devices of one backend.
type Driver interface {
	// Available returns nil if a device can be opened here, else why not, in one line.
	Available() error
	// About says in a few words what the backend runs on, like "pure Go, 2 workers".
	About() string
	// Open opens device number n.
	Open(n int, o Options) (Device, error)
}

// Device owns memory. Its methods may be called from any goroutine.
type Device interface {
	// Name returns the name that opens the device, like "cpu" or "cuda:1".
	Name() string
	// Alloc returns a block of at least size bytes; its Size is what was asked for, which may be 0.
	Alloc(size int) (*Buffer, error)
	// Free gives a block back. Commands that were queued before it, on any stream, still find the block as it was: the device waits for
	// them, or keeps the block until they have run.
	Free(*Buffer)
	// NewStream returns a stream of the device.
	NewStream() (Stream, error)
	// Supports reports whether the device executes the command itself. It is true for every required operation.
	Supports(*Cmd) bool
	// Close frees the device. Its streams must be closed.
	Close() error
}

// Parallel is what a device may have beside its methods: it says how many workers share a command or a loop, so that whoever cuts work knows.
type Parallel interface {
	Workers() int
}

// Stream executes commands in order, on buffers of its device. It has one owner: its methods must not be called
// concurrently.
//
// Streams of one device are not ordered among each other until Sync: what one wrote, another may read only after the first was synced.
//
// The first failure poisons the stream: later commands are dropped, and Download and Sync return the cause from then on. A failure of the
// device itself, like a lost GPU, poisons all its streams.
type Stream interface {
	// Exec queues commands that pass [Cmd.Check]. It does not keep the slices.
	Exec(cmds []Cmd)
	// Upload queues a copy to a buffer, at offset bytes. src may be reused when it returns.
	Upload(dst *Buffer, offset int, src []byte)
	// Download waits for what was queued and copies from a buffer, at offset bytes.
	Download(dst []byte, src *Buffer, offset int) error
	// Sync waits for what was queued.
	Sync() error
	// Close waits and frees the stream.
	Close() error
}

// Replayer is what a stream may have beside its methods: it readies commands that are executed again and again, say as one graph of launches. Whoever
// replays commands asks for it, and executes them where a stream does not have it.
type Replayer interface {
	// Prepare readies commands that pass [Cmd.Check], and executes none. It does not keep the slices. The buffers must not be freed before the replay
	// is closed.
	Prepare(cmds []Cmd) (Replay, error)
}

// Replay is commands that a stream has readied. It belongs to the owner of the stream, and is closed before the stream.
type Replay interface {
	// Run queues the commands in order, on what their operands hold when their turn comes, like Exec.
	Run()
	// Close waits until the commands have run, if they were queued, and frees what the replay holds. Its error is the stream's.
	Close() error
}

var drivers = struct {
	sync.RWMutex
	byName map[string]registered
}{byName: map[string]registered{}}

type registered struct {
	Driver
	rank int
}

// Register makes a driver known by name. Backends call it from init, so a program chooses by blank imports. Among those with rank > 0,
// Open("") takes the highest. It panics if the name is taken or holds a colon.
func Register(name string, rank int, d Driver) {
	drivers.Lock()
	defer drivers.Unlock()
	if _, taken := drivers.byName[name]; taken || name == "" || strings.Contains(name, ":") {
		panic(fmt.Sprintf("backend: cannot register %q: the name is taken or malformed", name))
	}
	drivers.byName[name] = registered{d, rank}
}

// Names returns the names of the registered backends, sorted.
func Names() []string {
	drivers.RLock()
	defer drivers.RUnlock()
	names := make([]string, 0, len(drivers.byName))
	for name := range drivers.byName {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Lookup returns the driver of that name.
func Lookup(name string) (Driver, bool) {
	drivers.RLock()
	defer drivers.RUnlock()
	d, ok := drivers.byName[name]
	return d.Driver, ok
}

// Default returns the name that Open("") opens: the backend of the highest positive rank that is available, or only misconfigured, or "".
func Default() string {
	drivers.RLock()
	defer drivers.RUnlock()
	best, rank := "", 0
	for name, d := range drivers.byName {
		if d.rank <= rank {
			continue
		}
		if err := d.Available(); err == nil || errors.Is(err, ErrMisconfigured) {
			best, rank = name, d.rank
		}
	}
	return best
}

// Open opens a device by name: "cpu", "cuda:1", or "" for the best CPU backend present.
// It returns an error if there is no such backend, or the backend's own, like that of a missing driver.
func Open(name string, o Options) (Device, error) {
	names := Names()
	if len(names) == 0 {
		return nil, errors.New("backend: none is registered; import one, like _ \"github.com/weir-ml/weir/backend/cpu\"")
	}
	if name == "" {
		if name = Default(); name == "" {
			return nil, fmt.Errorf("backend: no CPU backend is available; name one of %s", strings.Join(names, ", "))
		}
	}
	base, number, numbered := strings.Cut(name, ":")
	n := 0
	if numbered {
		var err error
		if n, err = strconv.Atoi(number); err != nil || n < 0 {
			return nil, fmt.Errorf("backend: %q: want a device number after the colon, like %s:0", name, base)
		}
	}
	d, ok := Lookup(base)
	if !ok {
		return nil, fmt.Errorf("backend: unknown backend %q; have %s", base, strings.Join(names, ", "))
	}
	if o.Workers < 0 || o.MemoryLimit < 0 {
		return nil, fmt.Errorf("backend: %d workers and a memory limit of %d bytes; want 0, for the default, or more", o.Workers, o.MemoryLimit)
	}
	return d.Open(n, o)
}
