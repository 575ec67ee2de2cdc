package cpu

import (
	"math"
	"math/bits"
)

// sin and cos are within an ulp for every argument, also near the multiples of π/2, where Go's lose digits: the reduced argument is a
// double. The polynomials are those of FreeBSD's k_sin.c and k_cos.c (Sun Microsystems, 1993).

func sin(x float64) float64 { return sinShifted(x, 0) }

func cos(x float64) float64 { return sinShifted(x, 1) }

// sinShifted returns sin(x + quadrant·π/2).
func sinShifted(x float64, quadrant uint64) float64 {
	switch {
	case x != x || math.IsInf(x, 0):
		return math.NaN()
	case x == 0 && quadrant == 0:
		return x
	}
	n, r := reduce(x)
	n += quadrant
	y := cosPolynomial(r)
	if n%2 == 0 {
		y = sinPolynomial(r)
	}
	return math.Float64frombits(math.Float64bits(y) ^ n>>1<<63)
}

func sinPolynomial(r double) float64 {
	x, z := r.hi, r.hi*r.hi
	p := 2.75573137070700676789e-06 + float64(z*(-2.50507602534068634195e-08+float64(z*1.58969099521155010221e-10)))
	p = 8.33333333332248946124e-03 + float64(z*(-1.98412698298579493134e-04+float64(z*p)))
	v := z * x
	return x - ((float64(z*(float64(0.5*r.lo)-float64(v*p))) - r.lo) + float64(v*1.66666666666666324348e-01))
}

func cosPolynomial(r double) float64 {
	z := r.hi * r.hi
	p := -2.75573143513906633035e-07 + float64(z*(2.08757232129817482790e-09+float64(z*-1.13596475577881948265e-11)))
	p = -1.38888888888741095749e-03 + float64(z*(2.48015872894767294178e-05+float64(z*p)))
	p = float64(z * (4.16666666666666019037e-02 + float64(z*p)))
	half := 0.5 * z
	w := 1 - half
	return w + (((1 - w) - half) + (float64(z*p) - float64(r.hi*r.lo)))
}

// π/2 in three parts of 53 bits.
const (
	halfPi1 = 0x1.921fb54442d18p0
	halfPi2 = 0x1.1a62633145c07p-54
	halfPi3 = -0x1.f1976b7ed8fbcp-110
)

// reduce returns n mod 4 and r with x = n·π/2 + r and |r| ≤ π/4 or hardly more.
func reduce(x float64) (n uint64, r double) {
	switch a := math.Abs(x); {
	case a <= math.Pi/4:
		return 0, double{x, 0}
	case a < sinLimit:
		k := float64(x*(2/math.Pi)) + roundShift
		n = math.Float64bits(k)
		k -= roundShift
		p, q := times(k, halfPi1), times(k, halfPi2)
		// x − p.hi is exact: they are within a factor of two.
		s := sum(x-p.hi, -p.lo)
		t := sum(s.hi, -q.hi)
		return n, sum(t.hi, t.lo+(s.lo-q.lo-float64(k*halfPi3)))
	case x < 0:
		n, r = reduceHuge(-x)
		return -n, double{-r.hi, -r.lo}
	}
	return reduceHuge(x)
}

// reduceHuge multiplies the mantissa of x by those of the digits of 4/π that matter for x·4/π mod 8, as Payne and Hanek do, "Radian reduction
// for trigonometric functions" (SIGNUM 1983), and keeps 192 bits of the product: its first two bits are n, the others r/(π/2).
func reduceHuge(x float64) (n uint64, r double) {
	ix := math.Float64bits(x)
	exponent := int(ix>>52) - 1023 - 52
	ix = ix&(1<<52-1) | 1<<52
	digit, shift := uint(exponent+61)/64, uint(exponent+61)%64
	var z [4]uint64
	for i := range z {
		z[i] = fourOverPi[digit+uint(i)]<<shift | fourOverPi[digit+uint(i)+1]>>(64-shift)
	}
	carry3, _ := bits.Mul64(z[3], ix)
	hi2, lo2 := bits.Mul64(z[2], ix)
	hi1, lo1 := bits.Mul64(z[1], ix)
	w2, c := bits.Add64(lo2, carry3, 0)
	w1, c := bits.Add64(lo1, hi2, c)
	w0 := z[0]*ix + hi1 + c
	n = w0 >> 62
	w0, w1, w2 = w0<<2|w1>>62, w1<<2|w2>>62, w2<<2
	negative := w0>>63 == 1
	if negative {
		n++
		var borrow uint64
		w2, borrow = bits.Sub64(0, w2, 0)
		w1, borrow = bits.Sub64(0, w1, borrow)
		w0, _ = bits.Sub64(0, w0, borrow)
	}
	r = fraction(w0, w1, w2).mul(double{halfPi1, halfPi2})
	if negative {
		r = double{-r.hi, -r.lo}
	}
	return n, r
}

// fraction returns 0.w0 w1 w2 to 106 bits. No float64 is so near a multiple of π/2 that w0 is 0.
func fraction(w0, w1, w2 uint64) double {
	lead := bits.LeadingZeros64(w0)
	w0, w1 = w0<<lead|w1>>(64-lead), w1<<lead|w2>>(64-lead)
	hi := math.Ldexp(float64(w0>>11), -53-lead)
	lo := math.Ldexp(float64((w0<<53|w1>>11)>>11), -106-lead)
	return sum(hi, lo)
}

// fourOverPi are the binary digits of 4/π: the integer, 19 words behind the point, and one that no argument needs.
var fourOverPi = [...]uint64{
	0x0000000000000001, 0x45f306dc9c882a53, 0xf84eafa3ea69bb81, 0xb6c52b3278872083, 0xfca2c757bd778ac3,
	0x6e48dc74849ba5c0, 0x0c925dd413a32439, 0xfc3bd63962534e7d, 0xd1046bea5d768909, 0xd338e04d68befc82,
	0x7323ac7306a673e9, 0x3908bf177bf25076, 0x3ff12fffbc0b301f, 0xde5e2316b414da3e, 0xda6cfd9e4f96136e,
	0x9e8c7ecd3cbfd45a, 0xea4f758fd7cbe2f6, 0x7a0e73ef14a525d4, 0xd7f6bf623f1aba10, 0xac06608df8f6d757, 0,
}
