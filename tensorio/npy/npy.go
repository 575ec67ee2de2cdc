// Package npy reads and writes arrays in NumPy's formats: .npy, one array, and .npz, a zip archive of named ones.
//
// An .npy file is a magic string, a version, the length of a header, the header, and the elements. The header is a Python dictionary
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
//
// padded so that the elements begin at a multiple of 64 bytes. Versions 1.0, 2.0 and 3.0 are read, in row-major and column-major order
// and either byte order; what is read is row-major and little-endian. Version 1.0 is written, byte for byte as NumPy does.
//
// The dtypes are those of package backend: |b1, |u1, <i4, <i8, <f2, <f4 and <f8. NumPy has no bfloat16: ml_dtypes, which adds it, writes
// it as two bytes without a meaning, V2. That is how a BFloat16 is written here, and V2 is read as BFloat16; in Python,
// numpy.load(path).view(ml_dtypes.bfloat16) gives the numbers back. Other dtypes are errors that name them.
//
// Nothing in a file is executed: arrays of objects, which are pickles, are errors. Nothing a file claims is believed before it is checked:
// a header at odds with the size of the file is an error of one line, found before memory is taken for the elements.
package npy

import (
	"fmt"
	"io"
	"os"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/internal/elements"
	"github.com/weir-ml/weir/internal/readat"
	"github.com/weir-ml/weir/tensorio"
)

// Open reads the .npy file at path. The entry has no name. A file that is not one, or is damaged, is an error.
func Open(path string) (tensorio.Entry, error) {
	var e tensorio.Entry
	err := withFile(path, func(r io.ReaderAt, size int64) (err error) {
		e, err = read(r, size)
		return err
	})
	return e, err
}

// Read reads an .npy file of size bytes. The entry has no name.
func Read(r io.ReaderAt, size int64) (tensorio.Entry, error) {
	e, err := read(r, size)
	return e, prefixed(err)
}

// Stat reads the header of the .npy file at path, and none of its elements. A file that is not one is an error.
func Stat(path string) (Header, error) {
	var h Header
	err := withFile(path, func(r io.ReaderAt, size int64) (err error) {
		h, err = readHeader(r, size)
		return err
	})
	return h, err
}

// ReadHeader reads the header of an .npy file of size bytes, and none of its elements. Anything else is an error.
func ReadHeader(r io.ReaderAt, size int64) (Header, error) {
	h, err := readHeader(r, size)
	return h, prefixed(err)
}

// WriteFile writes e to the .npy file at path; its name is not written. The file appears whole or not at all, also if the machine fails
// meanwhile: see [atomicfile.Write].
func WriteFile(path string, e tensorio.Entry) error {
	if err := atomicfile.Write(path, func(w io.Writer) error { return write(w, e) }); err != nil {
		return fmt.Errorf("npy: %s: %w", path, err)
	}
	return nil
}

// Write writes e as an .npy file; its name is not written. The same entry gives the same bytes.
func Write(w io.Writer, e tensorio.Entry) error { return prefixed(write(w, e)) }

// WriteHeader writes what comes before the elements of an array of that dtype and shape. The caller writes these after it, in row-major order and
// little-endian: so an array need not be held in memory. A dtype that NumPy does not have, and w's errors, are errors.
func WriteHeader(w io.Writer, d backend.DType, shape ...int) error {
	if _, ok := tensorio.ByteSize(d, shape); !ok || d.Size() == 0 || len(shape) > backend.MaxRank {
		return fmt.Errorf("npy: %s cannot be written", tensorio.TypeAndShape(d, shape))
	}
	_, err := w.Write(headerOf(d, shape))
	return prefixed(err)
}

func write(w io.Writer, e tensorio.Entry) error {
	header, err := header(e)
	if err != nil {
		return err
	}
	if _, err := w.Write(header); err != nil {
		return err
	}
	_, err = w.Write(e.Data)
	return err
}

func read(r io.ReaderAt, size int64) (tensorio.Entry, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return tensorio.Entry{}, err
	}
	data, err := readat.Range(r, h.Offset, size)
	if err != nil {
		return tensorio.Entry{}, err
	}
	return h.entry(data, h.Shape)
}

// entry returns the elements of data, which is in the order of the file and belongs to the entry from now on.
func (h *Header) entry(data []byte, shape []int) (tensorio.Entry, error) {
	if h.BigEndian {
		elements.Swap(data, h.DType.Size())
	}
	if h.Fortran && len(shape) > 1 {
		rowMajor := make([]byte, len(data))
		elements.Copy(rowMajor, data, shape, elements.ColumnMajor(shape), h.DType.Size())
		data = rowMajor
	}
	if h.DType == backend.Bool {
		if err := tensorio.CheckBools(data); err != nil {
			return tensorio.Entry{}, err
		}
	}
	return tensorio.Entry{DType: h.DType, Shape: shape, Data: data}, nil
}

// withFile opens the file at path for the time of a call, whose errors it says to be about path.
func withFile(path string, call func(r io.ReaderAt, size int64) error) error {
	f, size, err := openFile(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := call(f, size); err != nil {
		return fmt.Errorf("npy: %s: %w", path, err)
	}
	return nil
}

func openFile(path string) (*os.File, int64, error) {
	f, size, err := readat.Open(path)
	return f, size, prefixed(err)
}

func prefixed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("npy: %w", err)
}
