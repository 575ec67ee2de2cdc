package train

import (
	"errors"
	"fmt"

	"github.com/weir-ml/weir/internal/dirlock"
)

// DirLock keeps other trainings, of any process, out of a run's directory. The operating system ends it with the process, however that ends.
type DirLock struct{ lock *dirlock.Lock }

// LockDir locks an existing directory for a run. One in which another trains is an error that names its process.
func LockDir(dir string) (*DirLock, error) {
	l, err := dirlock.Acquire(dir)
	var held *dirlock.HeldError
	switch {
	case errors.As(err, &held):
		return nil, fmt.Errorf("train: %w; wait until it ends, or take another directory", held)
	case err != nil:
		return nil, fmt.Errorf("train: lock the run's directory: %w", err)
	}
	return &DirLock{l}, nil
}

// Release lets others in. A nil lock is none. Its error is that of the file system.
func (l *DirLock) Release() error {
	if l == nil {
		return nil
	}
	return l.lock.Release()
}
