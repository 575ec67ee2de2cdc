package machine

import (
	"sync/atomic"
	"unsafe"

	"github.com/weir-ml/weir/backend/simd"
)

// portable returns loops in Go. It has no vectors, so the ceiling is that of Go's own code, not the processor's.
func portable[T float32 | float64]() simd.Ceiling {
	const chains = 8
	return simd.Ceiling{
		Name: "Go", Flops: 2 * chains, MultiplyAdds: multiplyAddsInGo[T], Grain: 1,
		Triad: func(dst, x, y unsafe.Pointer, n int) {
			triadInGo(unsafe.Slice((*T)(dst), n), unsafe.Slice((*T)(x), n), unsafe.Slice((*T)(y), n))
		},
	}
}

// kept receives what would else be computed for nobody, and so not at all.
var kept atomic.Uint64

// multiplyAddsInGo lets the compiler fuse where it does: that is what Go's code reaches.
func multiplyAddsInGo[T float32 | float64](rounds int) {
	x, y := T(0.999), T(1e-3)
	if kept.Load() == 1 { // never, but the compiler cannot know the factors
		x, y = y, x
	}
	var a, b, c, d, e, f, g, h T
	for range rounds {
		a, b, c, d = a*x+y, b*x+y, c*x+y, d*x+y
		e, f, g, h = e*x+y, f*x+y, g*x+y, h*x+y
	}
	if a+b+c+d+e+f+g+h < 0 {
		kept.Add(2)
	}
}

func triadInGo[T float32 | float64](dst, x, y []T) {
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] + 0.999*y[i]
	}
}
