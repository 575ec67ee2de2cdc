package backendtest

import (
	"github.com/weir-ml/weir/backend"
)

// layout is a way to lay out a shape on a buffer.
type layout struct {
	name       string
	strides    func(dims []int) []int
	guard      int  // elements of the buffer before and after those that the view spans
	sourceOnly bool // elements share memory
}

var contiguous = layout{name: "contiguous", strides: rowMajor}

// layouts has every kind of window that an operand may be.
var layouts = []layout{
	contiguous,
	{name: "offset", strides: rowMajor, guard: 3},
	{name: "transposed", strides: columnMajor, guard: 1},
	{name: "flipped", strides: func(dims []int) []int { return flip(rowMajor(dims), 1) }, guard: 2},
	{name: "sliced", strides: stepped, guard: 5},
	{name: "mixed", strides: func(dims []int) []int { return flip(reorder(dims, 2), 2) }, guard: 4},
	{name: "broadcast outside", strides: func(dims []int) []int { return repeat(rowMajor(dims), 0) }, guard: 8, sourceOnly: true},
	{name: "broadcast inside", strides: func(dims []int) []int { return repeat(rowMajor(dims), len(dims)-1) }, guard: 8, sourceOnly: true},
	{name: "scalar", strides: func(dims []int) []int { return make([]int, len(dims)) }, guard: 8, sourceOnly: true},
	{name: "windows", strides: func(dims []int) []int { return repeated(1, len(dims)) }, guard: 8, sourceOnly: true},
}

// destinations returns the layouts whose elements are all distinct.
func destinations() []layout {
	var ls []layout
	for _, l := range layouts {
		if !l.sourceOnly {
			ls = append(ls, l)
		}
	}
	return ls
}

func repeated(x, n int) []int {
	xs := make([]int, n)
	for i := range xs {
		xs[i] = x
	}
	return xs
}

func rowMajor(dims []int) []int {
	strides, stride := make([]int, len(dims)), 1
	for a := len(dims) - 1; a >= 0; a-- {
		strides[a] = stride
		stride *= max(dims[a], 1)
	}
	return strides
}

func columnMajor(dims []int) []int {
	strides, stride := make([]int, len(dims)), 1
	for a := range dims {
		strides[a] = stride
		stride *= max(dims[a], 1)
	}
	return strides
}

// reorder lays the even-numbered axes innermost, with gaps of step.
func reorder(dims []int, step int) []int {
	strides, stride := make([]int, len(dims)), step
	for _, parity := range []int{0, 1} {
		for a := len(dims) - 1; a >= 0; a-- {
			if a%2 == parity {
				strides[a] = stride
				stride *= max(dims[a], 1)
			}
		}
	}
	return strides
}

// stepped takes every second element of an array that is one longer on each axis.
func stepped(dims []int) []int {
	strides, stride := make([]int, len(dims)), 1
	for a := len(dims) - 1; a >= 0; a-- {
		strides[a] = 2 * stride
		stride *= 2*dims[a] + 1
	}
	return strides
}

// flip reverses every step-th axis.
func flip(strides []int, step int) []int {
	for a := 0; a < len(strides); a += step {
		strides[a] = -strides[a]
	}
	return strides
}

// repeat broadcasts along one axis, if there is one.
func repeat(strides []int, axis int) []int {
	if axis >= 0 && axis < len(strides) {
		strides[axis] = 0
	}
	return strides
}

// operand lays out a new view on a host buffer of its own. The whole buffer is filled with random bytes, then the elements with
// fill's values in row-major order, if it is given.
func (s *suite) operand(d backend.DType, dims []int, l layout, fill func(n int) scalar) backend.View {
	v := backend.View{DType: d, Rank: len(dims)}
	copy(v.Dims[:], dims)
	copy(v.Strides[:], l.strides(dims))
	lo, hi := v.Bounds()
	v.Offset = l.guard - lo
	size := (hi - lo + 2*l.guard) * d.Size()
	v.Buf = &backend.Buffer{Size: size, Host: s.randomBytes(size)}
	if fill != nil {
		for n, at := range elements(&v) {
			store(v.Buf.Host, d, at, fill(n))
		}
	}
	return v
}

// vector is a contiguous view of the given values.
func (s *suite) vector(d backend.DType, xs []scalar) backend.View {
	return s.operand(d, []int{len(xs)}, contiguous, func(n int) scalar { return xs[n] })
}
