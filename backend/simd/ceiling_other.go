//go:build !amd64

package simd

import "github.com/weir-ml/weir/backend"

// Ceilings returns none: there is no assembly for this processor.
func Ceilings(backend.DType) []Ceiling { return nil }
