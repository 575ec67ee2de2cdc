//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"os"
	"testing"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/backendtest"
	"github.com/weir-ml/weir/internal/emulator"
)

// arrivals are the ways in which copies within a kernel arrive. The emulated machine of these tests has a device for each.
var arrivals = []string{"random", "eager", "lazy"}

func TestMain(m *testing.M) {
	os.Setenv("WEIR_EMULATOR_DEVICES", fmt.Sprint(len(arrivals)))
	os.Setenv("WEIR_EMULATOR_COPIES", "random,eager,lazy")
	os.Exit(m.Run())
}

func TestConformance(t *testing.T) {
	emulator.Need(t)
	var targets []backendtest.Target
	for i, name := range arrivals {
		if i > 0 && (!emulator.Active() || !testing.Short()) {
			break // a GPU has one way; all cases take long enough at random
		}
		open := func() (backend.Device, error) { return backend.Open(fmt.Sprintf("cuda:%d", i), backend.Options{}) }
		targets = append(targets, backendtest.Target{Name: name, Open: open})
	}
	backendtest.RunEach(t, targets)
}
