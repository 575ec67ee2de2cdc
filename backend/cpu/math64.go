package cpu

import (
	"math"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// float64Kernel returns the kernel of op on float64.
//
// The functions are the package's own. Go's lose digits: on amd64 exp and log at the ends of their ranges, sine and cosine near
// multiples of π/2 and at large arguments, and powers everywhere; and their bits differ between processors, some of which fuse or
// have assembly. These are within the bounds that they state, and have the same bits on every machine.
func float64Kernel(op backend.MapOp) Kernel {
	switch op {
	case backend.Exp:
		return unary[float64](exp)
	case backend.Expm1:
		return unary[float64](expm1)
	case backend.Log:
		return unary[float64](log)
	case backend.Log1p:
		return unary[float64](log1p)
	case backend.Sin:
		return unary[float64](sin)
	case backend.Cos:
		return unary[float64](cos)
	case backend.Tanh:
		return unary[float64](tanh)
	case backend.Erf:
		return unary[float64](erf)
	case backend.GELU:
		return unary[float64](gelu)
	case backend.GELUGrad:
		return unary[float64](geluGrad)
	case backend.Sigmoid:
		return unary[float64](sigmoid)
	case backend.Softplus:
		return unary[float64](softplus)
	}
	return floatKernel[float64](op)
}

// geluPair returns the kernel of GELU and GELUGrad at once: dst = GELU(a), c = GELUGrad(a).
func geluPair(d backend.DType) Kernel {
	if d == backend.Float64 {
		return geluPair64
	}
	return geluPair32
}

func geluPair64(dst, a, _, c unsafe.Pointer, n int) {
	d, g, x := block[float64](dst, n), block[float64](c, n), block[float64](a, n)
	for i := range d {
		v := x[i]
		d[i], g[i] = gelu(v), geluGrad(v)
	}
}

// sigmoid returns 1/(1+e⁻ˣ) within 2.5 ulp, without overflow and without loss where it is near 0.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + exp(-x))
	}
	e := exp(x)
	return e / (1 + e)
}

// softplus returns ln(1+eˣ) = max(x, 0) + ln(1+e⁻|ˣ|) within 2 ulp.
func softplus(x float64) float64 {
	return max(x, 0) + log1p(exp(-math.Abs(x)))
}

const (
	sqrtHalf      = 1 / math.Sqrt2
	sqrtHalfHigh  = 0x1.6a09e60000000p-1  // √½ to 26 bits
	sqrtHalfLow   = 0x1.9fcef32422cbfp-27 // √½ − sqrtHalfHigh
	invSqrt2Pi    = 0.398942280401432677939946
	gelu64Tail    = -1.25 * math.Sqrt2 // below it erfc(−x/√2) is found by its logarithm
	gelu64Extreme = 39                 // beyond it Φ(−x) and φ(x) are 0 in float64
)

// halfSquare returns x²/2 in two parts, the upper one exact and fit for erfcLog.
func halfSquare(x float64) (high, low float64) {
	upper := upperWord(x)
	return float64(0.5 * upper * upper), float64(0.5 * (x - upper) * (x + upper))
}

// normalCDF returns Φ(x) = erfc(t)/2, t = −x/√2. In the tail erfc would magnify the rounding of t by 2t², so there its logarithm is
// computed, from x². Before that, t − 1 is computed as exactly as its rounding matters.
func normalCDF(x float64) float64 {
	switch {
	case !(x < -1.2):
		return 0.5 * erfc(-x*sqrtHalf)
	case x < gelu64Tail:
		e := erfcLog(halfSquare(x))
		return expSum(e.hi, e.lo) / (-math.Sqrt2 * x)
	}
	upper := upperHalf(x)
	s := (-1 - float64(upper*sqrtHalfHigh)) - (float64(upper*sqrtHalfLow) + float64((x-upper)*sqrtHalf))
	return 0.5 * ((1 - erfOne) - erfNearOne(s))
}

// normalPDF returns φ(x) = e^(−x²/2)/√(2π), |x| ≤ gelu64Extreme.
func normalPDF(x float64) float64 {
	high, low := halfSquare(x)
	return invSqrt2Pi * expSum(-high, -low)
}

// gelu returns x·Φ(x) within 3 ulp. In the tail that is −t·erfc(t)/√2 with t = −x/√2. gelu(−Inf) is −0, its limit.
func gelu(x float64) float64 {
	switch {
	case !(x < gelu64Tail):
		return x * normalCDF(x)
	case x < -gelu64Extreme:
		return math.Copysign(0, x)
	}
	e := erfcLog(halfSquare(x))
	return -sqrtHalf * expSum(e.hi, e.lo)
}

// geluGrad returns Φ(x) + x·φ(x), and its limits 0 and 1 at −Inf and +Inf.
func geluGrad(x float64) float64 {
	switch {
	case x < -gelu64Extreme:
		return math.Copysign(0, x)
	case x > gelu64Extreme:
		return 1
	}
	return normalCDF(x) + float64(x*normalPDF(x))
}
