package cpu

import (
	"math"
	"unsafe"
)

// Erf and GELU on float32 come from Taylor polynomials about the multiples of 1/8, whose coefficients follow from the differential
// equations of erf and of erfcx(t) = e^(t²)·erfc(t):
//
//	erf' = h, h' = −2t·h           (n+1)·h[n+1] = −2c·h[n] − 2·h[n−1],   erf[n+1] = h[n]/(n+1)
//	erfcx' = 2t·erfcx − 2/√π       (n+1)·g[n+1] = 2c·g[n] + 2·g[n−1],    g[1] = 2c·g[0] − 2/√π
//
// GELU needs a small relative error in its tail, so there Φ(−x) = e^(−x²/2)·erfcx(x/√2)/2; its derivative needs the same exponential.

const (
	perUnit   = 8 // polynomials in a unit interval
	erfLimit  = 4 // erf is ±1 in float32 from here
	geluLimit = 14.5
	geluEnd   = -9 // GELU and its derivative are taken as 0 below
	erfTerms  = 8
	cdfTerms  = 7
)

var erfTable = func() (t [erfLimit*perUnit + 1][erfTerms]float64) {
	for i := range t {
		c := float64(i) / perUnit
		h := [erfTerms]float64{2 / math.SqrtPi * exp(-c*c)}
		t[i][0] = erf(c)
		for n := range erfTerms - 1 {
			if n > 0 {
				h[n] = -2 * c * h[n-1] / float64(n)
			}
			if n > 1 {
				h[n] -= 2 * h[n-2] / float64(n)
			}
			t[i][n+1] = h[n] / float64(n+1)
		}
	}
	return t
}()

// erfcxTable reaches geluLimit/√2. Its rows are of eight so that indexing is a shift.
var erfcxTable = func() (t [128][8]float64) {
	for i := range 83 {
		c := float64(i) / perUnit
		g := &t[i]
		g[0] = exp(c*c) * erfc(c)
		g[1] = float64(2*c*g[0]) - 2/math.SqrtPi
		for n := 1; n < cdfTerms-1; n++ {
			g[n+1] = (float64(2*c*g[n]) + float64(2*g[n-1])) / float64(n+1)
		}
	}
	return t
}()

func erfWide(x float64) float64 {
	z := math.Abs(x)
	if !(z < erfLimit) {
		return erf(x)
	}
	n := float64(z*perUnit) + roundShift
	e := &erfTable[math.Float64bits(n)%64]
	d := z - float64((n-roundShift)*(1./perUnit))
	d2 := d * d
	low := e[0] + float64(d*e[1]) + float64(d2*(e[2]+float64(d*e[3])))
	high := e[4] + float64(d*e[5]) + float64(d2*(e[6]+float64(d*e[7])))
	return math.Copysign(low+float64(d2*d2*high), x)
}

// cdfSide holds a and b such that Φ(x) = a + b·Φ(−|x|), by the sign bit of x.
var cdfSide = [2]struct{ a, b float64 }{{1, -1}, {0, 1}}

// geluWide returns GELU(x) and GELUGrad(x).
//
// Below geluEnd both are less than 10⁻¹⁷, which the contract lets be 0. Kept, they would turn subnormal in the products of a backward pass, where
// processors are so slow that a trained network took three times as long as a fresh one.
func geluWide(x float64) (value, grad float64) {
	if x < geluEnd {
		zero := math.Copysign(0, -1)
		return zero, zero
	}
	if !(math.Abs(x) < geluLimit) {
		return gelu(x), geluGrad(x)
	}
	s, p := expParts(float64(-0.5 * x * x))
	e := s + float64(s*p)
	t := float64(math.Abs(x) * sqrtHalf)
	n := float64(t*perUnit) + roundShift
	g := &erfcxTable[math.Float64bits(n)%128]
	d := t - float64((n-roundShift)*(1./perUnit))
	d2 := d * d
	low := g[0] + float64(d*g[1]) + float64(d2*(g[2]+float64(d*g[3])))
	high := g[4] + float64(d*g[5]) + float64(d2*g[6])
	tail := 0.5 * e * (low + float64(d2*d2*high))
	side := &cdfSide[math.Float64bits(x)>>63]
	cdf := side.a + float64(side.b*tail)
	return x * cdf, cdf + float64(invSqrt2Pi*x*e)
}

// geluPair32 computes dst = GELU(a) and c = GELUGrad(a), with the bits that each has alone.
func geluPair32(dst, a, _, c unsafe.Pointer, n int) {
	d, g, x := block[float32](dst, n), block[float32](c, n), block[float32](a, n)
	var value, grad [wideLen]float64
	for lo := 0; lo < n; lo += wideLen {
		hi := min(lo+wideLen, n)
		toWide(value[:hi-lo], x[lo:hi])
		for i, v := range value[:hi-lo] {
			value[i], grad[i] = geluWide(v)
		}
		fromWide(d[lo:hi], value[:hi-lo])
		fromWide(g[lo:hi], grad[:hi-lo])
	}
}
