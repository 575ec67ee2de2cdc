package cpu

import "math"

// The error function of float64 is that of FreeBSD's msun (s_erf.c, from fdlibm), which came with this notice:
//
//	Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
//
//	Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this software is
//	freely granted, provided that this notice is preserved.
//
// Four rational functions approximate erf and erfc; t stands for |x|:
//
//	t < 0.84375         erf(x) = x + x·P/Q(t²)                  within 2⁻⁵⁷·⁹
//	t < 1.25            erf(t) = erfOne + P/Q(t − 1)            within 2⁻⁵⁹
//	t < 1/0.35          t·erfc(t) = exp(−t² − 0.5625 + P/Q(1/t²))   the exponent within 2⁻⁶²·⁵
//	else                likewise                                within 2⁻⁶¹·⁵
//
// Where msun multiplies two exponentials there is one, of a sum of two parts.

const (
	erfOne  = 8.45062911510467529297e-01 // erf(1) to 24 bits
	erfcEnd = 28                         // from here erfc is 0
)

var (
	erfSmallP = [...]float64{1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
		-5.77027029648944159157e-03, -2.37630166566501626084e-05}
	erfSmallQ = [...]float64{1, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
		1.32494738004321644526e-04, -3.96022827877536812320e-06}
	erfOneP = [...]float64{-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
		3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02, -2.16637559486879084300e-03}
	erfOneQ = [...]float64{1, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
		1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02}
	erfcNearP = [...]float64{-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
		-6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02, -8.12874355063065934246e+01,
		-9.81432934416914548592e+00}
	erfcNearQ = [...]float64{1, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02,
		6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02, 6.57024977031928170135e+00,
		-6.04244152148580987438e-02}
	erfcFarP = [...]float64{-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
		-1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03, -4.83519191608651397019e+02}
	erfcFarQ = [...]float64{1, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03,
		3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02, -2.24409524465858183362e+01}
)

// polynomial returns Σ c[i]·xⁱ, by Horner's scheme.
func polynomial(x float64, c []float64) float64 {
	y := 0.
	for i := len(c) - 1; i >= 0; i-- {
		y = float64(y*x) + c[i]
	}
	return y
}

// erf returns the error function of x within 1 ulp. erf(±0) = ±0, erf(±Inf) = ±1, erf(NaN) = NaN.
func erf(x float64) float64 {
	t := math.Abs(x)
	switch {
	case t < 0x1p-1000: // scaled, so that the digits of a subnormal result are rounded once
		return 0x1p-60 * (float64(x*0x1p60) + float64(x*0x1p60*erfSmallP[0]))
	case t < 0.84375:
		return x + float64(x*erfRatio(x*x))
	case t < 1.25:
		return math.Copysign(erfOne+erfNearOne(t-1), x)
	case t < 6:
		return math.Copysign(1-erfcTail(t), x)
	case t >= 6:
		return math.Copysign(1, x)
	}
	return x
}

// erfc returns 1 − erf(x) within 2 ulp, also where it is small. erfc(+Inf) = 0, erfc(−Inf) = 2, erfc(NaN) = NaN.
func erfc(x float64) float64 {
	t := math.Abs(x)
	switch {
	case x < 0.25 && t < 0.84375:
		return 1 - (x + float64(x*erfRatio(x*x)))
	case t < 0.84375:
		return 0.5 + ((0.5 - x) - float64(x*erfRatio(x*x)))
	case t < 1.25 && x > 0:
		return (1 - erfOne) - erfNearOne(t-1)
	case t < 1.25:
		return 1 + (erfOne + erfNearOne(t-1))
	case x >= erfcEnd:
		return 0
	case x > 0:
		return erfcTail(t)
	case t < 6:
		return 2 - erfcTail(t)
	case t >= 6:
		return 2
	}
	return x
}

// erfRatio returns erf(x)/x − 1 for |x| < 0.84375, given x².
func erfRatio(square float64) float64 {
	return polynomial(square, erfSmallP[:]) / polynomial(square, erfSmallQ[:])
}

// erfNearOne returns erf(1+s) − erfOne for 1+s in [0.84375, 1.25].
func erfNearOne(s float64) float64 { return polynomial(s, erfOneP[:]) / polynomial(s, erfOneQ[:]) }

// erfcTail returns erfc(t) for t in [1.25, 28].
func erfcTail(t float64) float64 {
	upper := upperWord(t)
	e := erfcLog(float64(upper*upper), float64((t-upper)*(t+upper)))
	return expSum(e.hi, e.lo) / t
}

// erfcLog returns ln(t·erfc(t)) for t² = high + low in [1.25², 28²], where high is a square of a number with 21 bits, or half of one.
func erfcLog(high, low float64) double {
	s := 1 / (high + low)
	var ratio float64
	if s > 0.35*0.35 {
		ratio = polynomial(s, erfcNearP[:]) / polynomial(s, erfcNearQ[:])
	} else {
		ratio = polynomial(s, erfcFarP[:]) / polynomial(s, erfcFarQ[:])
	}
	return fastTwoSum(-high-0.5625, ratio-low)
}
