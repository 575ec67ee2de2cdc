package simd

import "unsafe"

// Ceiling is the loops by which a machine's ceilings are measured, with the vectors of one instruction set: they do nothing useful, as fast as the
// processor can. The scheduler cannot stop a loop, so one call should stay under 100 µs.
type Ceiling struct {
	Name  string  // of the instruction set
	Flops float64 // of a round of multiply-adds

	// MultiplyAdds executes rounds of multiply-adds that do not wait for each other, in registers. rounds is at least 1.
	MultiplyAdds func(rounds int)

	// Triad computes dst[i] = x[i] + s·y[i] for a factor s. n is a positive multiple of Grain.
	Triad func(dst, x, y unsafe.Pointer, n int)
	Grain int
}
