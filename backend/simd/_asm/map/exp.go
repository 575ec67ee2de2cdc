package main

import (
	"math"
)

// The functions of float32 compute in float32 with fused multiply-adds. Polynomials are minimax by Remez' exchange in 40 digits, rounded to
// float32; each says its greatest relative error after rounding. The errors of the results are in docs/NUMERICS.md.

const (
	// roundShift added to |x| < 2²² rounds x to an integer, which the low bits of the sum then hold.
	roundShift     = 0x1.8p23
	roundShiftBits = 0x4b400000
	one            = 0x3f800000 // bits of 1; an exponent begins at bit 23
	halfOne        = 0x3f000000
	mantissaBits   = 23
	signOfFloat    = 1 << 31

	ln2High = 0x1.62e43p-1
	ln2Low  = math.Ln2 - ln2High
)

// expTerms is (eʳ − 1 − r)/r² on |r| ≤ ln2/2, within 2^−25.8 of eʳ − 1.
var expTerms = []float64{0.49999997, 0.166665435, 0.0416672081, 0.0083665289, 0.00138818973}

// tanhTerms is (tanh(x) − x)/x³ by x², for |x| ≤ tanhNear, within 2^−28.8.
var tanhTerms = []float64{-0.333333313, 0.133332044, -0.0539465174, 0.0216993131, -0.00817384385, 0.00213960814}

const tanhNear = 0.625

func (m *machine) exponentials() {
	m.kernel("exp", 1, m.exp)
	m.kernel("expm1", 1, m.expm1)
	m.kernel("tanh", 1, m.tanh)
	m.kernel("sigmoid", 1, m.sigmoid)
}

// power is e^z = 2ⁿ·(1 + p), with n as a float and in the low bits of shifted.
type power struct{ n, shifted, p vec }

// power reduces z = n·ln2 + r. |z| is at most 2¹⁴.
func (m *machine) power(z vec) power {
	shifted := m.mulAdd(z, m.num(math.Log2E), m.num(roundShift))
	n := m.sub(shifted, m.num(roundShift))
	r := m.mulAdd(n, m.num(-ln2High), z)
	r = m.mulAdd(n, m.num(-ln2Low), r)
	return power{n, shifted, m.expm1Reduced(r)}
}

// expm1Reduced returns eʳ − 1 for |r| ≤ ln2/2.
func (m *machine) expm1Reduced(r vec) vec {
	return m.mulAdd(m.mul(r, r), m.polynomial(r, expTerms), r)
}

// scale returns 2ⁿ times a float with the bits one, which have to leave the result a normal number.
func (m *machine) scale(e power, one uint64) vec {
	return m.addInt(m.shiftLeft(e.shifted, mantissaBits), m.bits(one))
}

// decayed returns y·2ⁿ·(1 + p) for −150 ≤ n ≤ 0, also where it is subnormal: the product with 2ⁿ, or the second factor of it, alone rounds.
func (m *machine) decayed(y vec, e power) vec {
	y = m.mulAdd(y, e.p, y)
	if m.wide {
		return m.scaled(y, e.n)
	}
	return m.mul(m.mul(y, m.scale(e, one+64<<mantissaBits)), m.num(0x1p-64))
}

// scaled returns y·2ⁿ by the instruction of AVX-512.
func (m *machine) scaled(y, n vec) vec {
	r := m.vec()
	m.VSCALEFPS(n, y, r)
	return r
}

// exp. Arguments are clamped to where the result is already 0 or overflows.
func (m *machine) exp(in []vec) vec {
	z := m.min(m.load(m.num(89)), in[0])
	z = m.max(m.load(m.num(-104)), z)
	e := m.power(z)
	y := m.add(e.p, m.num(1))
	if m.wide {
		return m.scaled(y, e.n)
	}
	// 2ⁿ may not be a float, but two halves of it are, and the second alone rounds.
	n := m.subInt(e.shifted, m.bits(roundShiftBits))
	half := m.shiftRight(n, 1)
	rest := m.subInt(n, half)
	y = m.mul(y, m.addInt(m.shiftLeft(half, mantissaBits), m.bits(one)))
	return m.mul(y, m.addInt(m.shiftLeft(rest, mantissaBits), m.bits(one)))
}

// expm1 is 2·(2ⁿ⁻¹·p + (2ⁿ⁻¹ − ½)), since 2ⁿ may overflow. Tiny arguments are their own results, −0 and subnormals among them.
func (m *machine) expm1(in []vec) vec {
	x := in[0]
	z := m.min(m.load(m.num(89)), x)
	z = m.max(m.load(m.num(-18)), z)
	e := m.power(z)
	s := m.scale(e, halfOne)
	y := m.mulAdd(s, e.p, m.sub(s, m.num(0.5)))
	tiny := m.compare(less, m.and(x, m.magnitude()), m.num(0x1p-25))
	return m.pick(tiny, x, m.add(y, y))
}

// tanh is e/(e + 2) with e = e^2|x| − 1, and the sign of x; where that loses digits, it is an odd polynomial.
func (m *machine) tanh(in []vec) vec {
	x := in[0]
	square := m.mul(x, x)
	near := m.mulAdd(m.mul(m.polynomial(square, tanhTerms), square), x, x)
	z := m.and(x, m.magnitude())
	isNear := m.compare(less, z, m.num(tanhNear))
	e := m.power(m.min(m.load(m.num(20)), m.add(z, z)))
	s := m.scale(e, one)
	y := m.mulAdd(s, e.p, m.sub(s, m.num(1)))
	far := m.div(y, m.add(y, m.num(2)))
	return m.or(m.pick(isNear, near, far), m.signOf(x))
}

// signOf returns the sign bits.
func (m *machine) signOf(x vec) vec { return m.and(x, m.signBit()) }

// decay returns e^−|x|.
func (m *machine) decay(x vec) vec {
	z := m.max(m.load(m.num(-104)), m.or(x, m.signBit()))
	return m.decayed(m.load(m.num(1)), m.power(z))
}

// sigmoid is 1/(1 + e) or e/(1 + e) with e = e^−|x|.
func (m *machine) sigmoid(in []vec) vec {
	x := in[0]
	e := m.decay(x)
	above := m.pick(m.negative(x), e, m.load(m.num(1)))
	return m.div(above, m.add(e, m.num(1)))
}
