// Package readat reads parts of files whose size may not be what they claim.
package readat

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Open opens the file at path, and returns its size as the file system has it.
func Open(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Full fills p from byte at on. A file that ends before is an error that says where.
func Full(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return fmt.Errorf("file ends at byte %d; want %d", at+int64(n), at+int64(len(p)))
	}
	return fmt.Errorf("reading at byte %d: %w", at, err)
}

// Range reads bytes start to end. The last one is read first, so that no memory is taken for a file that ends before.
func Range(r io.ReaderAt, start, end int64) ([]byte, error) {
	if end == start {
		return []byte{}, nil
	}
	var last [1]byte
	if err := Full(r, last[:], end-1); err != nil {
		return nil, err
	}
	data := make([]byte, end-start)
	return data, Full(r, data, start)
}
