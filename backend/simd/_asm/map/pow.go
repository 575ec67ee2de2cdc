package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
)

// cubeTerms is (2·artanh(s) − 2s − ⅔s³)/s⁵ by s², for s = f/(2+f), −1/4 ≤ f ≤ 1/2, within 2^−67.7 of ln(1+f).
var cubeTerms = []float64{0.39999999999999725, 0.2857142857157718, 0.22222222191274354, 0.18181821523576958, 0.15384406770989248,
	0.13341141196057515, 0.11592404471712474, 0.12571168940714253}

const (
	twoThirds    = 0x1.5555555555555p-1
	twoThirdsLow = 0x1.5555555555555p-55
	powEnd       = 200 // e^±powEnd is infinite, or 0, in float32
)

// powers emits pow: of float64, and of float32 computed in float64, for multiples of a vector. m is a machine of float64.
func (m *machine) powers() {
	m.wholeVectors("powFloat64", 8, func(x, y vec) vec { return m.pow(x, y, m.powDouble) }, m.get, m.put)
	m.wholeVectors("powFloat32", 4, func(x, y vec) vec { return m.pow(x, y, m.powSingle) },
		func(from operand.Mem) vec { return m.convert(m.VCVTPS2PD, from) },
		func(a vec, to operand.Mem) { m.toHalf(m.VCVTPD2PS, m.VCVTPD2PSY, a, to) })
}

// wholeVectors emits a kernel of two operands for n that is a multiple of the vector's elements.
func (m *machine) wholeVectors(base string, width int, f func(x, y vec) vec, get func(operand.Mem) vec, put func(vec, operand.Mem)) {
	l := m.beginNamed(base + m.suffix())
	dst, a, b := l.stream("dst", width), l.stream("a", width), l.stream("b", width)
	l.Label("next")
	put(f(get(a.mem()), get(b.mem())), dst.mem())
	l.advance([]stream{dst, a, b}, m.lanes())
}

// pow returns xʸ with the special cases of math.Pow. positive computes |x|ʸ, unless |x| is 1 or y is 0.
func (m *machine) pow(x, y vec, positive func(x, y vec) vec) vec {
	z := m.and(x, m.magnitude())
	r := positive(z, y)
	r = m.pick(m.compare(equal, z, m.num(1)), m.num(1), r)
	// The sign of x is that of the result if y is odd: an integer, of which half is none.
	half := m.mul(y, m.num(0.5))
	sign := m.pick(m.compare(equal, m.round(half, toZero), half), m.num(0), m.signOf(x))
	whole := m.round(y, toZero)
	r = m.or(r, m.pick(m.compare(equal, whole, y), sign, m.zero()))
	// A negative number has no other powers, but −Inf has.
	undefined := m.pick(m.compare(equal, whole, y), r, m.load(m.num(math.NaN())))
	finite := m.pick(m.compare(equal, z, m.num(math.Inf(1))), z, x)
	r = m.pick(m.compare(less, finite, m.num(0)), undefined, r)
	r = m.pick(m.compare(equal, x, m.num(1)), m.num(1), r)
	return m.pick(m.compare(equal, y, m.num(0)), m.num(1), r)
}

// toZero is a mode of round.
const toZero = 3

// powSingle is e^(y·ln x) for x and y from float32.
func (m *machine) powSingle(x, y vec) vec {
	k, _, mantissa := m.split(x)
	log := m.atPoles(x, m.logReduced(k, m.sub(mantissa, m.num(1))))
	z := m.min(m.load(m.num(powEnd)), m.mul(log, y))
	e := m.power(m.max(m.load(m.num(-powEnd)), z))
	return m.mul(m.add(e.p, m.num(1)), m.scale(e, m.precision().one))
}

// atPoles puts the logarithms of 0, infinity and NaN into log.
func (m *machine) atPoles(x, log vec) vec {
	log = m.pick(m.compare(equal, x, m.num(0)), m.num(math.Inf(-1)), log)
	return m.pick(m.compare(less, x, m.num(math.Inf(1))), log, x)
}

// powDouble is e^(y·ln x), with both the logarithm and its product in two parts.
func (m *machine) powDouble(x, y vec) vec {
	log := m.logParts(x)
	high := m.atPoles(x, log.high)
	z := m.mul(high, y)
	rest := m.mulAdd(log.low, y, m.mulSub(high, y, z))
	// At infinities there is no rest.
	rest = m.pick(m.compare(less, m.and(z, m.magnitude()), m.num(0x1p10)), rest, m.zero())
	f := m.precision()
	z, alive := m.decaying(m.min(m.load(m.num(f.expMost)), z))
	shifted := m.mulAdd(z, m.num(math.Log2E), m.num(f.roundShift))
	n := m.sub(shifted, m.num(f.roundShift))
	r := m.mulAdd(n, m.num(-f.ln2High), z)
	r = m.add(m.mulAdd(n, m.num(-f.ln2Low), r), rest)
	return m.finished(power{n, shifted, m.expm1Reduced(r)}, alive)
}

// logParts returns ln x with a relative error of 2^−61: as 2s + ⅔s³ + s⁵·Σ, s = f/(2+f), the first two terms and k·ln2 in two parts.
func (m *machine) logParts(x vec) parts {
	k, mantissa := m.splitAny(x)
	f := m.sub(mantissa, m.num(1))
	sum := m.add(mantissa, m.num(1))
	lost := m.sub(mantissa, m.sub(sum, m.num(1)))
	inverse := m.div(m.load(m.num(1)), sum)
	s := m.mul(f, inverse)
	low := m.mul(m.negMulAdd(s, lost, m.negMulAdd(s, sum, f)), inverse)
	s2 := m.mul(s, s)
	s3 := m.mul(s2, s)
	rest := m.mul(m.mul(s2, s3), m.polynomial(s2, cubeTerms))
	low = m.add(low, low)
	rest = m.add(rest, m.mulAdd(s2, low, low))
	s3Low := m.mulAdd(m.mulSub(s, s, s2), s, m.mulSub(s2, s, s3))
	cube := m.mul(s3, m.num(twoThirds))
	rest = m.add(rest, m.mulAdd(s3Low, m.num(twoThirds), m.mulAdd(s3, m.num(twoThirdsLow), m.mulSub(s3, m.num(twoThirds), cube))))
	high := m.mul(k, m.num(m.precision().ln2High))
	rest = m.add(rest, m.mulAdd(k, m.num(m.precision().ln2Low), m.mulSub(k, m.num(m.precision().ln2High), high)))
	twice := m.add(s, s)
	first := m.add(high, twice)
	lowest := m.add(m.sub(high, first), twice)
	second := m.add(first, cube)
	lowest = m.add(m.add(m.sub(first, second), cube), lowest)
	return parts{second, m.add(lowest, rest)}.normal(m)
}
