//go:build cgo && linux && (amd64 || arm64)

package cuda

// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "cublaslt.h"
// #include "shim.h"
import "C"

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

const (
	// library is the environment variable that names the driver's library.
	library        = "WEIR_CUDA_LIBRARY"
	defaultLibrary = "libcuda.so.1"
	// leastDriver is the oldest driver that has every call of the shim: CUDA 11.4.
	leastDriver = 11040
	// leastCapability is what the committed kernels are compiled for: the compute capability times ten.
	leastCapability = 80
)

func init() { backend.Register("cuda", rank, driver{}) }

// opened is the driver of the process: its version, or why there is none.
var opened = sync.OnceValues(openLibrary)

func openLibrary() (version int, err error) {
	path := os.Getenv(library)
	if path == "" {
		path = defaultLibrary
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var v C.int
	var status C.Status
	if why := C.weir_library(cpath, &v, leastDriver, &status); why != nil {
		return 0, fmt.Errorf("no CUDA driver: %s", C.GoString(why))
	}
	version = int(v)
	if err := check(status); err != nil {
		return version, fmt.Errorf("the CUDA driver does not start: %w", err)
	}
	if version < leastDriver {
		return version, fmt.Errorf("the driver is of CUDA %s; want %s or later", versionText(version), versionText(leastDriver))
	}
	return version, nil
}

// versionText prints a version of CUDA, which the driver gives as one number.
func versionText(v int) string { return fmt.Sprintf("%d.%d", v/1000, v%1000/10) }

// check returns the error that the driver answered, or cublasLt, or nil.
func check(s C.Status) error {
	if s.code == 0 {
		return nil
	}
	e := &callError{call: C.GoString(s.call), code: int(s.code), cublasLt: s.library == C.CUBLASLT_LIBRARY}
	var name, text *C.char
	if e.cublasLt {
		C.weir_lt_error(s.code, &name, &text)
	} else {
		C.weir_error(s.code, &name, &text)
	}
	if name != nil {
		e.name = C.GoString(name)
	}
	if text != nil {
		e.text = C.GoString(text)
	}
	return e
}

type driver struct{}

// Available returns nil if there is a driver with a GPU that the kernels run on.
func (driver) Available() error {
	if _, err := opened(); err != nil {
		return err
	}
	_, err := inspect(0)
	return err
}

func (driver) About() string {
	if version, err := opened(); err == nil {
		if p, err := inspect(0); err == nil {
			return fmt.Sprintf("%s, CUDA %s", C.GoString(&p.name[0]), versionText(version))
		}
	}
	return about
}

// inspect returns the properties of a GPU, or why it cannot be used.
func inspect(ordinal int) (p C.Properties, err error) {
	var count C.int
	if err := check(C.weir_count(&count)); err != nil {
		return p, err
	}
	switch {
	case count == 0:
		return p, fmt.Errorf("the driver has no GPU")
	case ordinal >= int(count):
		return p, fmt.Errorf("no device %d; the driver has %d, from 0", ordinal, count)
	}
	if err := check(C.weir_properties(C.int(ordinal), &p)); err != nil {
		return p, err
	}
	if 10*p.major+p.minor < leastCapability {
		return p, fmt.Errorf("device %d, %s, has compute capability %d.%d; want %d.%d or later",
			ordinal, C.GoString(&p.name[0]), p.major, p.minor, leastCapability/10, leastCapability%10)
	}
	return p, nil
}

// Open opens a GPU by its number. Several devices of one GPU share its memory.
func (driver) Open(n int, o backend.Options) (backend.Device, error) {
	if _, err := opened(); err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	d, err := openDevice(n, o)
	if err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	return d, nil
}
