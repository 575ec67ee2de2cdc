package simd

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// Ceilings returns the loops of every instruction set that the machine has, whatever WEIR_SIMD chooses: which one is the fastest is to be measured.
// There are none on machines without assembly. d is Float32 or Float64.
func Ceilings(d backend.DType) []Ceiling {
	var found []Ceiling
	for _, i := range []implementation{avx2, avx512} {
		if supported(i) {
			found = append(found, ceilingOf(i, d))
		}
	}
	return found
}

// multiplyAddChains and triadVectors are those of the generator.
const (
	multiplyAddChains = 12
	triadVectors      = 4
)

func ceilingOf(i implementation, d backend.DType) Ceiling {
	lanes := 32 / d.Size()
	if i == avx512 {
		lanes *= 2
	}
	multiplyAdds, triad := multiplyAddsFloat32AVX2, triadFloat32AVX2
	switch {
	case i == avx512 && d == backend.Float64:
		multiplyAdds, triad = multiplyAddsFloat64AVX512, triadFloat64AVX512
	case i == avx512:
		multiplyAdds, triad = multiplyAddsFloat32AVX512, triadFloat32AVX512
	case d == backend.Float64:
		multiplyAdds, triad = multiplyAddsFloat64AVX2, triadFloat64AVX2
	}
	factors := ceilingFactors(d)
	return Ceiling{
		Name:         implementations[i].about,
		Flops:        2 * float64(multiplyAddChains*lanes),
		MultiplyAdds: func(rounds int) { multiplyAdds(factors, rounds) },
		Grain:        triadVectors * lanes,
		Triad:        func(dst, x, y unsafe.Pointer, n int) { triad(dst, x, y, factors, n) },
	}
}

var (
	factors32 = [2]float32{0.999, 1e-3}
	factors64 = [2]float64{0.999, 1e-3}
)

// ceilingFactors returns where the two factors of a float type are.
func ceilingFactors(d backend.DType) unsafe.Pointer {
	if d == backend.Float64 {
		return unsafe.Pointer(&factors64)
	}
	return unsafe.Pointer(&factors32)
}

// The functions below are the loops of [Ceiling]: a dozen vectors of sums, to each of which the product of the two factors is added in every round,
//
//	for range rounds {
//		for i := range sums {
//			sums[i] = fma(factors[0], factors[1], sums[i])
//		}
//	}
//
// and the triad, for n a positive multiple of four vectors:
//
//	for i := range n {
//		dst[i] = fma(factor, y[i], x[i])
//	}

//go:noescape
func multiplyAddsFloat32AVX2(factors unsafe.Pointer, rounds int)

//go:noescape
func multiplyAddsFloat64AVX2(factors unsafe.Pointer, rounds int)

//go:noescape
func multiplyAddsFloat32AVX512(factors unsafe.Pointer, rounds int)

//go:noescape
func multiplyAddsFloat64AVX512(factors unsafe.Pointer, rounds int)

//go:noescape
func triadFloat32AVX2(dst, x, y, factor unsafe.Pointer, n int)

//go:noescape
func triadFloat64AVX2(dst, x, y, factor unsafe.Pointer, n int)

//go:noescape
func triadFloat32AVX512(dst, x, y, factor unsafe.Pointer, n int)

//go:noescape
func triadFloat64AVX512(dst, x, y, factor unsafe.Pointer, n int)
