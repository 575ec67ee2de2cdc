package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"

	"github.com/weir-ml/weir/internal/atomicfile"
)

// number is a float64 whose JSON is null where it is not finite.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// writeJSON writes v on one line.
func writeJSON(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

// readLines returns the values of a file of JSON, a line each, up to the first that is not wanted; none if there is no such file. The last may be half
// written: then it is left out.
func readLines[T any](path string, wanted func(T) bool) ([]T, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var values []T
	lines := json.NewDecoder(f)
	for {
		var v T
		err := lines.Decode(&v)
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || err == nil && !wanted(v):
			return values, nil
		case err != nil:
			return nil, fmt.Errorf("%s: line %d: %w", path, len(values)+1, err)
		}
		values = append(values, v)
	}
}

// writeLines writes a file of JSON, a line each, whole or not at all.
func writeLines[T any](path string, values []T) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		for _, v := range values {
			if err := writeJSON(w, v); err != nil {
				return err
			}
		}
		return nil
	})
}
