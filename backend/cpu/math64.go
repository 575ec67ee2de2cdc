package cpu

import (
	"math"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// float64Kernel returns the kernel of op on float64. The functions are Go's, and those below.
func float64Kernel(op backend.MapOp) Kernel {
	switch op {
	case backend.Exp:
		return unary[float64](exp)
	case backend.Expm1:
		return unary[float64](math.Expm1)
	case backend.Log:
		return unary[float64](log)
	case backend.Log1p:
		return unary[float64](math.Log1p)
	case backend.Sin:
		return unary[float64](sin)
	case backend.Cos:
		return unary[float64](cos)
	case backend.Tanh:
		return unary[float64](math.Tanh)
	case backend.Erf:
		return unary[float64](math.Erf)
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

// exp returns eˣ. Go's on amd64 overflows below the greatest argument whose result is finite; there eˣ − 1 is the same.
func exp(x float64) float64 {
	if x > 700 {
		return math.Expm1(x)
	}
	return math.Exp(x)
}

// log returns ln x. Go's on amd64 takes subnormal numbers for normal ones.
func log(x float64) float64 {
	if x > 0 && x < 0x1p-1022 {
		return math.Log(x*0x1p54) - 54*math.Ln2
	}
	return math.Log(x)
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

// sigmoid returns 1/(1+e⁻ˣ), without overflow and without loss where it is near 0.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// softplus returns ln(1+eˣ) = max(x, 0) + ln(1+e⁻|ˣ|).
func softplus(x float64) float64 {
	return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
}

const (
	sqrtHalf      = 1 / math.Sqrt2
	sqrtHalfLow   = -4.833646656726457e-17 // √½ − sqrtHalf
	invSqrt2Pi    = 0.398942280401432677939946
	gelu64Extreme = 39 // beyond it Φ(−x) and φ(x) are 0 in float64
)

// normalCDF returns Φ(x) = erfc(−x/√2)/2.
//
// In the tail erfc magnifies the rounding of its argument t by 2t², so the rounding error of −x/√2 is computed exactly, with fused
// multiply-adds, and erfc is corrected to first order.
func normalCDF(x float64) float64 {
	t := -x * sqrtHalf
	if !(t > 1 && t < gelu64Extreme) {
		return 0.5 * math.Erfc(t)
	}
	err := math.FMA(-x, sqrtHalf, -t) - float64(x*sqrtHalfLow)
	slope := -2 / math.SqrtPi * math.Exp(-t*t)
	return 0.5 * (math.Erfc(t) + float64(slope*err))
}

// normalPDF returns φ(x) = e^(−x²/2)/√(2π). The rounding error of x² is put back, since exp magnifies it by x²/2.
func normalPDF(x float64) float64 {
	square := x * x
	if !(square < 2*gelu64Extreme*gelu64Extreme) {
		return invSqrt2Pi * math.Exp(-0.5*square)
	}
	low := math.FMA(x, x, -square)
	e := math.Exp(-0.5 * square)
	return invSqrt2Pi * (e - float64(0.5*low*e))
}

// gelu returns x·Φ(x). GELU(−Inf) is 0, its limit.
func gelu(x float64) float64 {
	if x < -gelu64Extreme {
		return math.Copysign(0, x)
	}
	return x * normalCDF(x)
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
