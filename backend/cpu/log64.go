package cpu

import "math"

// The logarithms of float64 split the argument: x = 2ᵏ·z, z in [0.704, 1.41), and with c in the middle of one of 128 intervals
// ln x = k·ln2 + ln c + ln(1+r), r = z/c − 1, |r| < 0.005. 1/c has 10 bits, so r is computed exactly, in two parts, and ln c is in
// a table to more than float64's precision. In the interval around 1, c = 1 and ln c = 0, so nothing cancels there. ln(1+r) is its
// series up to r⁹. This is the method of pow in ARM's optimized-routines, after P. T. P. Tang, "Table-driven implementation of the
// logarithm function in IEEE floating-point arithmetic" (1990).

const (
	logBits64   = 7
	logOrigin64 = 0x3fe68aab << 32   // bits of z's least value, such that the interval around 1 is [1 − ⅓·2⁻⁷, 1 + ⅓·2⁻⁷)
	ln2High64   = 0x1.62e42fefa38p-1 // to 42 bits, so k·ln2 + ln c is exact
	ln2Low64    = math.Ln2 - ln2High64
	invBits64   = 0x1p9  // 1/c is a multiple of its inverse
	logGrain64  = 0x1p42 // and the upper part of ln c of its
)

// logTable64 holds 1/c and ln c in two parts.
var logTable64 = func() (t [1 << logBits64]struct{ inv, high, low float64 }) {
	for i := range t {
		lo := math.Float64frombits(logOrigin64 + uint64(i)<<(52-logBits64))
		hi := math.Float64frombits(logOrigin64 + uint64(i+1)<<(52-logBits64))
		inv := math.RoundToEven(2/(lo+hi)*invBits64) / invBits64
		if lo < 1 && 1 < hi {
			inv = 1
		}
		l := logDouble(inv)
		high := -math.RoundToEven(l.hi*logGrain64) / logGrain64
		t[i].inv, t[i].high, t[i].low = inv, high, -((l.hi + high) + l.lo)
	}
	return t
}()

// logDouble returns ln x = 2·artanh(s) = 2·Σ s^(2k+1)/(2k+1), s = (x−1)/(x+1), for x in [0.7, 1.42] of few bits.
func logDouble(x float64) double {
	s := quotient(x-1, x+1)
	square := s.times(s)
	sum := double{}
	for n := 43.; n > 0; n -= 2 {
		sum = sum.times(square).plus(quotient(1, n))
	}
	sum = sum.times(s)
	return double{2 * sum.hi, 2 * sum.lo}
}

// logParts64 returns ln x with a relative error of 2⁻⁶⁷, for x whose bits are b, normal and positive, times 2^shift.
func logParts64(b uint64, shift float64) double {
	above := b - logOrigin64
	k := int64(above) >> 52
	e := &logTable64[above>>(52-logBits64)%(1<<logBits64)]
	z := b - uint64(k)<<52
	zHigh := math.Float64frombits((z + 1<<31) &^ (1<<32 - 1))
	// r's parts and the square of the upper one are exact.
	rHigh := float64(zHigh*e.inv) - 1
	rLow := float64((math.Float64frombits(z) - zHigh) * e.inv)
	r := rHigh + rLow
	square := float64(-0.5 * rHigh * rHigh)
	squareLow := rLow * float64(-0.5*(r+rHigh))
	n := float64(k) + shift
	high := float64(n*ln2High64) + e.high
	low := float64(n*ln2Low64) + e.low
	// high is 0 or greater than r, which is greater than its square.
	sum := high + r
	low += ((high - sum) + r) + (rLow - (r - rHigh))
	hi := sum + square
	low += ((sum - hi) + square) + float64(squareLow)
	return fastTwoSum(hi, low+float64(r*r*r*logSeries(r)))
}

// logSeries returns (ln(1+r) − r + r²/2)/r³, |r| < 0.005.
func logSeries(r float64) float64 {
	r2 := r * r
	q := (1./7 - float64(r*(1./8))) + float64(r2*(1./9))
	q = (1./5 - float64(r*(1./6))) + float64(r2*q)
	return (1./3 - float64(r*0.25)) + float64(r2*q)
}

const (
	leastNormal = 1 << 52     // the bits of 2⁻¹⁰²²
	infinity    = 0x7ff << 52 // the bits of +Inf
)

// log returns ln x within 0.51 ulp. log(±0) = −Inf, log(+Inf) = +Inf, log(x) = NaN for x < 0 and NaN.
func log(x float64) float64 {
	b := math.Float64bits(x)
	if b-leastNormal >= infinity-leastNormal {
		return logFar(x)
	}
	return logParts64(b, 0).hi
}

// logFar is log where x is not a positive normal number.
func logFar(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x < 0:
		return math.NaN()
	case x <= math.MaxFloat64:
		return logParts64(math.Float64bits(x*0x1p52), -52).hi
	}
	return x
}

// log1p returns ln(1+x) within 0.52 ulp. log1p(±0) = ±0, log1p(−1) = −Inf, log1p(+Inf) = +Inf, log1p(x) = NaN for x < −1 and NaN.
//
// Near 0 it is the series alone; elsewhere ln(u) + c/u with u = 1+x, rounded, and c the rest of that sum.
func log1p(x float64) float64 {
	if math.Abs(x) < 0x1p-8 {
		return x - float64(x*x*(0.5-float64(x*logSeries(x))))
	}
	u := twoSum(1, x)
	b := math.Float64bits(u.hi)
	if b-leastNormal >= infinity-leastNormal {
		return logFar(u.hi)
	}
	l := logParts64(b, 0)
	return l.hi + (l.lo + u.lo/u.hi)
}
