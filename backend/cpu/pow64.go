package cpu

import "math"

// pow returns xʸ = e^(y·ln x) within an ulp or so, with the special cases of [math.Pow], which itself repeats squarings and loses digits where
// y is large; the commonest powers are rounded once. The logarithm is a double, since y magnifies its error.
func pow(x, y float64) float64 {
	if !(math.Abs(x) <= math.MaxFloat64) || x == 0 || !(math.Abs(y) <= math.MaxFloat64) || x < 0 && y != math.Trunc(y) {
		return math.Pow(x, y)
	}
	switch y {
	case -1:
		return 1 / x
	case -0.5:
		return 1 / math.Sqrt(x)
	case 0.5:
		return math.Sqrt(x)
	case 1:
		return x
	case 2:
		return x * x
	}
	l := logDouble(math.Abs(x))
	p := y * l.hi
	low := math.FMA(y, l.hi, -p) + float64(y*l.lo)
	sign := 1.0
	if x < 0 && math.Mod(y, 2) != 0 {
		sign = -1
	}
	switch {
	case p > 710:
		return sign * math.Inf(1)
	case p < -746:
		return sign * 0
	}
	return sign * expDouble(p, low)
}

// expStepHigh and Low are ln2/32; a multiple of the first by an integer below 2²⁰ is exact.
const (
	expStepHigh = 0x1.62e42feep-6
	expStepLow  = expStep - expStepHigh
)

// expDouble returns e^(x+low) for a small low: 2^(k/32)·eʳ, with the series of eʳ cut after r⁶; |r| < 0.011.
func expDouble(x, low float64) float64 {
	n := math.RoundToEven(x * (1 / expStep))
	r := (x - float64(n*expStepHigh)) - float64(n*expStepLow) + low
	q := float64(r*(1./720)) + 1./120
	q = float64(r*q) + 1./24
	q = float64(r*q) + 1./6
	q = float64(r*q) + 1./2
	p := r + float64(r*r*q)
	k := int(n)
	s := math.Float64frombits(expTable[k&(expSteps-1)])
	return math.Ldexp(s+float64(s*p), k>>5)
}

const (
	ln2High = 0x1.62e42feep-1 // 33 bits: its multiples by an exponent are exact
	ln2Low  = math.Ln2 - ln2High
)

// logDoubleTable holds for each interval of logTable a number of nine bits near 1/c, so that its product with a mantissa is exact as a double,
// and minus its logarithm.
var logDoubleTable = func() (t [1 << logBits]struct {
	inv float64
	log double
}) {
	for i := range t {
		inv := math.Round(logTable[i].inv*256) / 256
		t[i].inv, t[i].log = inv, lnRatio(1, inv)
	}
	return t
}()

// lnRatio returns ln(x/y) = 2·atanh((x−y)/(x+y)) for x and y of few bits that are near each other.
func lnRatio(x, y float64) double {
	s := double{x - y, 0}.div(double{x + y, 0})
	square, power, total := s.mul(s), s, double{}
	for k := 1.0; k < 61; k += 2 {
		total = total.add(power.div(double{k, 0}))
		power = power.mul(square)
	}
	return total.add(total)
}

// logDouble returns ln x for finite x > 0, with an error below 2⁻⁶⁴ of it: as logWide, but with m·inv − 1, its square and the sum as doubles.
func logDouble(x float64) double {
	k := 0.0
	if x < 0x1p-1022 {
		x, k = x*0x1p54, -54
	}
	b := math.Float64bits(x)
	above := b - logOrigin
	e := &logDoubleTable[above>>(52-logBits)%(1<<logBits)]
	k += float64(int64(above) >> 52)
	m := math.Float64frombits(b - uint64(int64(above)>>52)<<52)
	p := times(m, e.inv)
	r := sum(p.hi-1, p.lo)
	square := times(r.hi, r.hi)
	tail := 1. / 9
	for _, c := range [...]float64{-1. / 8, 1. / 7, -1. / 6, 1. / 5, -1. / 4, 1. / 3} {
		tail = float64(tail*r.hi) + c
	}
	tail *= square.hi * r.hi
	low := float64(k*ln2Low) + e.log.lo + r.lo - (0.5*square.lo + float64(r.hi*r.lo)) + tail
	s := sum(k*ln2High, e.log.hi)
	t := sum(s.hi, r.hi)
	u := sum(t.hi, -0.5*square.hi)
	return sum(u.hi, (s.lo+t.lo)+(u.lo+low))
}
