package backendtest

import (
	"math"
	"sort"

	"github.com/weir-ml/weir/backend"
)

func predictSort(c *backend.Cmd) [][]expect {
	d := c.Src[0].DType
	xs := read(&c.Src[0])
	outer, n, inner := around(&c.Src[0], c.Axis)
	values, positions := make([]expect, len(xs)), make([]expect, len(xs))
	for i := range outer {
		for k := range inner {
			at := func(j int) int { return (i*n+j)*inner + k }
			order := make([]int, n)
			for j := range order {
				order[j] = j
			}
			sort.SliceStable(order, func(p, q int) bool {
				return before(d, xs[at(order[p])], xs[at(order[q])], c.Descending)
			})
			for j, from := range order {
				values[at(j)] = exact(xs[at(from)])
				positions[at(j)] = exact(scalar{i: int64(from)})
			}
		}
	}
	return [][]expect{values, positions}
}

// before reports whether x sorts strictly before y: NaN is last either way, and −0 equals +0.
func before(d backend.DType, x, y scalar, descending bool) bool {
	if d.IsFloat() && (math.IsNaN(x.f) || math.IsNaN(y.f)) {
		return !math.IsNaN(x.f) && math.IsNaN(y.f)
	}
	if descending {
		x, y = y, x
	}
	if d.IsFloat() {
		return x.f < y.f
	}
	return x.i < y.i
}
