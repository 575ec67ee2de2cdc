package main

import (
	"bufio"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensorio/npy"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// format begins a table of n rows, whose numbers have the precision of a dtype, float32 or float64.
type format func(w io.Writer, columns []string, n int, d backend.DType) (rowWriter, error)

// rowWriter writes a table, some rows at a time.
type rowWriter struct {
	write func(rows []float64) error
	end   func() error
}

// findFormat returns the format that the ending of a path, given by a flag, stands for; that of stdout is CSV.
func findFormat(flag, path string) (format, error) {
	switch end := strings.ToLower(filepath.Ext(path)); {
	case path == "-" || end == ".csv" || strings.HasPrefix(path, "/dev/"):
		return csvRows, nil
	case end == ".npy":
		return npyRows, nil
	case end == ".safetensors":
		return safetensorsRows, nil
	}
	return nil, usageError{fmt.Errorf("--%s is %s; want a name that ends in .csv, .npy or .safetensors, or - for CSV to stdout", flag, path)}
}

// csvRows writes the fewest digits that give a number back.
func csvRows(w io.Writer, columns []string, _ int, d backend.DType) (rowWriter, error) {
	buffer := bufio.NewWriter(w)
	header := csv.NewWriter(buffer)
	if err := header.Write(columns); err != nil {
		return rowWriter{}, err
	}
	header.Flush()
	var text []byte
	return rowWriter{
		write: func(rows []float64) error {
			for i, x := range rows {
				text = strconv.AppendFloat(text[:0], x, 'g', -1, 8*d.Size())
				end := byte(',')
				if i%len(columns) == len(columns)-1 {
					end = '\n'
				}
				if _, err := buffer.Write(append(text, end)); err != nil {
					return err
				}
			}
			return nil
		},
		end: buffer.Flush,
	}, nil
}

// npyRows writes an array of shape (n, columns).
func npyRows(w io.Writer, columns []string, n int, d backend.DType) (rowWriter, error) {
	return elements(w, d), npy.WriteHeader(w, d, n, len(columns))
}

// safetensorsRows writes a tensor "samples" of shape (n, columns), and the names of the columns as metadata.
func safetensorsRows(w io.Writer, columns []string, n int, d backend.DType) (rowWriter, error) {
	names, err := json.Marshal(columns)
	if err != nil {
		return rowWriter{}, err
	}
	return elements(w, d), safetensors.WriteHeader(w, map[string]string{"columns": string(names)}, "samples", d, n, len(columns))
}

// elements writes little-endian numbers.
func elements(w io.Writer, d backend.DType) rowWriter {
	var block []byte
	return rowWriter{
		write: func(rows []float64) error {
			block = block[:0]
			for _, x := range rows {
				if d == backend.Float32 {
					block = binary.LittleEndian.AppendUint32(block, math.Float32bits(float32(x)))
				} else {
					block = binary.LittleEndian.AppendUint64(block, math.Float64bits(x))
				}
			}
			_, err := w.Write(block)
			return err
		},
		end: func() error { return nil },
	}
}
