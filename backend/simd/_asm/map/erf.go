package main

import (
	"math"

	"github.com/mmcloughlin/avo/reg"
)

var (
	// erfTerms is erf(x)/x − 1 by x², for |x| ≤ erfNear, within 2^−25.9.
	erfTerms = []float64{0.128379166, -0.376126319, 0.112836875, -0.0268589407, 0.00519990642, -0.000813001068, 8.31676953e-05}
	// erfcTerms is −ln(erfc(x))/x − 1 by x, for erfNear ≤ x ≤ 4; it leaves erf within 2^−28.2. After N. Juffa.
	erfcTerms = []float64{0.128648654, 0.635150671, 0.106237963, -0.0237629991, 0.00364290318, -0.000322913518, 1.12423022e-05}
	// tailTerms is e^(z²/2)·Φ(−z) by t = (z − 4)/(z + 4), for 0 ≤ z ≤ 14.5, within 2^−25.2.
	tailTerms = []float64{0.094410643, -0.170397744, 0.124379203, -0.071706742, 0.0308654979, -0.00849792082, 0.000502557843,
		0.00065777218, -0.000167834252, -6.52947783e-05}
)

const (
	erfNear    = 0.93
	erfEnd     = 4  // erf is 1 in float32 from here
	tailEnd    = 15 // Φ(−z) and z·φ(z) are 0 in float32 from here
	geluEnd    = 9  // GELU and its derivative are taken as 0 below −geluEnd, as in package cpu
	tailOrigin = 4.
	invSqrt2Pi = 0.398942280401432677939946
)

func (m *machine) errorFunctions() {
	m.kernel("erf", 1, m.erf)
	m.kernelPair("geluPair", 1, "c", func(in []vec) (vec, vec) {
		t := m.tail(in[0])
		return m.gelu(in[0], t), m.geluGrad(in[0], t)
	})
	m.kernel("gelu", 1, func(in []vec) vec { return m.gelu(in[0], m.tail(in[0])) })
	m.kernel("geluGrad", 1, func(in []vec) vec { return m.geluGrad(in[0], m.tail(in[0])) })
}

// erf is an odd polynomial near 0, and 1 − e^−w farther out.
func (m *machine) erf(in []vec) vec {
	x := in[0]
	near := m.mulAdd(m.polynomial(m.mul(x, x), erfTerms), x, x)
	z := m.and(x, m.magnitude())
	isNear := m.compare(less, z, m.num(erfNear))
	t := m.min(m.load(m.num(erfEnd)), z)
	w := m.mulAdd(m.polynomial(t, erfcTerms), t, t)
	e := m.power(m.xor(w, m.signBit()))
	minus := m.scale(e, one|signOfFloat)
	far := m.mulAdd(minus, m.add(e.p, m.num(1)), m.num(1))
	return m.pick(isNear, near, m.or(far, m.signOf(x)))
}

// gaussian is what GELU and its derivative share: z = |x|, e = e^(−z²/2), ratio = Φ(−z)/e, and where z is beyond geluEnd.
type gaussian struct {
	z, ratio vec
	e        power
	far      reg.Register
}

func (m *machine) tail(x vec) gaussian {
	z := m.min(m.load(m.num(tailEnd)), m.and(x, m.magnitude()))
	ratio := m.polynomial(m.tailVariable(z), tailTerms)
	// The rounding error of z² is put back, since the exponential magnifies it by z²/2.
	square := m.mul(z, z)
	low := m.mulSub(z, z, square)
	shifted := m.mulAdd(square, m.num(-0.5*math.Log2E), m.num(roundShift))
	n := m.sub(shifted, m.num(roundShift))
	r := m.mulAdd(n, m.num(-ln2High), m.mul(square, m.num(-0.5)))
	r = m.mulAdd(low, m.num(-0.5), r)
	r = m.mulAdd(n, m.num(-ln2Low), r)
	far := m.compare(less, m.load(m.num(geluEnd)), z)
	return gaussian{z, ratio, power{n, shifted, m.expm1Reduced(r)}, far}
}

// tailVariable returns t = (z − 4)/(z + 4), rounded nearly once, for the ratio is sensitive to it: what remains, z − 4·(1+t) − z·t, is divided by
// z + 4 = 8/(1−t) and added.
func (m *machine) tailVariable(z vec) vec {
	t := m.div(m.sub(z, m.num(tailOrigin)), m.add(z, m.num(tailOrigin)))
	rest := m.add(z, m.mulAdd(t, m.num(-tailOrigin), m.num(-tailOrigin)))
	rest = m.negMulAdd(t, z, rest)
	return m.mulAdd(rest, m.mulAdd(t, m.num(-0.5/tailOrigin), m.num(0.5/tailOrigin)), t)
}

// gelu is max(x, 0) − z·Φ(−z), which has the sign of x. The exponential is last: it may be subnormal.
func (m *machine) gelu(x vec, t gaussian) vec {
	below := m.pick(t.far, m.signBit(), m.decayed(m.mul(t.z, t.ratio), t.e))
	return m.or(m.sub(m.max(m.load(m.num(0)), x), below), m.signOf(x))
}

// geluGrad is h = Φ(−z) − z·φ(z) for negative x, else 1 − h.
func (m *machine) geluGrad(x vec, t gaussian) vec {
	h := m.pick(t.far, m.signBit(), m.decayed(m.mulAdd(t.z, m.num(-invSqrt2Pi), t.ratio), t.e))
	return m.pick(m.negative(x), h, m.sub(m.load(m.num(1)), h))
}
