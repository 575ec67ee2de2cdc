package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weir-ml/weir/internal/quote"
)

// others are the endings of files that hold tables, but not here.
var others = []string{".npz", ".parquet", ".feather", ".arrow", ".xlsx", ".xls", ".json", ".pkl", ".pickle", ".pt", ".pth", ".h5", ".hdf5", ".mat", ".gz", ".zip"}

// Open reads the table at path: by its ending as .npy or .safetensors, else as CSV. See [OpenNPY], [OpenSafetensors] and [OpenCSV].
// A file of another format, or that they cannot read, is an error.
func Open(path string) (*Table, error) {
	end := strings.ToLower(filepath.Ext(path))
	switch {
	case end == ".npy":
		return OpenNPY(path)
	case end == ".safetensors":
		return OpenSafetensors(path)
	case slices.Contains(others, end):
		return nil, fmt.Errorf("dataset: %s: files that end in %s are not read; want .csv, .npy or .safetensors", path, end)
	}
	return OpenCSV(path)
}

// checkFinite returns an error that names the first number that is not finite, by row, counted from 1, and column. row is the first of values.
func checkFinite(values []float64, row int, columns []string) error {
	for i, x := range values {
		if !(x-x == 0) {
			c := i % len(columns)
			return fmt.Errorf("row %d, column %d (%s): %v is not finite", row+i/len(columns)+1, c+1, quote.Short(columns[c]), x)
		}
	}
	return nil
}
