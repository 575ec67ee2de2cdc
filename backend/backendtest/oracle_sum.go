package backendtest

import (
	"math"
	"math/bits"

	"github.com/weir-ml/weir/backend"
)

// sum adds floats in twice float64's precision, with what a bound for it needs. The zero value is the empty sum.
type sum struct {
	hi, lo     float64
	abs        float64 // Σ|term|
	special    float64 // Σ of infinities and NaNs
	hasSpecial bool
	terms      int
	gridExp    int  // every term is a multiple of 2^gridExp …
	offGrid    bool // … unless one was not exact
}

func (s *sum) add(x float64) {
	s.terms++
	if math.IsInf(x, 0) || math.IsNaN(x) {
		s.special, s.hasSpecial = s.special+x, true
		return
	}
	if x == 0 {
		return
	}
	low := lowestBit(x)
	if s.abs == 0 {
		s.gridExp = low
	}
	s.gridExp = min(s.gridExp, low)
	s.abs += math.Abs(x)
	s.accumulate(x)
}

// accumulate is Knuth's two-sum.
func (s *sum) accumulate(x float64) {
	t := s.hi + x
	part := t - s.hi
	s.lo += (s.hi - (t - part)) + (x - part)
	s.hi = t
}

// addProduct adds x·y, exact by way of a fused multiply-add. A product of numbers beyond float64 is infinite where it is rounded before it is
// added, and not where it is not: then nothing is known of the sum.
func (s *sum) addProduct(x, y float64) {
	p := float64(x * y)
	if math.IsInf(p, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		s.terms, s.abs = s.terms+1, math.Inf(1)
		return
	}
	s.add(p)
	if math.IsInf(p, 0) || math.IsNaN(p) {
		return
	}
	if missing := math.FMA(x, y, -p); missing != 0 || p == 0 && x != 0 && y != 0 {
		s.lo += missing
		s.offGrid = true
	}
}

// lowestBit returns the exponent of the lowest bit set in a finite x ≠ 0.
func lowestBit(x float64) int {
	const width = 52
	pattern := math.Float64bits(x)
	fraction, exponent := pattern&(1<<width-1), int(pattern>>width&0x7ff)
	if exponent == 0 {
		exponent = 1
	} else {
		fraction |= 1 << width
	}
	return exponent - 1023 - width + bits.TrailingZeros64(fraction)
}

// expect bounds the sum as a value of d that was reached by at most path additions in sequence. If all partial sums, in
// whatever order, are numbers of the type they are carried in, it has no room.
func (s *sum) expect(d backend.DType, path int) expect {
	carrier := formats[d]
	if narrow(d) {
		carrier = formats[backend.Float32]
	}
	value := s.hi + s.lo
	rest := (s.hi - value) + s.lo
	smallest := carrier.minExp - carrier.precision + 1
	exactly := !s.offGrid && (s.abs == 0 || s.gridExp >= smallest && s.abs <= math.Ldexp(1, s.gridExp+carrier.precision))
	switch {
	case s.abs >= math.Ldexp(1, carrier.maxExp): // partial sums may overflow
		return expect{free: true}
	case s.hasSpecial:
		return expect{scalar: scalar{f: s.special}}
	case exactly:
		return expect{scalar: scalar{f: round(d, value)}, anyZero: true}
	}
	underflow := float64(s.terms) * math.Ldexp(1, smallest)
	return expect{scalar: scalar{f: value}, rest: rest, slack: sumSlack(d, path, value, s.abs) + underflow, anyZero: true}
}

// sumPath returns how many additions one term of a sum goes through at the most: the axes of the given lengths are summed, the outermost
// first, and inner says for each what [backend.Leaf] asks.
func sumPath(grain int, lengths, inner []int) int {
	if len(lengths) == 0 || lengths[0] == 0 {
		return 0
	}
	leaf := backend.Leaf(grain, inner[0])
	leaves := (lengths[0] + leaf - 1) / leaf
	depth := bits.Len(uint(leaves - 1))
	if leaf == 1 {
		return depth + sumPath(grain, lengths[1:], inner[1:])
	}
	terms := min(leaf, lengths[0])
	for _, n := range lengths[1:] {
		terms *= n
	}
	return depth + max(terms-1, 0)
}

// inOrder bounds the sum of the terms, added one by one. The order leaves no freedom to integers and float64; float32 may be
// carried in something wider.
func inOrder(d backend.DType, terms []scalar) expect {
	if !d.IsFloat() {
		var total int64
		for _, t := range terms {
			total = wrap(d, total+t.i)
		}
		return exact(scalar{i: total})
	}
	if len(terms) == 1 {
		return exact(terms[0])
	}
	total := terms[0].f
	var s sum
	s.add(total)
	for _, t := range terms[1:] {
		total += t.f
		s.add(t.f)
	}
	if d == backend.Float64 {
		return expect{scalar: scalar{f: total}, anyZero: true}
	}
	return s.expect(d, len(terms)-1)
}
