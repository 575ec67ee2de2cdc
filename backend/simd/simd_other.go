//go:build !amd64

package simd

import "github.com/weir-ml/weir/backend/cpu"

func supported(i implementation) bool { return i == off }

func kernels(implementation) cpu.Kernels { return cpu.Kernels{} }
