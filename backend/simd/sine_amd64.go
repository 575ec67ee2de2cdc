package simd

import (
	"math"
	"unsafe"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

const (
	// sineLimit bounds the arguments that the assembly of sine and cosine reduces; Go's functions in float64 are used beyond.
	sineLimit = 1 << 17
	sineBlock = 64
)

// sineKernel returns the kernel of Sin or Cos on float32. Whether assembly computes an element depends on that element alone.
func sineKernel(i implementation, op backend.MapOp) cpu.Kernel {
	s := sine{wide: i == avx512, cosine: op == backend.Cos}
	if i == off {
		return nil
	}
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		if !s.anyBeyond(a, n) {
			s.near(dst, a, n)
			return
		}
		y, x := unsafe.Slice((*float32)(dst), n), unsafe.Slice((*float32)(a), n)
		for len(x) > 0 {
			m := min(len(x), sineBlock)
			s.mixed(y[:m], x[:m])
			y, x = y[m:], x[m:]
		}
	}
}

// sine names a loop in assembly. Its methods call the loops directly: through a variable, their arguments would be moved to the heap.
type sine struct{ wide, cosine bool }

// near computes elements that are within sineLimit, infinite or NaN.
func (s sine) near(dst, a unsafe.Pointer, n int) {
	switch {
	case s.wide && s.cosine:
		cos32AVX512(dst, a, nil, nil, n)
	case s.wide:
		sin32AVX512(dst, a, nil, nil, n)
	case s.cosine:
		cos32AVX2(dst, a, nil, nil, n)
	default:
		sin32AVX2(dst, a, nil, nil, n)
	}
}

// anyBeyond reports whether |a[i]| ≥ sineLimit for some i.
func (s sine) anyBeyond(a unsafe.Pointer, n int) bool {
	var most [16]float32
	if s.wide {
		largest32AVX512(unsafe.Pointer(&most), a, nil, nil, n)
	} else {
		largest32AVX2(unsafe.Pointer(&most), a, nil, nil, n)
	}
	for _, m := range most {
		if m >= sineLimit {
			return true
		}
	}
	return false
}

// mixed computes at most sineBlock elements, some of them beyond sineLimit. y and x may be the same.
func (s sine) mixed(y, x []float32) {
	var given, near [sineBlock]float32
	copy(given[:], x)
	s.near(unsafe.Pointer(&near), unsafe.Pointer(&given), len(x))
	far := math.Sin
	if s.cosine {
		far = math.Cos
	}
	for i := range y {
		v := given[i]
		y[i] = near[i]
		if v >= sineLimit || v <= -sineLimit {
			y[i] = float32(far(float64(v)))
		}
	}
}
