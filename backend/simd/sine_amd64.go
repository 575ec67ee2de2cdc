package simd

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

const (
	// sineLimit32 and sineLimit64 bound the arguments that the assembly of sine and cosine reduces.
	sineLimit32 = 1 << 16
	sineLimit64 = 1 << 30
	sineBlock   = 64
)

// sineKernel returns the kernel of Sin or Cos on float32 or float64. Whether assembly or package cpu computes an element depends on that
// element alone.
func sineKernel(i implementation, op backend.MapOp, d backend.DType) cpu.Kernel {
	if i == off {
		return nil
	}
	s := sine{wide: i == avx512, cosine: op == backend.Cos, double: d == backend.Float64}
	if s.double {
		return sineOf[float64]{s, sineLimit64, cpu.MapKernel(op, d)}.run
	}
	return sineOf[float32]{s, sineLimit32, cpu.MapKernel(op, d)}.run
}

// sineOf is a sine of elements of type T: near for arguments within limit, infinite or NaN, and far for the others.
type sineOf[T float32 | float64] struct {
	sine
	limit T
	far   cpu.Kernel
}

func (s sineOf[T]) run(dst, a, _, _ unsafe.Pointer, n int) {
	if !s.anyBeyond(a, n) {
		s.near(dst, a, n)
		return
	}
	y, x := unsafe.Slice((*T)(dst), n), unsafe.Slice((*T)(a), n)
	for len(x) > 0 {
		m := min(len(x), sineBlock)
		s.mixed(y[:m], x[:m])
		y, x = y[m:], x[m:]
	}
}

// anyBeyond reports whether |a[i]| ≥ limit for some i.
func (s sineOf[T]) anyBeyond(a unsafe.Pointer, n int) bool {
	var most [16]T // at least a vector
	s.largest(unsafe.Pointer(&most), a, n)
	for _, m := range most {
		if m >= s.limit {
			return true
		}
	}
	return false
}

// mixed computes at most sineBlock elements, some of them beyond the limit. y and x may be the same.
func (s sineOf[T]) mixed(y, x []T) {
	var given, near [sineBlock]T
	copy(given[:], x)
	s.near(unsafe.Pointer(&near), unsafe.Pointer(&given), len(x))
	for i := range y {
		v := given[i]
		if y[i] = near[i]; v >= s.limit || v <= -s.limit {
			y[i] = v
			s.far(unsafe.Pointer(&y[i]), unsafe.Pointer(&y[i]), nil, nil, 1)
		}
	}
}

// sine names a loop in assembly. Its methods call the loops directly: through a variable, their arguments would be moved to the heap.
type sine struct{ wide, cosine, double bool }

// near computes elements that are within the limit, infinite or NaN.
func (s sine) near(dst, a unsafe.Pointer, n int) {
	switch {
	case s.double && s.wide && s.cosine:
		cos64AVX512(dst, a, nil, nil, n)
	case s.double && s.wide:
		sin64AVX512(dst, a, nil, nil, n)
	case s.double && s.cosine:
		cos64AVX2(dst, a, nil, nil, n)
	case s.double:
		sin64AVX2(dst, a, nil, nil, n)
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

// largest stores a vector that holds the largest |a[i]| that is a number; dst has room for it.
func (s sine) largest(dst, a unsafe.Pointer, n int) {
	switch {
	case s.double && s.wide:
		largest64AVX512(dst, a, nil, nil, n)
	case s.double:
		largest64AVX2(dst, a, nil, nil, n)
	case s.wide:
		largest32AVX512(dst, a, nil, nil, n)
	default:
		largest32AVX2(dst, a, nil, nil, n)
	}
}
