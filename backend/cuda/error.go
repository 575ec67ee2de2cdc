package cuda

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// ErrDeviceLost is wrapped by the error of everything that is asked of a GPU after it has failed: a kernel broke it or it left the bus. The driver
// takes no more work for it in this process; what lies on the host is intact.
var ErrDeviceLost = errors.New("device lost")

// callError is a refusal of the driver, or of cublasLt.
type callError struct {
	call     string
	code     int
	cublasLt bool   // whose code it is
	name     string // of the code, like CUDA_ERROR_OUT_OF_MEMORY
	text     string
	log      string // what the compiler of PTX says
}

func (e *callError) Error() string {
	name := e.name
	if name == "" {
		name = "error"
	}
	message := fmt.Sprintf("%s: %s (%d)", e.call, name, e.code)
	for _, more := range []string{e.text, e.log} {
		if more = strings.Join(strings.Fields(more), " "); more != "" {
			message += ": " + more
		}
	}
	return message
}

// Unwrap says what kind of failure it is, if that has a name.
func (e *callError) Unwrap() error {
	switch {
	case e.cublasLt:
		if e.code == allocFailed {
			return backend.ErrOutOfMemory
		}
	case e.code == outOfMemory:
		return backend.ErrOutOfMemory
	case e.fatal():
		return ErrDeviceLost
	}
	return nil
}

// outOfMemory is CUDA_ERROR_OUT_OF_MEMORY, and allocFailed CUBLAS_STATUS_ALLOC_FAILED.
const (
	outOfMemory = 2
	allocFailed = 3
)

// fatalCodes are those after which a context answers nothing but errors: the driver is shut down, a device that is unavailable, an ECC or link error that
// cannot be corrected, an illegal address, a timeout, a destroyed context, an assertion, the errors of the hardware from the stack to a failed
// launch, and an unknown one.
var fatalCodes = []int{4, 46, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 721, 999}

func (e *callError) fatal() bool { return slices.Contains(fatalCodes, e.code) }
