//go:build cgo && linux && (amd64 || arm64)

package cuda

// #include <stdlib.h>
// #include "cublaslt.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"unsafe"
)

// cublasLtLibrary is the environment variable that names the library.
const cublasLtLibrary = "WEIR_CUBLASLT_LIBRARY"

// cublasLtReleases are the major versions that are declared here, the latest first. One needs a driver that is as new.
var cublasLtReleases = []int{13, 12}

// leastSide is the shortest side of a product that is given to the library: its tiles are of 64 rows and columns or more.
const leastSide = 64

// mostWorkspace is the memory that a product may work in: what NVIDIA recommends for its largest GPUs.
const mostWorkspace = 32 << 20

// cublasLt multiplies for a device.
type cublasLt struct {
	dev    *device
	handle unsafe.Pointer
	side   int64

	mu    sync.RWMutex
	plans map[ltShape]ltPlan // all that were asked for
	made  []*C.Plan
}

// openedCublasLt is nil if the process has the library, or else why not.
var openedCublasLt = sync.OnceValue(openCublasLtLibrary)

func openCublasLtLibrary() error {
	paths := []string{os.Getenv(cublasLtLibrary)}
	if paths[0] == "" {
		driver, err := opened()
		if err != nil {
			return err
		}
		paths = cublasLtPaths(driver)
	}
	var refusals []string
	for _, path := range paths {
		err := tryCublasLt(path)
		if err == nil {
			return nil
		}
		refusals = append(refusals, err.Error())
	}
	return fmt.Errorf("no cublasLt: %s; %s names another", strings.Join(refusals, "; "), cublasLtLibrary)
}

// cublasLtPaths returns the names of the libraries that a driver may have.
func cublasLtPaths(driver int) []string {
	var paths []string
	for _, release := range cublasLtReleases {
		if driver >= 1000*release || release == cublasLtReleases[len(cublasLtReleases)-1] {
			paths = append(paths, fmt.Sprintf("libcublasLt.so.%d", release))
		}
	}
	return paths
}

func tryCublasLt(path string) error {
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var version C.size_t
	if why := C.weir_lt_library(cpath, &version); why != nil {
		return errors.New(C.GoString(why))
	}
	for _, release := range cublasLtReleases {
		if int(version)/10000 == release {
			return nil
		}
	}
	return fmt.Errorf("%s is version %d.%d; want 12 or 13", path, version/10000, version/100%100)
}

// openCublasLt has the library multiply for the device.
func (d *device) openCublasLt() error {
	if err := openedCublasLt(); err != nil {
		return err
	}
	lt := &cublasLt{dev: d, side: leastSide, plans: map[ltShape]ltPlan{}}
	if err := d.try(C.weir_lt_open(&d.handle, &lt.handle)); err != nil {
		return fmt.Errorf("cublasLt does not start: %w", err)
	}
	d.lt = lt
	return nil
}

// multiplier implements machine.
func (d *device) multiplier() multiplier {
	if d.lt == nil {
		return nil
	}
	return d.lt
}

func (l *cublasLt) least() int64 { return l.side }

// plan implements multiplier. The library is asked once for each shape, and what it has answered is kept until the device is closed.
func (l *cublasLt) plan(s ltShape) (ltPlan, error) {
	l.mu.RLock()
	p, known := l.plans[s]
	l.mu.RUnlock()
	if known {
		return p, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if p, known = l.plans[s]; known {
		return p, nil
	}
	var plan *C.Plan
	var workspace C.size_t
	shape := (*C.Shape)(unsafe.Pointer(&s)) // of the same layout; it is read before the call returns
	if err := l.dev.try(C.weir_lt_plan(&l.dev.handle, l.handle, shape, mostWorkspace, &plan, &workspace)); err != nil {
		return ltPlan{}, err
	}
	if plan != nil {
		l.made = append(l.made, plan)
		p = ltPlan{uint64(uintptr(unsafe.Pointer(plan))), int(workspace)}
	}
	l.plans[s] = p
	return p, nil
}

// close frees the plans and what the library has for the device. It returns the first failure.
func (l *cublasLt) close() error {
	if l == nil {
		return nil
	}
	var first error
	for _, plan := range l.made {
		if err := l.dev.try(C.weir_lt_free(plan)); first == nil {
			first = err
		}
	}
	if err := l.dev.try(C.weir_lt_close(&l.dev.handle, l.handle)); first == nil {
		first = err
	}
	return first
}
