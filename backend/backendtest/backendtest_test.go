package backendtest

import (
	"testing"

	"github.com/weir-ml/weir/backend"
)

func TestHonestDevicePasses(t *testing.T) {
	Run(t, func() (backend.Device, error) { return &naive{}, nil })
}
