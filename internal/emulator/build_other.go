//go:build !linux

package emulator

import (
	"fmt"
	"runtime"
)

// Build returns an error: the emulated driver is for Linux.
func (s Sources) Build() (string, error) {
	return "", fmt.Errorf("emulator: %w on %s", ErrUnavailable, runtime.GOOS)
}
