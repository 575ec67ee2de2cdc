//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package dirlock

import (
	"errors"
	"os"
)

const removeLocked = true

// lock cannot lock.
func lock(*os.File) error { return errors.ErrUnsupported }
