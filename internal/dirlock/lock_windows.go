package dirlock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// removeLocked: a file cannot be removed while it is open.
const removeLocked = false

// lock locks an open file, or returns errHeld. It locks a byte far behind the text, because a byte that is locked cannot be read by others.
func lock(f *os.File) error {
	const offset = 1 << 30
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		&windows.Overlapped{Offset: offset})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return err
}
