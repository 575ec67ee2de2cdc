package main

import "math"

var (
	// erfTerms is erf(x)/x − 1 by x², for |x| ≤ erfNear, within 2^−25.9.
	erfTerms = []float64{0.128379166, -0.376126319, 0.112836875, -0.0268589407, 0.00519990642, -0.000813001068, 8.31676953e-05}
	// erfcTerms is −ln(erfc(x))/x − 1 by x, for erfNear ≤ x ≤ 4; it leaves erf within 2^−28.2. After N. Juffa.
	erfcTerms = []float64{0.128648654, 0.635150671, 0.106237963, -0.0237629991, 0.00364290318, -0.000322913518, 1.12423022e-05}
	// tailTerms is e^(z²/2)·Φ(−z) by t = (z − 4)/(z + 4), for 0 ≤ z ≤ 14.5, within 2^−25.2.
	tailTerms = []float64{0.094410643, -0.170397744, 0.124379203, -0.071706742, 0.0308654979, -0.00849792082, 0.000502557843,
		0.00065777218, -0.000167834252, -6.52947783e-05}
	// erfTerms64 is erf(x)/x − 1 by x², for |x| ≤ erfNearDouble, within 2^−56.3.
	erfTerms64 = []float64{0.1283791670955126, -0.3761263890318375, 0.11283791670954857, -0.026866170645072893, 0.005223977624780849,
		-0.0008548326978741218, 0.00012055331036867641, -1.4925593506254136e-05, 1.646097280914595e-06, -1.6350025163666317e-07,
		1.4657879601536979e-08, -1.1365665583128013e-09, 5.945261941183837e-11}
	// tailTerms64 is (z + 4)·e^(z²/2)·Φ(−z) by t = (z − 4)/(z + 4), for 0 ≤ z ≤ 40, within 2^−54.2.
	tailTerms64 = []float64{0.7552851304157515, -0.6078966419718921, 0.38713740074221487, -0.18652185795965878, 0.060396574890917154,
		-0.0075401889666777645, -0.0034796923669643703, 0.0016308184568942744, 0.0001333443075097308, -0.00023109493000649214,
		-1.9082256103608493e-06, 3.5144664641448595e-05, 7.165278337834983e-07, -5.920125865588754e-06, -6.293191085717708e-07,
		1.0215177206296898e-06, 2.7113927646928664e-07, -1.5503451551598425e-07, -8.467605805614806e-08, 1.3478528124802866e-08,
		1.9161674326236128e-08, 1.7319502951545473e-09, -2.397919741764291e-09, -6.616017944303706e-10}
)

const (
	erfNear       = 0.93
	erfEnd        = 4 // erf is 1 in float32 from here
	erfNearDouble = 1
	erfEndDouble  = 6    // erf is 1 in float64 from here
	geluEnd       = 9    // GELU and its derivative of float32 are taken as 0 below −geluEnd, as in package cpu
	geluEndDouble = 38.7 // and are 0 in float64
	tailOrigin    = 4.
	invSqrt2Pi    = 0.398942280401432677939946
)

func (m *machine) errorFunctions() {
	erf := m.erf
	if m.double {
		erf = m.erfDouble
	}
	m.kernel("erf", 1, erf)
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
	minus := m.scale(e, m.precision().one|1<<(m.precision().bits-1))
	far := m.mulAdd(minus, m.add(e.p, m.num(1)), m.num(1))
	return m.pick(isNear, near, m.or(far, m.signOf(x)))
}

// erfDouble is an odd polynomial near 0, and 1 − 2Φ(−z), z = √2·|x|, farther out.
func (m *machine) erfDouble(in []vec) vec {
	const origin = tailOrigin / math.Sqrt2
	x := in[0]
	near := m.mulAdd(m.polynomial(m.mul(x, x), erfTerms64), x, x)
	z := m.and(x, m.magnitude())
	isNear := m.compare(less, z, m.num(erfNearDouble))
	y := m.min(m.load(m.num(erfEndDouble)), z)
	inverse := m.div(m.load(m.num(math.Sqrt2)), m.add(y, m.num(origin)))
	t := m.mul(m.mul(m.sub(y, m.num(origin)), m.num(math.Sqrt2/2)), inverse)
	ratio := m.mul(m.polynomial(t, tailTerms64), inverse)
	e := m.power(m.mul(y, m.xor(y, m.signBit())))
	erfc := m.mul(m.mulAdd(ratio, e.p, ratio), m.scale(e, m.precision().one))
	far := m.sub(m.load(m.num(1)), erfc)
	return m.pick(isNear, near, m.or(far, m.signOf(x)))
}

// gaussian is what GELU and its derivative share: z = |x|, e = e^(−z²/2), ratio = Φ(−z)/e, and where z is not beyond the end.
type gaussian struct {
	z, ratio vec
	e        power
	near     mask
}

func (m *machine) tail(x vec) gaussian {
	end := float64(geluEnd)
	if m.double {
		end = geluEndDouble
	}
	z := m.and(x, m.magnitude())
	near := m.compare(notGreater, z, m.num(end))
	z = m.min(m.load(m.num(end)), z)
	ratio := m.tailRatio(z)
	// The rounding error of z² is put back, since the exponential magnifies it by z²/2.
	f := m.precision()
	square := m.mul(z, z)
	low := m.mulSub(z, z, square)
	shifted := m.mulAdd(square, m.num(-0.5*math.Log2E), m.num(f.roundShift))
	n := m.sub(shifted, m.num(f.roundShift))
	r := m.mulAdd(n, m.num(-f.ln2High), m.mul(square, m.num(-0.5)))
	r = m.mulAdd(low, m.num(-0.5), r)
	r = m.mulAdd(n, m.num(-f.ln2Low), r)
	return gaussian{z: z, ratio: ratio, e: power{n, shifted, m.expm1Reduced(r)}, near: near}
}

// tailRatio returns e^(z²/2)·Φ(−z).
func (m *machine) tailRatio(z vec) vec {
	if !m.double {
		return m.polynomial(m.tailVariable(z), tailTerms)
	}
	difference, sum := m.sub(z, m.num(tailOrigin)), m.add(z, m.num(tailOrigin))
	inverse := m.div(m.load(m.num(1)), sum)
	t := m.mul(difference, inverse)
	t = m.mulAdd(m.tailRest(z, t), inverse, t)
	return m.mul(m.polynomial(t, tailTerms64), inverse)
}

// tailVariable returns t = (z − 4)/(z + 4), rounded nearly once, for the ratio is sensitive to it: what remains is divided by
// z + 4 = 8/(1−t) and added.
func (m *machine) tailVariable(z vec) vec {
	t := m.div(m.sub(z, m.num(tailOrigin)), m.add(z, m.num(tailOrigin)))
	return m.mulAdd(m.tailRest(z, t), m.mulAdd(t, m.num(-0.5/tailOrigin), m.num(0.5/tailOrigin)), t)
}

// tailRest returns z − 4·(1+t) − z·t.
func (m *machine) tailRest(z, t vec) vec {
	rest := m.add(z, m.mulAdd(t, m.num(-tailOrigin), m.num(-tailOrigin)))
	return m.negMulAdd(t, z, rest)
}

// gelu is max(x, 0) − z·Φ(−z), which has the sign of x. The exponential is last: it may be subnormal.
func (m *machine) gelu(x vec, t gaussian) vec {
	below := m.decayed(m.mul(t.z, t.ratio), t.e, t.near)
	return m.or(m.sub(m.max(m.load(m.num(0)), x), below), m.signOf(x))
}

// geluGrad is −h for negative x, else 1 + h, with h = z·φ(z) − Φ(−z), whose 0 far out thus gets its sign.
func (m *machine) geluGrad(x vec, t gaussian) vec {
	h := m.decayed(m.mulSub(t.z, m.num(invSqrt2Pi), t.ratio), t.e, t.near)
	return m.pick(m.negative(x), m.xor(h, m.signBit()), m.add(h, m.num(1)))
}
