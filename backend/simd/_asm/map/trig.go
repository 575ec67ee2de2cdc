package main

import "math"

var (
	// sinTerms is (sin r − r)/r³ by r², for |r| ≤ (1 + 1/64)·π/2, within 2^−26.3 of sin r. Its last bits were searched for, so that
	// the sine and the cosine of every float32 are within 1.98 ulp, and cos 0 is 1.
	sinTerms = []float64{-0.166666567, 0.00833301991, -0.000198070018, 2.60076604e-06}
	// sinTerms64 is the same for |r| ≤ π/4, within 2^−57.4, and cosTerms64 is (cos r − 1 + r²/2)/r⁴ by r² within 2^−59.9 of the cosine.
	sinTerms64 = []float64{-0.16666666666666632, 0.008333333333322425, -0.00019841269829816582, 2.7557313695032895e-06,
		-2.5050758617408313e-08, 1.5896825654908957e-10}
	cosTerms64 = []float64{0.0416666666666666, -0.0013888888888874136, 2.4801587289491004e-05, -2.7557314355237696e-07,
		2.0875723709059163e-09, -1.1359672041998691e-11}
)

// π in three parts of 24 bits. For |x| < 2¹⁷ and n with 2n an integer, n·pi1 is within 2 of x, so that the first difference is exact unless
// |x| < 1. They serve |x| < 2¹⁶, for cos(−73975.11) would err by 2.03 ulp.
const (
	pi1 = 0x1.921fb6p1
	pi2 = -0x1.777a5cp-24
	pi3 = -0x1.ee59dap-49
)

// π/2 in three parts of 53 bits. They serve |x| < 2³⁰: the first difference, of a fused product, is exact, the second is taken in two parts,
// and no float64 is so near to a multiple of π/2 that the rest would matter.
const (
	halfPi1Double = 0x1.921fb54442d18p0
	halfPi2Double = 0x1.1a62633145c07p-54
	halfPi3Double = -0x1.f1976b7ed8fbcp-110
)

func (m *machine) trigonometry() {
	m.largest()
	if m.double {
		m.kernel("sin", 1, func(in []vec) vec {
			x := in[0]
			isTiny := m.compare(less, m.and(x, m.magnitude()), m.num(0x1p-27))
			return m.pick(isTiny, x, m.sineDouble(x, 0))
		})
		m.kernel("cos", 1, func(in []vec) vec { return m.sineDouble(in[0], 1) })
		return
	}
	m.kernel("sin", 1, m.sine)
	m.kernel("cos", 1, m.cosine)
}

// sine is (−1)ⁿ·sin r with |x| = n·π + r, and the sign of x, which matters for −0. Half turns take more terms than quarters, but have no
// cosines to compute and to choose from.
func (m *machine) sine(in []vec) vec {
	x, shift := in[0], m.num(m.precision().roundShift)
	z := m.and(x, m.magnitude())
	shifted := m.mulAdd(z, m.num(1/math.Pi), shift)
	y := m.sineWithin(z, m.sub(shifted, shift))
	return m.xor(m.flip(y, x), m.shiftLeft(shifted, 31))
}

// The low bits of cosineShift + t, |t| < 2¹⁶, are those of t's integer part and, below them, of its fraction. The shift is odd: an even m
// sets the bit that makes the sign.
const (
	cosineShift  = 0x1.8p17 + 1
	fractionBits = 6
)

// cosine is −(−1)ᵐ·sin r with x = (m + ½)·π + r, m being the integer under x/π. As x/π is first rounded to 1/64, |r| may exceed π/2 by
// a 64th.
func (m *machine) cosine(in []vec) vec {
	x, shift := in[0], m.num(cosineShift)
	shifted := m.mulAdd(x, m.num(1/math.Pi), shift)
	half := m.join(shifted, 1<<32-1<<fractionBits, m.load(m.bits(1<<(fractionBits-1))))
	y := m.sineWithin(x, m.sub(half, shift))
	return m.flip(y, m.shiftLeft(half, 31-fractionBits))
}

// sineWithin returns sin(x − n·π), of an argument of little more than π/2.
func (m *machine) sineWithin(x, n vec) vec {
	r := m.mulAdd(n, m.num(-pi1), x)
	r = m.mulAdd(n, m.num(-pi2), r)
	r = m.mulAdd(n, m.num(-pi3), r)
	r2 := m.mul(r, r)
	return m.mulAdd(m.mul(r2, r), m.polynomial(r2, sinTerms), r)
}

// turned returns sin(r + (n + quadrant)·π/2), of the sine and the cosine of r and with n in the low bits of shifted.
func (m *machine) turned(sin, cos, shifted vec, quadrant uint64) vec {
	if quadrant > 0 {
		shifted = m.addInt(shifted, m.bits(quadrant))
	}
	top := uint8(m.precision().bits - 1)
	odd := m.negative(m.shiftLeft(shifted, top))
	return m.xor(m.pick(odd, cos, sin), m.signOf(m.shiftLeft(shifted, top-1)))
}

// sineDouble is sine for float64.
func (m *machine) sineDouble(x vec, quadrant uint64) vec {
	shift := m.precision().roundShift
	shifted := m.mulAdd(x, m.num(2/math.Pi), m.num(shift))
	n := m.sub(shifted, m.num(shift))
	first := m.mulAdd(n, m.num(-halfPi1Double), x)
	product := m.mul(n, m.num(halfPi2Double))
	r := m.sub(first, product)
	low := m.sub(m.sub(first, r), product)
	low = m.sub(low, m.mulSub(n, m.num(halfPi2Double), product))
	low = m.negMulAdd(n, m.num(halfPi3Double), low)
	sum := m.add(r, low)
	sin, cos := m.sinCos(sum, m.add(m.sub(r, sum), low))
	return m.turned(sin, cos, shifted, quadrant)
}

// sinCos returns the sine and the cosine of r + low, |r| ≤ π/4, |low| ≤ ulp(r)/2.
func (m *machine) sinCos(r, low vec) (sin, cos vec) {
	r2 := m.mul(r, r)
	half := m.mul(r2, m.num(0.5))
	w := m.sub(m.load(m.num(1)), half)
	sin = m.mulAdd(low, w, m.mul(m.mul(r2, r), m.polynomial(r2, sinTerms64)))
	sin = m.add(r, sin)
	rest := m.sub(m.sub(m.load(m.num(1)), w), half)
	cos = m.mulAdd(m.mul(r2, r2), m.polynomial(r2, cosTerms64), m.negMulAdd(r, low, rest))
	return sin, m.add(w, cos)
}

// largest emits a kernel that stores a vector which holds the largest |a| that is a number: what sine cannot reduce is seen before
// anything is overwritten.
func (m *machine) largest() {
	l := m.begin("largest")
	dst, a := l.stream("dst", 0), l.stream("a", m.size())
	x, most := m.vec(), m.vec()
	m.VXORPS(most, most, most)
	l.run([]stream{a}, func(partial bool) { l.read(a, x, partial) }, func() {
		m.emit(form{ps: m.VMAXPS, pd: m.VMAXPD}, most, m.and(x, m.magnitude()), most)
	}, func(bool) { l.write(dst, most, false) })
}
