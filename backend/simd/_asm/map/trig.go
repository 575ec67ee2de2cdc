package main

import "math"

var (
	// sinTerms is (sin r − r)/r³ by r², and cosTerms cos r by r², for |r| ≤ π/4, within 2^−28.
	sinTerms = []float64{-0.166666672, 0.00833332911, -0.000198393042, 2.71804652e-06}
	cosTerms = []float64{1, -0.5, 0.0416666456, -0.00138873095, 2.44324146e-05}
)

// π/2 in three parts of 24 bits. They serve |x| < 2¹⁷, where n·halfPi1 is within 1 of x, so that the first difference is exact.
const (
	halfPi1 = 0x1.921fb6p0
	halfPi2 = -0x1.777a5cp-25
	halfPi3 = -0x1.ee59dap-50
)

func (m *machine) trigonometry() {
	m.largest()
	m.kernel("sin", 1, func(in []vec) vec {
		x := in[0]
		tiny := m.compare(less, m.and(x, m.magnitude()), m.num(0x1p-13))
		return m.pick(tiny, x, m.sine(x, 0))
	})
	m.kernel("cos", 1, func(in []vec) vec { return m.sine(in[0], 1) })
}

// sine returns sin(x + quadrant·π/2).
func (m *machine) sine(x vec, quadrant uint64) vec {
	shifted := m.mulAdd(x, m.num(2/math.Pi), m.num(roundShift))
	n := m.sub(shifted, m.num(roundShift))
	r := m.mulAdd(n, m.num(-halfPi1), x)
	r = m.mulAdd(n, m.num(-halfPi2), r)
	r = m.mulAdd(n, m.num(-halfPi3), r)
	r2 := m.mul(r, r)
	sin := m.mulAdd(m.mul(r, r2), m.polynomial(r2, sinTerms), r)
	cos := m.polynomial(r2, cosTerms)
	if quadrant > 0 {
		shifted = m.addInt(shifted, m.bits(quadrant))
	}
	odd := m.negative(m.shiftLeft(shifted, 31))
	return m.xor(m.pick(odd, cos, sin), m.signOf(m.shiftLeft(shifted, 30)))
}

// largest emits a kernel that stores a vector which holds the largest |a| that is a number: what sine cannot reduce is seen before
// anything is overwritten.
func (m *machine) largest() {
	l := m.begin("largest")
	dst, a := l.stream("dst", 0), l.stream("a", m.size())
	x, most := m.vec(), m.vec()
	m.VXORPS(most, most, most)
	l.run([]stream{a}, func(partial bool) { l.read(a, x, partial) }, func() {
		m.VMAXPS(most, m.and(x, m.magnitude()), most)
	}, func(bool) { l.write(dst, most, false) })
}
