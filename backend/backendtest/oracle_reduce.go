package backendtest

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
)

// predictReduce lists the terms of each result in row-major order, then folds each list.
func predictReduce(c *backend.Cmd) []expect {
	dst, src := &c.Dst[0], &c.Src[0]
	terms := make([][]scalar, dst.Len())
	for n, x := range read(src) {
		to := reducedIndex(dst, src, n)
		terms[to] = append(terms[to], x)
	}
	path := 0
	if c.ReduceOp == backend.ReduceSum {
		path = reducePath(dst, src)
	}
	es := make([]expect, len(terms))
	for n, ts := range terms {
		es[n] = fold(c.ReduceOp, src.DType, ts, path)
	}
	return es
}

// reducedIndex returns the number in dst of the result that element n of src goes to.
func reducedIndex(dst, src *backend.View, n int) int {
	to, stride := 0, 1
	for a := src.Rank - 1; a >= 0; a-- {
		if dst.Dims[a] > 1 {
			to += n % src.Dims[a] * stride
		}
		stride *= dst.Dims[a]
		n /= src.Dims[a]
	}
	return to
}

func reducePath(dst, src *backend.View) int {
	var lengths, inner []int
	for a := range src.Rank {
		if src.Dims[a] == dst.Dims[a] {
			continue
		}
		_, _, within := around(src, a)
		lengths, inner = append(lengths, src.Dims[a]), append(inner, within)
	}
	return sumPath(backend.ReduceGrain, lengths, inner)
}

func fold(op backend.ReduceOp, d backend.DType, terms []scalar, path int) expect {
	switch op {
	case backend.ReduceSum:
		return foldSum(d, terms, path)
	case backend.ReduceProd:
		return foldProd(d, terms)
	case backend.ReduceMax, backend.ReduceMin:
		return exact(extreme(op == backend.ReduceMax, d, terms))
	case backend.ReduceArgMax, backend.ReduceArgMin:
		return exact(scalar{i: int64(extremePosition(op == backend.ReduceArgMax, d, terms))})
	}
	panic(fmt.Sprintf("backendtest: no meaning for %v", op))
}

func foldSum(d backend.DType, terms []scalar, path int) expect {
	if !d.IsFloat() {
		return inOrder(d, terms)
	}
	var s sum
	for _, t := range terms {
		s.add(t.f)
	}
	return s.expect(d, path)
}

// foldProd multiplies in twice float64's precision. A product whose factors wander so far from 1 that a partial one, in some order,
// could over- or underflow is free; one of integers that fit is exact.
func foldProd(d backend.DType, terms []scalar) expect {
	if !d.IsFloat() {
		p := int64(1)
		for _, t := range terms {
			p = wrap(d, p*t.i)
		}
		return exact(scalar{i: p})
	}
	hi, lo, wander, whole := 1.0, 0.0, 0.0, true
	for _, t := range terms {
		if !special(t.f) {
			wander += math.Abs(math.Log2(math.Abs(t.f)))
		}
		whole = whole && t.f == math.Trunc(t.f)
		p := float64(hi * t.f)
		lo = float64(lo*t.f) + math.FMA(hi, t.f, -p)
		hi = p
	}
	f := formats[d]
	switch {
	case wander >= float64(min(f.maxExp, -f.minExp)):
		return expect{free: true}
	case special(hi):
		return exact(scalar{f: hi})
	case whole && wander <= float64(f.precision):
		return exact(scalar{f: hi})
	}
	return expect{scalar: scalar{f: hi + lo}, rest: (hi - (hi + lo)) + lo, slack: prodSlack(d, len(terms), hi)}
}

// extreme returns the greatest or the least; NaN if there is one.
func extreme(greatest bool, d backend.DType, terms []scalar) scalar {
	lo, hi := limits(d)
	start := scalar{f: math.Inf(1), i: hi}
	if greatest {
		start = scalar{f: math.Inf(-1), i: lo}
	}
	for _, t := range terms {
		if greatest {
			start = scalar{f: -least(-start.f, -t.f), i: max(start.i, t.i)}
		} else {
			start = scalar{f: least(start.f, t.f), i: min(start.i, t.i)}
		}
	}
	return start
}

// extremePosition returns where the first NaN is, else the first of the greatest or least; −0 ties with +0.
func extremePosition(greatest bool, d backend.DType, terms []scalar) int {
	best := 0
	for n, t := range terms {
		if d.IsFloat() && math.IsNaN(t.f) {
			return n
		}
		if before(d, t, terms[best], greatest) {
			best = n
		}
	}
	return best
}
