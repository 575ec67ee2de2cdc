package cpu

import "math"

// double is the unevaluated sum hi + lo, |lo| ≤ ulp(hi)/2: a number of some 106 bits. The tables of the float64 functions are made
// with it when the program starts, so that what they hold is said by a formula and is the same on every machine.
type double struct{ hi, lo float64 }

// twoSum returns x + y exactly (Knuth).
func twoSum(x, y float64) double {
	sum := x + y
	back := sum - x
	return double{sum, (x - (sum - back)) + (y - back)}
}

// fastTwoSum returns x + y exactly, for |x| ≥ |y| (Dekker).
func fastTwoSum(x, y float64) double {
	sum := x + y
	return double{sum, (x - sum) + y}
}

// twoProduct returns x·y exactly.
func twoProduct(x, y float64) double {
	p := float64(x * y)
	return double{p, math.FMA(x, y, -p)}
}

// quotient returns x/y with a relative error of some 2⁻¹⁰⁵.
func quotient(x, y float64) double {
	q := x / y
	return double{q, math.FMA(-q, y, x) / y}
}

// plus returns x + y with a relative error of some 2⁻¹⁰⁴, where their signs agree.
func (x double) plus(y double) double {
	s := twoSum(x.hi, y.hi)
	return fastTwoSum(s.hi, s.lo+(x.lo+y.lo))
}

// times returns x·y with a relative error of some 2⁻¹⁰².
func (x double) times(y double) double {
	p := twoProduct(x.hi, y.hi)
	return fastTwoSum(p.hi, p.lo+(float64(x.hi*y.lo)+float64(x.lo*y.hi)))
}

// upperHalf returns x to 26 bits, toward 0.
func upperHalf(x float64) float64 {
	return math.Float64frombits(math.Float64bits(x) &^ (1<<27 - 1))
}

// upperWord returns x to 21 bits, toward 0.
func upperWord(x float64) float64 {
	return math.Float64frombits(math.Float64bits(x) &^ (1<<32 - 1))
}
