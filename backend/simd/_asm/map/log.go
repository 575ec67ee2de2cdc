package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// logTerms is (ln(1+f) − f + f²/2)/f³ on −1/4 ≤ f ≤ 1/2, within 2^−29.1 of ln(1+f).
var logTerms = []float64{0.333333403, -0.250001669, 0.199996069, -0.166552886, 0.142761528, -0.127277315, 0.117015041, -0.0911833495,
	0.0376884416}

const (
	// origin is the bits of 3/4: mantissas are taken from [3/4, 3/2), so that 1 is not at an end.
	origin       = 0x3f400000
	infinityBits = 0x7f800000
	negInfBits   = 0xff800000
	nanBits      = 0x7fc00000
)

func (m *machine) logarithms() {
	m.kernel("log", 1, m.log)
	m.kernel("log1p", 1, m.log1p)
	m.kernel("softplus", 1, m.softplus)
}

// logReduced returns k·ln2 + ln(1+f).
func (m *machine) logReduced(k, f vec) vec {
	f2 := m.mul(f, f)
	y := m.mul(m.mul(f2, f), m.polynomial(f, logTerms))
	y = m.mulAdd(k, m.num(ln2Low), y)
	y = m.mulAdd(f2, m.num(-0.5), y)
	return m.mulAdd(k, m.num(ln2High), m.add(f, y))
}

// split returns k, as a float and shifted to the place of an exponent, and m with x = 2ᵏ·m and m in [3/4, 3/2), for normal x.
func (m *machine) split(x vec) (k, exponent, mantissa vec) {
	i := m.shiftRight(m.subInt(x, m.bits(origin)), mantissaBits)
	exponent = m.shiftLeft(i, mantissaBits)
	return m.toFloat(i), exponent, m.subInt(x, exponent)
}

// splitAny is split for subnormal x too.
func (m *machine) splitAny(x vec) (k, mantissa vec) {
	if m.wide {
		const toThreeHalves = 3
		mantissa, exponent, own := m.vec(), m.vec(), m.vec()
		m.VGETMANTPS(operand.U8(toThreeHalves), x, mantissa)
		m.VGETEXPPS(x, exponent)
		m.VGETEXPPS(mantissa, own)
		return m.sub(exponent, own), mantissa
	}
	tiny := m.compare(less, x, m.num(0x1p-126))
	k, _, mantissa = m.split(m.pick(tiny, m.mul(x, m.num(0x1p23)), x))
	return m.add(k, m.and(m.load(m.num(-23)), tiny)), mantissa
}

func (m *machine) log(in []vec) vec {
	x := in[0]
	k, mantissa := m.splitAny(x)
	return m.poles(x, 0, m.logReduced(k, m.sub(mantissa, m.num(1))))
}

// poles puts the special values of a logarithm that is −∞ at x = pole into y.
func (m *machine) poles(x vec, pole float64, y vec) vec {
	y = m.pick(m.compare(notGreaterEqual, x, m.num(pole)), m.bits(nanBits), y)
	y = m.pick(m.compare(equal, x, m.num(pole)), m.bits(negInfBits), y)
	return m.pick(m.compare(equal, x, m.bits(infinityBits)), x, y)
}

// log1p. The result has the sign of x, which matters for −0.
func (m *machine) log1p(in []vec) vec {
	x := in[0]
	return m.or(m.poles(x, -1, m.log1pFinite(x)), m.signOf(x))
}

// log1pFinite returns ln(1+x) for finite x > −1: what rounding 1 + x lost is put back into the reduced argument.
func (m *machine) log1pFinite(x vec) vec {
	u := m.add(x, m.num(1))
	back := m.sub(u, m.num(1))
	lost := m.add(m.sub(m.load(m.num(1)), m.sub(u, back)), m.sub(x, back))
	k, exponent, mantissa := m.split(u)
	// The least inverse is the least normal number; nothing remains of what is lost long before.
	inverse := m.subInt(m.load(m.bits(one)), m.minInt(exponent, m.bits(126<<mantissaBits)))
	f := m.mulAdd(lost, inverse, m.sub(mantissa, m.num(1)))
	return m.logReduced(k, f)
}

// softplus is max(x, 0) + ln(1 + e^−|x|).
func (m *machine) softplus(in []vec) vec {
	x := in[0]
	return m.add(m.max(m.load(m.num(0)), x), m.log1pFinite(m.decay(x)))
}
