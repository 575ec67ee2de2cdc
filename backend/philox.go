package backend

import "math/bits"

// RandomKind says what a Random command draws.
//
// Its source is an int64 view of shape (2): the seed and the offset, in blocks. With e the command's Base plus the row-major
// index of the element in the destination:
//
//	Bits     int32 or uint8: word e, or its low byte. int64: words 2e (low) and 2e+1 (high).
//	Uniform  float32, float16, bfloat16: (word e >> 8)·2⁻²⁴. float64: ((word 2e >> 5)·2²⁶ + (word 2e+1 >> 6))·2⁻⁵³. In [0, 1).
//	Normal   by Box–Muller on the pair j = e/2, from u = 1 − Uniform64(2j) and v = Uniform64(2j+1) for float64, and
//	         from u = (word 2j + ½)·2⁻³², v = word(2j+1)·2⁻³² for the others:
//	         sqrt(−2 ln u)·cos 2πv if e is even, sqrt(−2 ln u)·sin 2πv if odd.
//
// Word w is word w mod 4 of Philox4x32 at counter offset + w/4 with the seed as its key. Float16 and bfloat16 round the float32
// value; a uniform that rounds to 1 stays 1.
type RandomKind uint8

// The distributions.
const (
	Bits RandomKind = iota
	Uniform
	Normal
	numRandomKinds
)

var randomKindNames = [numRandomKinds]string{"bits", "uniform", "normal"}

// String returns the distribution's name.
func (k RandomKind) String() string {
	if k >= numRandomKinds {
		return "unknown"
	}
	return randomKindNames[k]
}

// RandomBlocks returns how many Philox counters n elements of dtype d consume.
func RandomBlocks(d DType, n int) int64 {
	words := int64(n)
	if d == Float64 || d == Int64 {
		words *= 2
	}
	return (words + 3) / 4
}

// Philox4x32 is the Philox4x32-10 generator of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3"
// (SC 2011): ten rounds on the 128-bit counter (offset, 0), low word first, under the 64-bit key seed.
func Philox4x32(seed, offset uint64) [4]uint32 {
	return philox([4]uint32{uint32(offset), uint32(offset >> 32)}, [2]uint32{uint32(seed), uint32(seed >> 32)})
}

func philox(counter [4]uint32, key [2]uint32) [4]uint32 {
	// Named words stay in registers; indexed ones would not.
	c0, c1, c2, c3 := counter[0], counter[1], counter[2], counter[3]
	k0, k1 := key[0], key[1]
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, c0)
		hi1, lo1 := bits.Mul32(0xCD9E8D57, c2)
		c0, c1, c2, c3 = hi1^c1^k0, lo1, hi0^c3^k1, lo0
		k0 += 0x9E3779B9
		k1 += 0xBB67AE85
	}
	return [4]uint32{c0, c1, c2, c3}
}
