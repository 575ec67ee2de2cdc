package cpu

import "math"

// pow returns xʸ within 0.52 ulp, 1 ulp where the result is subnormal: e^(y·ln|x|) with both the logarithm and its product to some
// 67 bits. The commonest powers, squares, square roots and reciprocals, are rounded once. The special cases are those of math.Pow.
func pow(x, y float64) float64 {
	switch {
	case y == 2:
		return x * x
	case y == 0.5 && x > 0:
		return math.Sqrt(x)
	case y == -1:
		return 1 / x
	}
	b, shift, sign := math.Float64bits(x), 0., 1.
	if b-leastNormal >= infinity-leastNormal || !(math.Abs(y) <= math.MaxFloat64) {
		switch {
		case x == 0 || !(math.Abs(x) <= math.MaxFloat64) || !(math.Abs(y) <= math.MaxFloat64):
			return math.Pow(x, y)
		case x < 0 && y != math.Trunc(y):
			return math.NaN()
		case x < 0 && isOdd(y):
			sign = -1
		}
		if b &^= 1 << 63; b < leastNormal {
			b, shift = math.Float64bits(math.Float64frombits(b)*0x1p52), -52
		}
	}
	l := logParts64(b, shift)
	// The upper halves have 26 bits, so their product is exact.
	yHigh, lHigh := upperHalf(y), upperHalf(l.hi)
	lLow := (l.hi - lHigh) + l.lo
	return sign * expSum(yHigh*lHigh, float64((y-yHigh)*lHigh)+float64(y*lLow))
}

// isOdd reports whether the integer y is odd.
func isOdd(y float64) bool { return math.Abs(y) < 0x1p53 && int64(y)%2 != 0 }
