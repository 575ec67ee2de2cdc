package cpu

import (
	"math"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// The float32 functions compute in float64 with a relative error below 2⁻³⁰ and round once, so their results are within 0.52 ulp.
// They use tables and short Taylor polynomials: in scalar code a load is cheaper than the terms it saves. Arguments outside the
// range of the method, NaN among them, go to the float64 functions, which have the special values.

// wideLen is the number of elements that are widened at a time.
const wideLen = 128

// float32Kernel returns the kernel of op on float32.
func float32Kernel(op backend.MapOp) Kernel {
	if op < backend.Exp || op > backend.Softplus {
		return floatKernel[float32](op)
	}
	return func(dst, a, _, _ unsafe.Pointer, n int) {
		d, x := block[float32](dst, n), block[float32](a, n)
		var w [wideLen]float64
		for lo := 0; lo < n; lo += wideLen {
			hi := min(lo+wideLen, n)
			toWide(w[:hi-lo], x[lo:hi])
			applyWide(op, w[:hi-lo])
			fromWide(d[lo:hi], w[:hi-lo])
		}
	}
}

// toWide converts in a loop of its own: on amd64 the conversion keeps the upper half of its destination register, so inside a loop that
// computes it would wait for the element before.
func toWide(dst []float64, src []float32) {
	for i, x := range src {
		dst[i] = float64(x)
	}
}

func fromWide(dst []float32, src []float64) {
	for i, x := range src {
		dst[i] = float32(x)
	}
}

// applyWide replaces each element by its function, exact enough to be rounded to float32.
func applyWide(op backend.MapOp, w []float64) {
	switch op {
	case backend.Exp:
		for i, x := range w {
			w[i] = expWide(x)
		}
	case backend.Expm1:
		for i, x := range w {
			w[i] = expm1Wide(x)
		}
	case backend.Log:
		for i, x := range w {
			w[i] = logWide(x)
		}
	case backend.Log1p:
		for i, x := range w {
			w[i] = log1pWide(x)
		}
	case backend.Sin:
		for i, x := range w {
			w[i] = sinWide(x)
		}
	case backend.Cos:
		for i, x := range w {
			w[i] = cosWide(x)
		}
	case backend.Tanh:
		for i, x := range w {
			w[i] = tanhWide(x)
		}
	case backend.Erf:
		for i, x := range w {
			w[i] = erfWide(x)
		}
	case backend.GELU:
		for i, x := range w {
			w[i], _ = geluWide(x)
		}
	case backend.GELUGrad:
		for i, x := range w {
			_, w[i] = geluWide(x)
		}
	case backend.Sigmoid:
		for i, x := range w {
			w[i] = sigmoidWide(x)
		}
	case backend.Softplus:
		for i, x := range w {
			w[i] = softplusWide(x)
		}
	}
}

const (
	// roundShift added to |x| < 2⁵¹ rounds x to an integer, which the sum's low bits then hold.
	roundShift = 0x1.8p52
	expSteps   = 32
	expStep    = math.Ln2 / expSteps
	expLimit   = 87 // e^±87 are normal float32
)

// expTable holds the bits of 2^(i/32).
var expTable = func() (t [expSteps]uint64) {
	for i := range t {
		t[i] = expTable64[i*(expSteps64/expSteps)].bits
	}
	return t
}()

// expParts returns s = 2^(k/32) and p = eʳ − 1 where z = k·ln2/32 + r, so that eᶻ = s + s·p and eᶻ − 1 = (s − 1) + s·p. |z| < 700.
// The series of eʳ is cut after r⁴; |r| < 0.0109, so p errs by 1.3e-12.
func expParts(z float64) (s, p float64) {
	n := float64(z*(1/expStep)) + roundShift
	k := math.Float64bits(n)
	r := z - float64((n-roundShift)*expStep)
	s = math.Float64frombits(expTable[k%expSteps] + k/expSteps<<52)
	q := float64(r*(float64(r*(1./24))+1./6)) + 0.5
	return s, r + float64(r*r*q)
}

func expWide(x float64) float64 {
	if !(math.Abs(x) < expLimit) {
		return exp(x)
	}
	s, p := expParts(x)
	return s + float64(s*p)
}

func expm1Wide(x float64) float64 {
	if !(math.Abs(x) < expLimit) || x == 0 {
		return expm1(x)
	}
	s, p := expParts(x)
	return (s - 1) + float64(s*p)
}

// tanhWide returns e/(e+2) with e = e^2|x| − 1, and the sign of x.
func tanhWide(x float64) float64 {
	if !(math.Abs(x) < 10) {
		return tanh(x)
	}
	s, p := expParts(2 * math.Abs(x))
	e := (s - 1) + float64(s*p)
	return math.Copysign(e/(e+2), x)
}

func sigmoidWide(x float64) float64 {
	if !(math.Abs(x) < expLimit) {
		return sigmoid(x)
	}
	s, p := expParts(-x)
	return 1 / (1 + (s + float64(s*p)))
}

// softplusWide returns max(x, 0) + ln(1+e⁻|ˣ|).
func softplusWide(x float64) float64 {
	if !(math.Abs(x) < expLimit) {
		return softplus(x)
	}
	s, p := expParts(-math.Abs(x))
	return max(x, 0) + log1pWide(s+float64(s*p))
}

const (
	logBits   = 7
	logOrigin = 0x3fe6 << 48 // bits of 0.6875: mantissas are taken from [0.6875, 1.375), so that 1 is not at an end
)

// logTable holds 1/c and ln c for a c inside each interval of mantissas; c = 1 in the two that meet at 1, so that logarithms near 0
// keep their relative accuracy.
var logTable = func() (t [1 << logBits]struct{ inv, log float64 }) {
	for i := range t {
		lo := math.Float64frombits(logOrigin + uint64(i)<<(52-logBits))
		hi := math.Float64frombits(logOrigin + uint64(i+1)<<(52-logBits))
		c := (lo + hi) / 2
		if lo == 1 || hi == 1 {
			c = 1
		}
		t[i].inv, t[i].log = 1/c, -log(1/c)
	}
	return t
}()

// logWide returns ln x. With x = 2ᵏ·m and r = m/c − 1 it is k·ln2 + ln c + ln(1+r), the series cut after r⁵; |r| ≤ 2⁻⁷, so the relative
// error is below 2⁻³⁷.
func logWide(x float64) float64 {
	if !(x >= 0x1p-1022 && x <= math.MaxFloat64) {
		return log(x)
	}
	b := math.Float64bits(x)
	above := b - logOrigin
	k := int64(above) >> 52
	e := &logTable[above>>(52-logBits)%(1<<logBits)]
	r := float64(math.Float64frombits(b-uint64(k)<<52)*e.inv) - 1
	r2 := r * r
	q := float64(r*(1./3)) - 0.5 + float64(r2*(float64(r*(1./5))-0.25))
	return float64(float64(k)*math.Ln2) + e.log + (r + float64(r2*q))
}

// log1pWide returns ln(1+x) for x that float32 holds, or x > 0. Where 1+x would lose digits of x, two terms of the series are enough.
func log1pWide(x float64) float64 {
	if math.Abs(x) < 0x1p-20 {
		return x - float64(0.5*x*x)
	}
	return logWide(1 + x)
}

const (
	// sinLimit bounds k in x = k·π/2 + r such that k·halfPiHigh is exact.
	sinLimit   = 1 << 19
	halfPiHigh = 0x1.921fb544p0 // 33 bits of π/2
	halfPiLow  = math.Pi/2 - halfPiHigh
)

func sinWide(x float64) float64 {
	if !(math.Abs(x) < sinLimit) {
		return sin(x)
	}
	return sinQuadrant(x, 0)
}

func cosWide(x float64) float64 {
	if !(math.Abs(x) < sinLimit) {
		return cos(x)
	}
	return sinQuadrant(x, 1)
}

// sinQuadrant returns sin(x + quadrant·π/2), from the series of sin to r¹¹ and of cos to r¹² on |r| ≤ π/4, which err by 7e-12
// relative to the result. Both are computed: a wrong guess at a branch costs more.
func sinQuadrant(x float64, quadrant uint64) float64 {
	n := float64(x*(2/math.Pi)) + roundShift
	k := math.Float64bits(n) + quadrant
	n -= roundShift
	r := (x - float64(n*halfPiHigh)) - float64(n*halfPiLow)
	r2 := r * r
	s := float64(r2*(-1./39916800)) + 1./362880
	s = float64(r2*s) - 1./5040
	s = float64(r2*s) + 1./120
	s = float64(r2*s) - 1./6
	s = r * (float64(r2*s) + 1)
	c := float64(r2*(1./479001600)) - 1./3628800
	c = float64(r2*c) + 1./40320
	c = float64(r2*c) - 1./720
	c = float64(r2*c) + 1./24
	c = float64(r2*c) - 0.5
	c = float64(r2*c) + 1
	either := [2]float64{s, c}
	return math.Float64frombits(math.Float64bits(either[k%2]) ^ k>>1<<63)
}
