package plot

import (
	"math"
	"slices"
)

// span is an interval of an axis.
type span struct{ lo, hi float64 }

func (s span) width() float64 { return s.hi - s.lo }

func (s span) has(x float64) bool { return x >= s.lo && x <= s.hi }

// about returns the span of that width with the same middle.
func (s span) about(width float64) span {
	middle := s.lo + s.width()/2
	return span{middle - width/2, middle + width/2}
}

// union returns the least span that holds both.
func (s span) union(t span) span { return span{min(s.lo, t.lo), max(s.hi, t.hi)} }

// robustSpan returns a span that shows values without being stretched by a few extreme ones: an end is the extreme value if that lies
// near the quantile tail or 1 − tail, else the quantile. Values that are not finite do not count; it returns false if none is.
func robustSpan(values []float64, tail float64) (span, bool) {
	sorted := finite(values)
	if len(sorted) == 0 {
		return span{}, false
	}
	slices.Sort(sorted)
	last := len(sorted) - 1
	cut := int(tail * float64(last))
	inner := span{sorted[cut], sorted[last-cut]}
	reach := inner.width() / 2
	s := inner
	if sorted[0] >= inner.lo-reach {
		s.lo = sorted[0]
	}
	if sorted[last] <= inner.hi+reach {
		s.hi = sorted[last]
	}
	return s.about(max(s.width()*1.08, math.Abs(s.lo)*1e-6, 1e-12)), true
}

func finite(values []float64) []float64 {
	kept := make([]float64, 0, len(values))
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept = append(kept, v)
		}
	}
	return kept
}
