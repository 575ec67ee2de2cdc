package bench

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

const (
	partLen   = 16      // along an axis
	partSize  = 256     // results of a part
	partTerms = 1 << 17 // terms that they are made of, at most, but for one result
)

// parts returns commands for some of the results of c: those at the beginning, in the middle, at the end, and at three more places. What they need
// of the sources is whole, so that each result is that of c.
func parts(c *backend.Cmd) []backend.Cmd {
	free := freeAxes(c)
	if c.Op == backend.Random {
		free = []int{0}
	}
	lengths, left := map[int]int{}, partResults(c, free)
	for _, a := range slices.Backward(free) {
		lengths[a] = min(c.Dst[0].Dims[a], partLen, max(1, left))
		left /= lengths[a]
	}
	places := []float64{0, 0.5, 1, 0.137, 0.618, 0.891}
	if len(free) == 0 {
		places = places[:1]
	}
	var found []backend.Cmd
	for _, place := range places {
		part := c.Clone()
		for _, a := range free {
			restrict(&part, a, int(place*float64(c.Dst[0].Dims[a]-lengths[a])), lengths[a])
		}
		found = append(found, part)
	}
	return found
}

// partResults returns how many results there is time to predict.
func partResults(c *backend.Cmd, free []int) int {
	if c.Op == backend.Random || len(c.Src) == 0 {
		return partSize
	}
	terms := c.Src[0].Len()
	if c.Op == backend.MatMul {
		terms *= c.Src[1].Dims[c.Src[1].Rank-1] / 8 // a multiplication takes less than what a list of terms does
	}
	for _, a := range free {
		terms /= max(1, c.Dst[0].Dims[a])
	}
	return min(max(1, partTerms/max(1, terms)), partSize)
}

// freeAxes returns the axes along which results do not depend on each other, and so may be left out.
func freeAxes(c *backend.Cmd) []int {
	var free []int
	for a := range c.Dst[0].Rank {
		switch c.Op {
		case backend.Reduce, backend.MatMul:
			if batch := c.Op == backend.Reduce || a < c.Dst[0].Rank-2; batch && c.Dst[0].Dims[a] != c.Src[0].Dims[a] {
				continue // summed
			}
		case backend.ScatterAdd, backend.Scan, backend.Sort:
			if a == c.Axis {
				continue
			}
		case backend.Random:
			continue
		}
		free = append(free, a)
	}
	return free
}

// restrict cuts the command to n results along an axis.
func restrict(c *backend.Cmd, axis, from, n int) {
	for k := range c.Dst {
		window(&c.Dst[k], axis, from, n)
	}
	switch rank := c.Dst[0].Rank; {
	case c.Op == backend.Random:
		c.Base += int64(from)
	case c.Op == backend.MatMul && axis == rank-2:
		window(&c.Src[0], axis, from, n)
	case c.Op == backend.MatMul && axis == rank-1:
		window(&c.Src[1], axis, from, n)
	case c.Op == backend.Gather && axis == c.Axis:
		window(&c.Src[1], axis, from, n)
	default:
		for k := range c.Src {
			window(&c.Src[k], axis, from, n)
		}
	}
}

// window keeps n indices of an axis.
func window(v *backend.View, axis, from, n int) {
	v.Offset += from * v.Strides[axis]
	v.Dims[axis] = n
}
