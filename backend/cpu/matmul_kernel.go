package cpu

import "unsafe"

// The kernel computes a tile of 2×4 results. Scalar code has sixteen registers on amd64: eight hold the sums, six the operands. Terms
// come in pairs, which halves the loop's own work.
const (
	kernelRows = 2
	kernelCols = 4
)

// multiplyTile sets c to the sums over the packed terms, each in the order of the terms, from 0. Products may be fused with sums: the
// contract allows it, and on machines where the compiler does it doubles the speed.
func multiplyTile[A float](c *[kernelRows * kernelCols]A, a [][2 * kernelRows]A, b [][2 * kernelCols]A) {
	var c00, c01, c02, c03, c10, c11, c12, c13 A
	b = b[:len(a)]
	for k := range a {
		x, y := &a[k], &b[k]
		a0, a1 := x[0], x[1]
		b0, b1, b2, b3 := y[0], y[1], y[2], y[3]
		c00 += a0 * b0
		c01 += a0 * b1
		c02 += a0 * b2
		c03 += a0 * b3
		c10 += a1 * b0
		c11 += a1 * b1
		c12 += a1 * b2
		c13 += a1 * b3
		a0, a1 = x[2], x[3]
		b0, b1, b2, b3 = y[4], y[5], y[6], y[7]
		c00 += a0 * b0
		c01 += a0 * b1
		c02 += a0 * b2
		c03 += a0 * b3
		c10 += a1 * b0
		c11 += a1 * b1
		c12 += a1 * b2
		c13 += a1 * b3
	}
	*c = [...]A{c00, c01, c02, c03, c10, c11, c12, c13}
}

// packer packs a strip of lines (rows of the first operand, columns of the second) of which there are lines, stride apart: term k
// of line i goes to dst[k·width+i]. Lines that are missing to the width, and the term that is missing to a pair, are 0: they add 0 to sums
// that start from +0, which changes no bit.
type packer[T any, A float] func(dst []A, src []T, at, stride int, terms []int, lines, width int)

func packTerms[T float](dst, src []T, at, stride int, terms []int, lines, width int) {
	clear(dst[len(terms)*width:])
	if lines < width {
		clear(dst)
	}
	for i := range lines {
		from := at + i*stride
		k := i
		for _, o := range terms {
			dst[k] = src[from+o]
			k += width
		}
	}
}

func packHalf[T any](load func(T) float32) packer[T, float32] {
	return func(dst []float32, src []T, at, stride int, terms []int, lines, width int) {
		clear(dst[len(terms)*width:])
		if lines < width {
			clear(dst)
		}
		for i := range lines {
			from := at + i*stride
			k := i
			for _, o := range terms {
				dst[k] = load(src[from+o])
				k += width
			}
		}
	}
}

// grouped returns x as an array of arrays G of its elements; their lengths fit.
func grouped[G, A any](x []A) []G {
	var e A
	var g G
	n := len(x) * int(unsafe.Sizeof(e)) / int(unsafe.Sizeof(g))
	return unsafe.Slice((*G)(unsafe.Pointer(unsafe.SliceData(x))), n)
}
