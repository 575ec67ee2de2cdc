package cpu

import "math"

// The exponential functions of float64 split the argument: z = k·ln2/128 + r, |r| ≤ ln2/256, and eᶻ = 2^(k/128)·eʳ. The powers of
// two are in a table to twice float64's precision; eʳ is its series up to r⁵, which errs by 2⁻⁶⁰ of the result. This is the method
// of P. T. P. Tang, "Table-driven implementation of the exponential function in IEEE floating-point arithmetic" (1989), in the
// form that ARM's optimized-routines gave it.

const (
	expSteps64    = 128
	expStepHigh64 = 0x1.62e42fefap-8 // ln2/128 to 35 bits: its products with k are exact
	expStepLow64  = math.Ln2/expSteps64 - expStepHigh64
	// expNear bounds the arguments for which 2^(k/128) and the result are normal.
	expNear = 708
)

// expTable64 holds the bits of 2^(i/128), rounded, and the relative rest that rounding took.
var expTable64 = func() (t [expSteps64]struct {
	bits uint64
	rest float64
}) {
	power, step := double{hi: 1}, double{0x1.0163da9fb3335p0, 0x1.b61299ab8cdb7p-54} // 2^(1/128)
	for i := range t {
		t[i].bits, t[i].rest = math.Float64bits(power.hi), power.lo/power.hi
		power = power.times(step)
	}
	return t
}()

// expSplit returns k and r with z = k·ln2/128 + r, |z| < 2000. Only the lower bits of k are its own.
func expSplit(z float64) (k uint64, r float64) {
	n := float64(z*(expSteps64/math.Ln2)) + roundShift
	k = math.Float64bits(n)
	n -= roundShift
	return k, (z - float64(n*expStepHigh64)) - float64(n*expStepLow64)
}

// expSeries returns eʳ − 1.
func expSeries(r float64) float64 {
	r2 := r * r
	return r + (float64(r2*(float64(r*(1./6))+0.5)) + float64(r2*r2*(float64(r*(1./120))+1./24)))
}

// exp returns eˣ within 0.52 ulp, 1 ulp where the result is subnormal. exp(+Inf) = +Inf, exp(−Inf) = 0, exp(NaN) = NaN.
func exp(x float64) float64 { return expSum(x, 0) }

// expSum returns e^(x+low), |low| < 0.001, as accurate as exp.
func expSum(x, low float64) float64 {
	if !(math.Abs(x) < expNear) {
		return expFar(x, low)
	}
	k, r := expSplit(x)
	e := &expTable64[k%expSteps64]
	s := math.Float64frombits(e.bits + k/expSteps64<<52)
	return s + float64(s*(e.rest+expSeries(r+low)))
}

// expFar is expSum where 2^(k/128) or the result may not be normal: it computes a multiple by a power of two, and scales last.
func expFar(x, low float64) float64 {
	bias, scale := uint64(1022), 0x1p-1022
	switch {
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	case x != x:
		return x
	case x > 0:
		bias, scale = math.MaxUint64, 2 // 2⁻¹
	}
	k, r := expSplit(x)
	e := &expTable64[k%expSteps64]
	s := math.Float64frombits(e.bits + (k/expSteps64+bias)<<52)
	return scale * (s + float64(s*(e.rest+expSeries(r+low))))
}

// expm1 returns eˣ − 1 within 0.6 ulp. expm1(±0) = ±0, expm1(+Inf) = +Inf, expm1(−Inf) = −1, expm1(NaN) = NaN.
func expm1(x float64) float64 {
	if !(math.Abs(x) < 40) || math.Abs(x) < 0x1p-54 {
		return expm1Far(x)
	}
	e := expm1Parts(x)
	return e.hi + e.lo
}

// expm1Parts returns eˣ − 1 with a relative error of 2⁻⁵⁶, for |x| ≤ 40: by the series up to x⁹ near 0, else as
// (s − 1) + s·(eʳ − 1) with s = 2^(k/128).
func expm1Parts(x float64) double {
	if math.Abs(x) < 1./16 {
		q := float64(x*(float64(x*(1./362880))+1./40320)) + 1./5040
		q = float64(x*(float64(x*q)+1./720)) + 1./120
		q = float64(x*(float64(x*q)+1./24)) + 1./6
		return fastTwoSum(x, float64(x*x*(float64(x*q)+0.5)))
	}
	k, r := expSplit(x)
	e := &expTable64[k%expSteps64]
	s := math.Float64frombits(e.bits + k/expSteps64<<52)
	d := twoSum(s, -1)
	return fastTwoSum(d.hi, d.lo+float64(s*(e.rest+expSeries(r))))
}

// expm1Far is expm1 where the result is x, −1 or eˣ.
func expm1Far(x float64) float64 {
	switch {
	case x <= -40:
		return -1
	case math.Abs(x) < 1:
		return x
	}
	return exp(x)
}

// tanh returns e/(e+2) with e = e^2|x| − 1, and the sign of x, within 1.1 ulp: what the sums round off is put back.
// tanh(±0) = ±0, tanh(±Inf) = ±1, tanh(NaN) = NaN.
func tanh(x float64) float64 {
	z := math.Abs(x)
	switch {
	case z < 0x1p-28 || z != z:
		return x
	case z >= 20:
		return math.Copysign(1, x)
	}
	e := expm1Parts(2 * z)
	d := twoSum(2, e.hi)
	q := e.hi / d.hi
	rest := e.lo - float64(q*(d.lo+e.lo))
	return math.Copysign(q+rest/d.hi, x)
}
