package npy

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/weir-ml/weir/internal/readat"
	"github.com/weir-ml/weir/tensorio"
)

// Rows reads blocks of rows of an array that may be larger than memory. A row is what the first index selects. It may be used by several
// goroutines if its reader may, as an *os.File may.
type Rows struct {
	Header
	r     io.ReaderAt
	file  *os.File // what Close closes; nil if the reader is the caller's
	about string   // what errors begin with
}

// OpenRows opens the .npy file at path. Close releases it. Its errors are those of NewRows, and of opening the file.
func OpenRows(path string) (*Rows, error) {
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	rows, err := newRows(f, size, "npy: "+path)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	rows.file = f
	return rows, nil
}

// NewRows reads rows of an .npy file of size bytes, such as one mapped into memory. A file that is not one, and a scalar, are errors.
func NewRows(r io.ReaderAt, size int64) (*Rows, error) { return newRows(r, size, "npy") }

func newRows(r io.ReaderAt, size int64, about string) (*Rows, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", about, err)
	}
	if len(h.Shape) == 0 {
		return nil, fmt.Errorf("%s: a scalar has no rows", about)
	}
	return &Rows{Header: h, r: r, about: about}, nil
}

// Close closes the file that [OpenRows] opened.
func (r *Rows) Close() error {
	if r.file == nil {
		return nil
	}
	return prefixed(r.file.Close())
}

// Len returns the number of rows.
func (r *Rows) Len() int { return r.Shape[0] }

// Block reads rows lo to hi, hi left out. The entry has shape (hi−lo, …) and no name. Its errors are those of Append.
func (r *Rows) Block(lo, hi int) (tensorio.Entry, error) {
	data, err := r.Append(nil, lo, hi)
	if err != nil {
		return tensorio.Entry{}, err
	}
	return tensorio.Entry{DType: r.DType, Shape: r.blockShape(lo, hi), Data: data}, nil
}

// Append appends the elements of rows lo to hi, hi left out, to dst, in row-major order and little-endian. Rows in row-major order are one
// read; in column-major order they are one for each element of a row, and need as much memory again. Rows that the file does not have are an error.
func (r *Rows) Append(dst []byte, lo, hi int) ([]byte, error) {
	if lo < 0 || lo > hi || hi > r.Len() {
		return nil, fmt.Errorf("%s: rows %d to %d of %d; want 0 ≤ lo ≤ hi ≤ %d", r.about, lo, hi, r.Len(), r.Len())
	}
	shape := r.blockShape(lo, hi)
	size, _ := tensorio.ByteSize(r.DType, shape) // is part of what was checked
	start := len(dst)
	dst = slices.Grow(dst, size)[:start+size]
	block := dst[start:]
	if err := r.read(block, lo, hi); err != nil {
		return nil, fmt.Errorf("%s: %w", r.about, err)
	}
	e, err := r.entry(block, shape)
	if err != nil {
		return nil, fmt.Errorf("%s: rows %d to %d: %w", r.about, lo, hi, err)
	}
	if r.Fortran {
		copy(block, e.Data)
	}
	return dst, nil
}

func (r *Rows) blockShape(lo, hi int) []int {
	shape := slices.Clone(r.Shape)
	shape[0] = hi - lo
	return shape
}

// read fills block in the order of the file.
func (r *Rows) read(block []byte, lo, hi int) error {
	if len(block) == 0 {
		return nil
	}
	if !r.Fortran {
		row := len(block) / (hi - lo)
		return readat.Full(r.r, block, r.Offset+int64(lo)*int64(row))
	}
	size := int64(r.DType.Size())
	column := (hi - lo) * int(size)
	at := r.Offset + int64(lo)*size
	for part := range slices.Chunk(block, column) {
		if err := readat.Full(r.r, part, at); err != nil {
			return err
		}
		at += int64(r.Len()) * size
	}
	return nil
}
