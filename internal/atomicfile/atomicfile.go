// Package atomicfile writes files that are either whole or not there.
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// Write replaces the file at path by what write produces. It writes to a temporary file in the same directory, flushes it to
// the disk, renames it, and flushes the directory: after a crash at any moment path holds the old content or the new, never a part.
// The file gets permissions 0644, less the process's umask. If anything up to the rename fails, path is as it was and nothing is left behind.
// Errors name path, not the temporary file.
//
// A symbolic link is followed, and a device or pipe is written to as it is.
func Write(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeInPlace(path, write)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := create(path)
	if err != nil {
		return err
	}
	temp := f.Name()
	// Deferred, so that a panic in write leaves no file either. Closing twice and removing what was renamed do nothing.
	defer func() {
		f.Close()
		os.Remove(temp)
	}()
	b := bufio.NewWriterSize(tempFile{f, path}, 1<<20)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return named(err, "write", path)
	}
	if err := os.Rename(temp, path); err != nil {
		return named(err, "replace", path)
	}
	return syncDir(filepath.Dir(path))
}

const tempEnd = ".tmp"

// create makes the temporary file that will be the one at path.
func create(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	temp := filepath.Join(dir, "."+base+"."+rand.Text()+tempEnd)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, named(err, "create", path)
	}
	return f, nil
}

// Check returns the error with which Write would begin, and leaves path as it is: what takes long to compute should not fail for want of a place.
func Check(path string) error {
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "replace", Path: path, Err: syscall.EISDIR}
	case err == nil && !info.Mode().IsRegular():
		return nil
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// Clean removes the temporary files that processes killed in Write have left in dir, of the files whose names isOurs knows. Nobody may be writing
// these meanwhile.
func Clean(dir string, isOurs func(base string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, hidden := strings.CutPrefix(entry.Name(), ".")
		name, temporary := strings.CutSuffix(name, tempEnd)
		random := strings.LastIndexByte(name, '.')
		if !hidden || !temporary || random < 0 || len(name)-random-1 != len(rand.Text()) || !isOurs(name[:random]) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// tempFile is a temporary file that will be the one at path.
type tempFile struct {
	file *os.File
	path string
}

func (t tempFile) Write(p []byte) (int, error) {
	n, err := t.file.Write(p)
	if err != nil {
		err = named(err, "write", t.path)
	}
	return n, err
}

func writeInPlace(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// named returns the cause of err about path: the temporary file's name would mean nothing to a reader.
func named(err error, op, path string) error {
	var file *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &file):
		err = file.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// syncDir makes a rename in the directory durable. Windows does it by itself, and some file systems cannot and say so.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
