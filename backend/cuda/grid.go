package cuda

import "math"

// processors is how many multiprocessors a launch should fill: about what large GPUs have. No bit of a result depends on it.
const processors = 132

// mostBlocks is how many blocks a grid has along x at the most.
const mostBlocks = math.MaxInt32

// line returns a grid of that many blocks. What no grid has stays too many, rather than wrap around: the launch is refused.
func line(blocks int64) [3]uint32 { return [3]uint32{uint32(min(blocks, math.MaxUint32))} }

// covering returns the grid of blocks of so many threads with one for each of n elements. It has at most so many blocks, so its kernels step by the size
// of the grid.
func covering(n, threads, most int64) [3]uint32 { return line(min(ratio(n, threads), most)) }

// ratio returns n/d, rounded up.
func ratio(n, d int64) int64 { return (n + d - 1) / d }

// above returns the least power of two that is at least n, but no more than most, which is one.
func above(n, most int64) int64 {
	p := int64(1)
	for p < n && p < most {
		p *= 2
	}
	return p
}
