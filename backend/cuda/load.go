//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"
)

// loaded is what a device has compiled.
type loaded struct {
	mu        sync.RWMutex
	modules   map[*module]unsafe.Pointer
	functions map[kernelName]*function
	keyed     map[any]*module
	texts     map[string]*module // generated
}

// kernelName names a kernel of a module, which is nil for the committed ones.
type kernelName struct {
	module *module
	name   string
}

type function struct {
	handle unsafe.Pointer
	shared uint32 // bytes of dynamic shared memory that it may be launched with
}

// defaultShared is how many bytes of dynamic shared memory a kernel may have without asking.
const defaultShared = 48 << 10

func (l *loaded) init() {
	l.modules = map[*module]unsafe.Pointer{}
	l.functions = map[kernelName]*function{}
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

// function implements machine.
func (d *device) function(m *module, kernel string, shared uint32) (uint64, error) {
	l := &d.loaded
	l.mu.RLock()
	f := l.functions[kernelName{m, kernel}]
	l.mu.RUnlock()
	if f != nil && shared <= f.shared {
		return uint64(uintptr(f.handle)), nil
	}
	f, err := d.resolve(m, kernel, shared)
	if err != nil {
		return 0, err
	}
	return uint64(uintptr(f.handle)), nil
}

// resolve makes a kernel ready for so much shared memory.
func (d *device) resolve(m *module, kernel string, shared uint32) (*function, error) {
	l := &d.loaded
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.functions[kernelName{m, kernel}]
	if known != nil && shared <= known.shared {
		return known, nil
	}
	f := &function{shared: defaultShared}
	if known != nil {
		*f = *known
	} else if err := d.lookUp(m, kernel, f); err != nil {
		return nil, err
	}
	if shared > f.shared {
		if err := d.try(C.weir_function_shared(&d.handle, f.handle, C.int(shared))); err != nil {
			return nil, fmt.Errorf("kernel %s with %d bytes of shared memory: %w", kernel, shared, err)
		}
		f.shared = shared
	}
	l.functions[kernelName{m, kernel}] = f // a new one: who has read the old may still look at it
	return f, nil
}

func (d *device) lookUp(m *module, kernel string, f *function) error {
	in, err := find(m, kernel)
	if err != nil {
		return err
	}
	handle := d.loaded.modules[in]
	if handle == nil {
		if handle, err = d.load(in); err != nil {
			return fmt.Errorf("module %s does not load: %w", in.name, err)
		}
		d.loaded.modules[in] = handle
	}
	name := C.CString(kernel)
	defer C.free(unsafe.Pointer(name))
	if err := d.try(C.weir_function(&d.handle, handle, name, &f.handle)); err != nil {
		return fmt.Errorf("kernel %s of %s: %w", kernel, in.name, err)
	}
	return nil
}

// logBytes is how much is kept of what the compiler says.
const logBytes = 4096

// load compiles a module. Its error has what the compiler says.
func (d *device) load(m *module) (unsafe.Pointer, error) {
	text := C.CString(m.text)
	defer C.free(unsafe.Pointer(text))
	log := (*C.char)(C.calloc(logBytes, 1))
	defer C.free(unsafe.Pointer(log))
	var handle unsafe.Pointer
	err := d.try(C.weir_module_load(&d.handle, text, &handle, log, logBytes-1))
	var refused *callError
	if errors.As(err, &refused) {
		refused.log = C.GoString(log)
	}
	return handle, err
}

// unload frees what was compiled.
func (l *loaded) unload(d *device) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first error
	for _, handle := range l.modules {
		if err := d.try(C.weir_module_unload(&d.handle, handle)); first == nil {
			first = err
		}
	}
	l.init()
	return first
}
