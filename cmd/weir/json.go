package main

import (
	"encoding/json"
	"io"
	"math"
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
