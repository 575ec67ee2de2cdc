package cpu_test

import (
	"fmt"
	"testing"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/backendtest"
)

func TestConformance(t *testing.T) {
	for _, workers := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			backendtest.Run(t, func() (backend.Device, error) { return backend.Open("cpu", backend.Options{Workers: workers}) })
		})
	}
}

func TestWorkersAgree(t *testing.T) {
	open := func(workers int) func() (backend.Device, error) {
		return func() (backend.Device, error) { return backend.Open("cpu", backend.Options{Workers: workers}) }
	}
	backendtest.Agree(t, open(1), open(3))
}
