// Package dirlock lets one process at a time write to a directory.
package dirlock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// name is that of the file that is locked, in the directory.
const name = ".lock"

// Lock is a directory that is locked. The operating system ends it with the process, however that ends.
type Lock struct{ file *os.File }

// HeldError says that another has the lock.
type HeldError struct {
	Dir string
	PID int // of the process; 0 if it has not said so yet
}

// Error names the directory and the process.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("another process writes to %s", e.Dir)
	}
	return fmt.Sprintf("process %d writes to %s", e.PID, e.Dir)
}

// errHeld is returned by lock if another file that is open has the lock.
var errHeld = errors.New("held")

// Acquire locks an existing directory, or returns a *HeldError if it is locked already, by this process or another. A file system that knows no
// locks, and an operating system other than Windows and those with flock, locks nothing and says nothing.
func Acquire(dir string) (*Lock, error) {
	path := filepath.Join(dir, name)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		switch err := lock(f); {
		case errors.Is(err, errHeld):
			pid := readPID(f)
			return nil, errors.Join(&HeldError{dir, pid}, f.Close())
		case errors.Is(err, errors.ErrUnsupported):
		case err != nil:
			return nil, errors.Join(&fs.PathError{Op: "lock", Path: path, Err: err}, f.Close())
		}
		if isAt(f, path) {
			return &Lock{f}, writePID(f)
		}
		// The one that had the lock has removed its file since it was opened.
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
}

// Release ends the lock and removes its file. What is not there to be removed, because the directory has vanished, is no error.
func (l *Lock) Release() error {
	if removeLocked {
		_ = os.Remove(l.file.Name()) // it harms nobody if it stays
		return l.file.Close()
	}
	err := l.file.Close()
	_ = os.Remove(l.file.Name()) // fails if another has it open, and then should
	return err
}

// isAt reports whether f is the file at path.
func isAt(f *os.File, path string) bool {
	mine, errMine := f.Stat()
	there, errThere := os.Stat(path)
	return errMine == nil && errThere == nil && os.SameFile(mine, there)
}

func readPID(f *os.File) int {
	text := make([]byte, 20)
	n, err := f.ReadAt(text, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return err
}
