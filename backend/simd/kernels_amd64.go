package simd

import (
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

// kernels returns the inner loops of an implementation.
func kernels(i implementation) cpu.Kernels {
	if i == off {
		return cpu.Kernels{}
	}
	return cpu.Kernels{
		Tile: func(d backend.DType) *cpu.Tile { return tileOf(i, d) },
	}
}
