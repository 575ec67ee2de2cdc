package cpu

import "math"

// double is an unevaluated sum of two float64, some 106 bits: |lo| is at most half a unit in the last place of hi.
type double struct{ hi, lo float64 }

// sum returns x + y exactly. Knuth, "The art of computer programming", volume 2, 4.2.2.
func sum(x, y float64) double {
	s := x + y
	t := s - x
	return double{s, (x - (s - t)) + (y - t)}
}

// times returns x·y exactly.
func times(x, y float64) double {
	p := x * y
	return double{p, math.FMA(x, y, -p)}
}

func (x double) add(y double) double {
	s := sum(x.hi, y.hi)
	return sum(s.hi, s.lo+(x.lo+y.lo))
}

func (x double) mul(y double) double {
	p := times(x.hi, y.hi)
	return sum(p.hi, p.lo+(float64(x.hi*y.lo)+float64(x.lo*y.hi)))
}

func (x double) div(y double) double {
	q := x.hi / y.hi
	p := y.mul(double{q, 0})
	rest := x.add(double{-p.hi, -p.lo})
	return sum(q, rest.hi/y.hi)
}
