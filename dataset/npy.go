package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/npy"
)

// OpenNPY reads the .npy file at path: an array of shape (rows, columns), or (rows) for one column, of numbers of any dtype that package npy reads,
// in either order. Columns are named 1, 2, …. A file that is no such array, and a number that is not finite, are errors; the latter names row
// and column.
func OpenNPY(path string) (*Table, error) {
	rows, err := OpenRows(path)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	t := &Table{Columns: rows.Columns(), Rows: rows.Len()}
	t.Data = make([]float64, rows.Len()*len(t.Columns))
	return t, rows.Read(t.Data, 0, rows.Len())
}

// Rows is a table in an .npy file that may be larger than memory. It may be read by several goroutines.
type Rows struct {
	path    string
	file    *npy.Rows
	columns []string // of the file
	picked  []int    // those of them that are read, in this order
}

// OpenRows opens the .npy file at path, and reads no number; see [OpenNPY] for what it must hold. Close releases it.
// A file that cannot be read, or holds anything else, is an error.
func OpenRows(path string) (*Rows, error) {
	file, err := npy.OpenRows(path)
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	r := &Rows{path: path, file: file}
	width, err := checkArray(file.DType, file.Shape)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dataset: %s: %w", path, err), file.Close())
	}
	r.columns = numberedColumns(width)
	for c := range width {
		r.picked = append(r.picked, c)
	}
	return r, nil
}

// checkArray returns the number of columns of a table in an array.
func checkArray(d backend.DType, shape []int) (width int, err error) {
	switch {
	case d == backend.Bool:
		return 0, errors.New("the elements are bool; want numbers")
	case len(shape) == 1:
		width = 1
	case len(shape) == 2:
		width = shape[1]
	default:
		return 0, fmt.Errorf("the array has shape %v; want (rows, columns)", shape)
	}
	if shape[0] == 0 || width == 0 {
		return 0, fmt.Errorf("the array has shape %v; want at least one row and one column", shape)
	}
	return width, nil
}

// numberedColumns returns 1, 2, …, n.
func numberedColumns(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i + 1)
	}
	return names
}

// Close closes the file.
func (r *Rows) Close() error { return r.file.Close() }

// Len returns the number of rows.
func (r *Rows) Len() int { return r.file.Len() }

// Columns returns the names of the columns that are read.
func (r *Rows) Columns() []string {
	names := make([]string, len(r.picked))
	for i, c := range r.picked {
		names[i] = r.columns[c]
	}
	return names
}

// Select restricts what is read to the given columns; see [Table.Select]. Its errors are the same.
func (r *Rows) Select(columns ...string) error {
	picked, err := pick(r.columns, columns)
	if err == nil {
		r.picked = picked
	}
	return err
}

// Read fills dst with rows lo to hi, hi left out, row by row. A number that is not finite is an error that names row and column.
func (r *Rows) Read(dst []float64, lo, hi int) error {
	block, err := r.file.Block(lo, hi)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	width := len(r.columns)
	if slices.Equal(r.Columns(), r.columns) {
		decode(dst[:(hi-lo)*width], block)
		return r.check(dst[:(hi-lo)*width], lo)
	}
	all := make([]float64, (hi-lo)*width)
	decode(all, block)
	for i := range hi - lo {
		for k, c := range r.picked {
			dst[i*len(r.picked)+k] = all[i*width+c]
		}
	}
	return r.check(dst[:(hi-lo)*len(r.picked)], lo)
}

func (r *Rows) check(values []float64, row int) error {
	if err := checkFinite(values, row, r.Columns()); err != nil {
		return fmt.Errorf("dataset: %s: %w", r.path, err)
	}
	return nil
}

// decode fills dst with the numbers of e, which are not bool. An int64 beyond 2⁵³ is rounded.
func decode(dst []float64, e tensorio.Entry) {
	size := e.DType.Size()
	for i := range dst {
		b := e.Data[i*size:]
		switch e.DType {
		case backend.Uint8:
			dst[i] = float64(b[0])
		case backend.Int32:
			dst[i] = float64(int32(binary.LittleEndian.Uint32(b)))
		case backend.Int64:
			dst[i] = float64(int64(binary.LittleEndian.Uint64(b)))
		case backend.Float16:
			dst[i] = float64(backend.FromFloat16(binary.LittleEndian.Uint16(b)))
		case backend.BFloat16:
			dst[i] = float64(backend.FromBFloat16(binary.LittleEndian.Uint16(b)))
		case backend.Float32:
			dst[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case backend.Float64:
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
	}
}
