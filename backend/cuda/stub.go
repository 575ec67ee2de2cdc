//go:build !(cgo && linux && (amd64 || arm64))

package cuda

import (
	"fmt"
	"runtime"

	"github.com/weir-ml/weir/backend"
)

func init() { backend.Register("cuda", rank, absent{}) }

// absent is the driver where the backend is not built.
type absent struct{}

// Available says what this binary lacks.
func (absent) Available() error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		return fmt.Errorf("built for %s/%s; want linux on amd64 or arm64", runtime.GOOS, runtime.GOARCH)
	}
	return fmt.Errorf("built without cgo")
}

func (absent) About() string { return about }

func (a absent) Open(int, backend.Options) (backend.Device, error) {
	return nil, fmt.Errorf("cuda: %w", a.Available())
}
