package main

import "math"

// The functions of float32 compute in float32 with fused multiply-adds, and those of float64 in float64. Polynomials are minimax by Remez'
// exchange in 40 digits, rounded to the type; each says its greatest relative error after rounding. The errors of the results are in
// docs/NUMERICS.md.

var (
	// expTerms is (eʳ − 1 − r)/r² on |r| ≤ ln2/2, within 2^−25.8 of eʳ − 1.
	expTerms = []float64{0.49999997, 0.166665435, 0.0416672081, 0.0083665289, 0.00138818973}
	// expTerms64 is the same within 2^−60.5.
	expTerms64 = []float64{0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321626, 0.0013888888888866791, 0.0001984126988613088,
		2.4801587360600612e-05, 2.7557244212505825e-06, 2.7557242746328064e-07, 2.510903336408126e-08, 2.092444268893957e-09}
)

const (
	tanhEnd  = 22  // tanh is 1 in float64 from here
	expm1End = -40 // and eˣ − 1 is −1 down from here
)

func (m *machine) exponentials() {
	m.kernel("exp", 1, m.exp)
	m.kernel("sigmoid", 1, m.sigmoid)
	if m.double {
		m.kernel("expm1", 1, m.expm1Double)
		m.kernel("tanh", 1, m.tanhDouble)
		return
	}
	m.kernel("expm1", 1, m.expm1)
	m.tanh()
}

// power is e^z = 2ⁿ·(1 + p), with n as a float and in the low bits of shifted.
type power struct{ n, shifted, p vec }

// power reduces z = n·ln2 + r. |z| is at most 2¹⁴.
func (m *machine) power(z vec) power {
	f := m.precision()
	shifted := m.mulAdd(z, m.num(math.Log2E), m.num(f.roundShift))
	n := m.sub(shifted, m.num(f.roundShift))
	r := m.mulAdd(n, m.num(-f.ln2High), z)
	r = m.mulAdd(n, m.num(-f.ln2Low), r)
	return power{n, shifted, m.expm1Reduced(r)}
}

// expm1Reduced returns eʳ − 1 for |r| ≤ ln2/2.
func (m *machine) expm1Reduced(r vec) vec {
	terms := expTerms
	if m.double {
		terms = expTerms64
	}
	return m.mulAdd(m.mul(r, r), m.polynomial(r, terms), r)
}

// scale returns 2ⁿ times a float with the bits one, which have to leave the result a normal number.
func (m *machine) scale(e power, one uint64) vec { return m.powerOfTwo(e.shifted, one) }

// powerOfTwo returns 2ⁿ times a float with the bits one, for n in the low bits of shifted.
func (m *machine) powerOfTwo(shifted vec, one uint64) vec {
	return m.addInt(m.shiftLeft(shifted, m.precision().mantissaBits), m.bits(one))
}

// decayed returns y·2ⁿ·(1 + p) for n ≤ 0, also where it is subnormal: the product with 2ⁿ, or the second factor of it, alone rounds. It is
// 0 where alive is not set.
func (m *machine) decayed(y vec, e power, alive mask) vec {
	y = m.mulAdd(y, e.p, y)
	if m.wide {
		return m.scaled(y, e.n, alive)
	}
	y = m.and(y, alive)
	f := m.precision()
	return m.mul(m.mul(y, m.scale(e, f.one+f.exponent(f.decayShift))), m.num(math.Ldexp(1, -f.decayShift)))
}

// scaled returns y·2ⁿ by the instruction of AVX-512, and 0 where alive is not set.
func (m *machine) scaled(y, n vec, alive mask) vec {
	r := m.vec()
	if m.double {
		m.VSCALEFPD_Z(n, y, alive, r)
	} else {
		m.VSCALEFPS_Z(n, y, alive, r)
	}
	return r
}

// decaying returns z, and where e^z is not 0. Elsewhere nothing may be scaled: a result that underflows takes twenty times as long as any
// other.
func (m *machine) decaying(z vec) (vec, mask) {
	least := m.num(m.precision().expLeast)
	alive := m.compare(notLess, z, least)
	if m.wide {
		return z, alive
	}
	return m.max(m.load(least), z), alive
}

// exp. Arguments are clamped to where the result overflows.
func (m *machine) exp(in []vec) vec {
	z, alive := m.decaying(m.min(m.load(m.num(m.precision().expMost)), in[0]))
	return m.finished(m.power(z), alive)
}

// finished returns 2ⁿ·(1 + p), and 0 where alive is not set.
func (m *machine) finished(e power, alive mask) vec {
	f := m.precision()
	y := m.add(e.p, m.num(1))
	if m.wide {
		return m.scaled(y, e.n, alive)
	}
	y = m.and(y, alive)
	// 2ⁿ may not be a float, but two halves of it are, and the second alone rounds.
	half := m.mulAdd(e.n, m.num(0.5), m.num(f.roundShift))
	rest := m.add(m.sub(e.n, m.sub(half, m.num(f.roundShift))), m.num(f.roundShift))
	return m.mul(m.mul(y, m.powerOfTwo(half, f.one)), m.powerOfTwo(rest, f.one))
}

// expm1 is 2·(2ⁿ⁻¹·p + (2ⁿ⁻¹ − ½)), since 2ⁿ may overflow. Tiny arguments are their own results, −0 and subnormals among them.
func (m *machine) expm1(in []vec) vec {
	x, f := in[0], m.precision()
	z := m.min(m.load(m.num(f.expMost)), x)
	z = m.max(m.load(m.num(-18)), z)
	e := m.power(z)
	s := m.scale(e, f.one-f.exponent(1))
	y := m.mulAdd(s, e.p, m.sub(s, m.num(0.5)))
	return m.pick(m.tiny(x), x, m.add(y, y))
}

// tiny returns where expm1(x) is x.
func (m *machine) tiny(x vec) mask {
	return m.compare(less, m.and(x, m.magnitude()), m.num(m.precision().tinyEnd))
}

// parts is an unevaluated sum.
type parts struct{ high, low vec }

// normal makes high the rounded sum. |high| ≥ |low|.
func (p parts) normal(m *machine) parts {
	sum := m.add(p.high, p.low)
	return parts{sum, m.add(m.sub(p.high, sum), p.low)}
}

// expm1Parts returns (e^z − 1)/2, within 2^−55 of it, for −40 ≤ z ≤ 710.
//
// With s = 2ⁿ⁻¹ that is (s − ½) + s·r + s·(eʳ − 1 − r), whose first sum is exact in two parts, and where r too is in two.
func (m *machine) expm1Parts(z vec) parts {
	f := m.precision()
	shifted := m.mulAdd(z, m.num(math.Log2E), m.num(f.roundShift))
	n := m.sub(shifted, m.num(f.roundShift))
	upper := m.mulAdd(n, m.num(-f.ln2High), z)
	r := m.mulAdd(n, m.num(-f.ln2Low), upper)
	lower := m.mulAdd(n, m.num(-f.ln2Low), m.sub(upper, r))
	rest := m.mulAdd(m.mul(r, r), m.polynomial(r, expTerms64), lower)
	s := m.powerOfTwo(shifted, f.one-f.exponent(1))
	offset, scaled := m.sub(s, m.num(0.5)), m.mul(s, r)
	high := m.add(offset, scaled)
	low := m.add(m.sub(offset, high), scaled)
	return parts{high, m.mulAdd(s, rest, low)}
}

// expm1Double is expm1 for float64, where one more rounding would cost the bound.
func (m *machine) expm1Double(in []vec) vec {
	x := in[0]
	z := m.min(m.load(m.num(m.precision().expMost)), x)
	z = m.max(m.load(m.num(expm1End)), z)
	e := m.expm1Parts(z)
	y := m.add(e.high, e.low)
	return m.pick(m.tiny(x), x, m.add(y, y))
}

// tanhDouble is e/(e + 1) with e = (e^2|x| − 1)/2, and the sign of x. What the two sums and the quotient round off is put back.
func (m *machine) tanhDouble(in []vec) vec {
	x := in[0]
	z := m.min(m.load(m.num(tanhEnd)), m.and(x, m.magnitude()))
	e := m.expm1Parts(m.add(z, z)).normal(m)
	sum := m.add(e.high, m.num(1))
	back := m.sub(sum, e.high)
	lost := m.add(m.sub(e.high, m.sub(sum, back)), m.sub(m.load(m.num(1)), back))
	inverse := m.div(m.load(m.num(1)), sum)
	y := m.mul(e.high, inverse)
	rest := m.add(m.negMulAdd(y, sum, e.high), e.low)
	rest = m.negMulAdd(y, m.add(lost, e.low), rest)
	return m.or(m.mulAdd(rest, inverse, y), m.signOf(x))
}

// signOf returns the sign bits.
func (m *machine) signOf(x vec) vec { return m.and(x, m.signBit()) }

// decay returns e^−|x|.
func (m *machine) decay(x vec) vec {
	z, alive := m.decaying(m.or(x, m.signBit()))
	return m.decayed(m.load(m.num(1)), m.power(z), alive)
}

// sigmoid is 1/(1 + e) or e/(1 + e) with e = e^−|x|.
func (m *machine) sigmoid(in []vec) vec {
	x := in[0]
	e := m.decay(x)
	above := m.pick(m.negative(x), e, m.load(m.num(1)))
	return m.div(above, m.add(e, m.num(1)))
}
