//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"
)

// loaded is what a device has compiled. Nothing is, until a command needs it.
type loaded struct {
	mu      sync.RWMutex
	kernels map[kernelName]*kernel
	keyed   map[any]*module
	texts   map[string]*module // generated
}

// kernelName names a kernel of a module, which is nil for the committed ones.
type kernelName struct {
	module *module
	name   string
}

// kernel is a kernel that was asked for.
type kernel struct {
	ready atomic.Pointer[function]

	mu     sync.Mutex // of compiling, for which those who ask for another kernel do not wait
	module unsafe.Pointer
}

// function is a kernel that can be launched. It does not change.
type function struct {
	handle unsafe.Pointer
	shared uint32 // bytes of dynamic shared memory that it may be launched with
}

// defaultShared is how many bytes of dynamic shared memory a kernel may have without asking.
const defaultShared = 48 << 10

func (l *loaded) init() {
	l.kernels = map[kernelName]*kernel{}
	l.keyed = map[any]*module{}
	l.texts = map[string]*module{}
}

// cached implements machine. Keys of one text share a module.
func (d *device) cached(key any, text func() string) *module {
	l := &d.loaded
	l.mu.RLock()
	m := l.keyed[key]
	l.mu.RUnlock()
	if m != nil {
		return m
	}
	made := text()
	l.mu.Lock()
	defer l.mu.Unlock()
	if m = l.texts[made]; m == nil {
		m = &module{name: fmt.Sprintf("program %d", len(l.texts)), text: made}
		l.texts[made] = m
	}
	if len(l.keyed) >= mostPrograms {
		clear(l.keyed) // they may stand for programs that are gone; their texts are still known
	}
	l.keyed[key] = m
	return m
}

// function implements machine. The first who asks for a kernel has it compiled; where that fails, the next tries again.
func (d *device) function(m *module, name string, shared uint32) (uint64, error) {
	k := d.loaded.kernel(kernelName{m, name})
	f := k.ready.Load()
	if f == nil || shared > f.shared {
		var err error
		if f, err = d.resolve(k, m, name, shared); err != nil {
			return 0, err
		}
	}
	return uint64(uintptr(f.handle)), nil
}

// kernel returns what is known of a kernel.
func (l *loaded) kernel(n kernelName) *kernel {
	l.mu.RLock()
	k := l.kernels[n]
	l.mu.RUnlock()
	if k != nil {
		return k
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if k = l.kernels[n]; k == nil {
		k = &kernel{}
		l.kernels[n] = k
	}
	return k
}

// resolve makes a kernel ready for so much shared memory.
func (d *device) resolve(k *kernel, m *module, name string, shared uint32) (*function, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := &function{shared: defaultShared}
	if known := k.ready.Load(); known != nil {
		*f = *known
	} else if err := d.lookUp(k, m, name, f); err != nil {
		return nil, err
	}
	if shared > f.shared {
		if err := d.try(C.weir_function_shared(&d.handle, f.handle, C.int(shared))); err != nil {
			return nil, fmt.Errorf("kernel %s with %d bytes of shared memory: %w", name, shared, err)
		}
		f.shared = shared
	}
	k.ready.Store(f)
	return f, nil
}

func (d *device) lookUp(k *kernel, m *module, name string, f *function) error {
	in, err := find(m, name)
	if err != nil {
		return err
	}
	if k.module == nil {
		if k.module, err = d.load(in); err != nil {
			return fmt.Errorf("kernel %s of %s does not load: %w", name, in.name, err)
		}
	}
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	if err := d.try(C.weir_function(&d.handle, k.module, cname, &f.handle)); err != nil {
		return fmt.Errorf("kernel %s of %s: %w", name, in.name, err)
	}
	return nil
}

// logBytes is how much is kept of what the compiler says.
const logBytes = 4096

// load compiles a module. Its error has what the compiler says.
func (d *device) load(m *module) (unsafe.Pointer, error) {
	text := C.CString(m.head + m.text)
	defer C.free(unsafe.Pointer(text))
	log := (*C.char)(C.calloc(logBytes, 1))
	defer C.free(unsafe.Pointer(log))
	var handle unsafe.Pointer
	err := d.try(C.weir_module_load(&d.handle, text, &handle, log, logBytes-1))
	if err == nil {
		return handle, nil
	}
	var refused *callError
	if errors.As(err, &refused) {
		refused.log = C.GoString(log)
	}
	return nil, err
}

// unload frees what was compiled.
func (l *loaded) unload(d *device) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first error
	for _, k := range l.kernels {
		if k.module == nil {
			continue
		}
		if err := d.try(C.weir_module_unload(&d.handle, k.module)); first == nil {
			first = err
		}
	}
	l.init()
	return first
}
