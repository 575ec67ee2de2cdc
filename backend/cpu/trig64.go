package cpu

import (
	"math"
	"math/bits"
)

// Sine and cosine of float64 subtract the nearest multiple of π/2, k·π/2, and evaluate the polynomials of FreeBSD's msun (k_sin.c and
// k_cos.c, from fdlibm) at what is left, in two parts r + low, |r| ≤ π/4. The polynomials came with this notice:
//
//	Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//
//	Developed at SunSoft, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software is
//	freely granted, provided that this notice is preserved.

const (
	// π/2 in three words; the first two have 33 bits, so their products with |k| < 2¹⁹ are exact.
	halfPi1 = 0x1.921fb544p0
	halfPi2 = 0x1.0b4611a6p-34
	halfPi3 = math.Pi/2 - halfPi1 - halfPi2
	// cancelled is where k·halfPi3, whose rounding errs by 2⁻¹⁰⁰, is no longer exact enough beside r.
	cancelled = 0x1p-40
	// sinTiny bounds the arguments whose sine is x and whose cosine is 1.
	sinTiny = 0x1p-27
)

// sin returns sin x within 0.9 ulp. sin(±0) = ±0; sin(±Inf) and sin(NaN) are NaN.
func sin(x float64) float64 {
	if math.Abs(x) < sinTiny {
		return x
	}
	return sinTurned(quarterTurns(x))
}

// cos returns cos x within 0.9 ulp. cos(±Inf) and cos(NaN) are NaN.
func cos(x float64) float64 {
	r, low, k := quarterTurns(x)
	return sinTurned(r, low, k+1)
}

// sinCos returns sin x and cos x; the sine of −0 is 0.
func sinCos(x float64) (sine, cosine float64) {
	r, low, k := quarterTurns(x)
	return sinTurned(r, low, k), sinTurned(r, low, k+1)
}

// sinCosSeries holds the polynomials in r² of (sin r − r)/r³ and of (cos r − 1 + r²/2)/r⁴, which err by 2⁻⁵⁸ of the result.
var sinCosSeries = [2][6]float64{
	{-1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04,
		2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10},
	{4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
		-2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11},
}

// sinTurned returns sin(r + low + k·π/2), |r| ≤ π/4 and |low| ≤ ulp(r): the sine or the cosine of r + low, by the parity of k. What
// differs between the two is looked up, for a wrong guess at a branch would cost more.
func sinTurned(r, low float64, k uint64) float64 {
	a := &sinCosSeries[k%2]
	r2 := r * r
	r4 := r2 * r2
	p := (a[0] + float64(r2*a[1])) + float64(r4*(a[2]+float64(r2*a[3]))) + float64(r4*r4*(a[4]+float64(r2*a[5])))
	half := float64(0.5 * r2)
	w := 1 - half
	head := [2]float64{r, w}
	factor := [2]float64{r, r2}
	rest := [2]float64{float64(low * w), ((1 - w) - half) - float64(r*low)}
	y := head[k%2] + (float64(r2*factor[k%2]*p) + rest[k%2])
	return math.Float64frombits(math.Float64bits(y) ^ k>>1<<63)
}

// quarterTurns returns r, low and k with x = r + low + k·π/2, k modulo 4. It subtracts k·π/2 in three words (Cody and Waite), the
// first two without error, unless x is large or nearly all of it cancels.
func quarterTurns(x float64) (r, low float64, k uint64) {
	if !(math.Abs(x) < sinLimit) {
		return quarterTurnsExact(x)
	}
	n := float64(x*(2/math.Pi)) + roundShift
	k = math.Float64bits(n)
	n -= roundShift
	d := twoSum(x-float64(n*halfPi1), -float64(n*halfPi2))
	rest := d.lo - float64(n*halfPi3)
	r = d.hi + rest
	if math.Abs(r) < cancelled && n != 0 {
		return quarterTurnsExact(x)
	}
	return r, (d.hi - r) + rest, k
}

// twoOverPi holds the bits of 2/π after a word of zeros, enough for the greatest float64 (TestTwoOverPi computes them).
var twoOverPi = [...]uint64{
	0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561, 0xb7246e3a424dd2e0,
	0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
	0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea,
	0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
}

// quarterTurnsExact is quarterTurns for any x of at least 2⁻⁸ (M. H. Payne and R. N. Hanek, "Radian reduction for trigonometric
// functions", 1983). With x = m·2ᵉ it multiplies m by those 192 bits of 2/π that follow the ones that give whole turns. No
// float64 is nearer to a multiple of π/2 than 2⁻⁶¹ quarter turns, so at least 2⁻⁷⁰ of the result is right.
func quarterTurnsExact(x float64) (r, low float64, k uint64) {
	b := math.Float64bits(x)
	e := int(b>>52&0x7ff) - 1075
	if e == 0x7ff-1075 {
		return math.NaN(), 0, 0
	}
	m := b&(1<<52-1) | 1<<52
	at := uint(e - 2 + 64) // bit e − 1 of 2/π counts two quarter turns
	words, over := twoOverPi[at/64:], at%64
	w0 := words[0]<<over | words[1]>>(64-over)
	w1 := words[1]<<over | words[2]>>(64-over)
	w2 := words[2]<<over | words[3]>>(64-over)
	carry2, _ := bits.Mul64(m, w2)
	carry1, p1 := bits.Mul64(m, w1)
	p1, carry := bits.Add64(p1, carry2, 0)
	p0, _ := bits.Add64(m*w0, carry1, carry)
	// p0 and p1 are quarter turns modulo 4, two bits before the point.
	k = p0 >> 62
	high, rest := p0<<2|p1>>62, p1<<2
	sign := b >> 63
	if high>>63 == 1 { // to the nearest
		k++
		var borrow uint64
		rest, borrow = bits.Sub64(0, rest, 0)
		high, _ = bits.Sub64(0, high, borrow)
		sign ^= 1
	}
	if b>>63 == 1 {
		k = -k
	}
	a := angle(high, rest, sign)
	return a.hi, a.lo, k
}

// angle returns (high·2⁻⁶⁴ + rest·2⁻¹²⁸)·π/2 in two parts, with a sign. high is not 0.
func angle(high, rest, sign uint64) double {
	const halfPiLow = 0x1.1a62633145c07p-54 // what float64 rounds off π/2
	zeros := bits.LeadingZeros64(high)
	high, rest = high<<zeros|rest>>(64-zeros), rest<<zeros
	scale := math.Float64frombits(uint64(1023-53-zeros)<<52 | sign<<63)
	upper, lower := float64(high>>11)*scale, float64(high<<53>>1|rest>>12)*0x1p-63*scale
	p := twoProduct(upper, math.Pi/2)
	return fastTwoSum(p.hi, p.lo+(float64(upper*halfPiLow)+float64(lower*(math.Pi/2))))
}
