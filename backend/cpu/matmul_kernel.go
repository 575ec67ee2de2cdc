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

// multiplyThin adds to a row of results the products of two terms: c[j] += a0·b0[j], then a1·b1[j]. For the few terms of a thin product
// it does less than a tile.
func multiplyThin[A float](c []A, a0, a1 A, b0, b1 []A) {
	b0, b1 = b0[:len(c)], b1[:len(c)]
	for j := range c {
		s := c[j] + a0*b0[j]
		c[j] = s + a1*b1[j]
	}
}

// strip is a number of neighbouring lines, rows of the first operand or columns of the second, that are packed together: term k of line i
// goes to place k·width+i. Lines that are missing to the width, and the term that is missing to a pair, are 0: they add 0 to sums that
// start from +0, which changes no bit.
type strip struct {
	at, stride   int   // of the lines
	terms        []int // where the terms of a line are
	run          bool  // whether they follow each other
	lines, width int
}

type packer[T any, A float] func(dst []A, src []T, s strip)

func packSame[T float](dst, src []T, s strip) {
	switch {
	case s.lines < s.width:
		packEach(dst, src, s, same[T])
	case s.stride == 1:
		packAcross(dst, src, s)
	case s.run && s.width == kernelRows:
		packRows(dst, src, s)
	case s.run && s.width == kernelCols:
		packCols(dst, src, s)
	default:
		packLines(dst, src, s)
	}
}

func packHalf[T any](load func(T) float32) packer[T, float32] {
	return func(dst []float32, src []T, s strip) { packEach(dst, src, s, load) }
}

func packEach[T any, A float](dst []A, src []T, s strip, load func(T) A) {
	clear(dst)
	for i := range s.lines {
		from := s.at + i*s.stride
		k := i
		for _, o := range s.terms {
			dst[k] = load(src[from+o])
			k += s.width
		}
	}
}

func packLines[T float](dst, src []T, s strip) {
	clear(dst[len(s.terms)*s.width:])
	for i := range s.lines {
		from := s.at + i*s.stride
		k := i
		for _, o := range s.terms {
			dst[k] = src[from+o]
			k += s.width
		}
	}
}

// packAcross packs lines that lie side by side.
func packAcross[T float](dst, src []T, s strip) {
	clear(dst[len(s.terms)*s.width:])
	if s.width == kernelRows {
		to := grouped[[kernelRows]T](dst)
		for k, o := range s.terms {
			to[k] = [kernelRows]T(src[s.at+o:])
		}
		return
	}
	to := grouped[[kernelCols]T](dst)
	for k, o := range s.terms {
		to[k] = [kernelCols]T(src[s.at+o:])
	}
}

// packRows packs two lines along which the terms follow each other.
func packRows[T float](dst, src []T, s strip) {
	n := len(s.terms)
	clear(dst[n*kernelRows:])
	x0, x1 := src[s.at:][:n], src[s.at+s.stride:][:n]
	to := grouped[[kernelRows]T](dst)[:n]
	for k := range to {
		to[k] = [kernelRows]T{x0[k], x1[k]}
	}
}

// packCols packs four lines along which the terms follow each other.
func packCols[T float](dst, src []T, s strip) {
	n := len(s.terms)
	clear(dst[n*kernelCols:])
	x0, x1 := src[s.at:][:n], src[s.at+s.stride:][:n]
	x2, x3 := src[s.at+2*s.stride:][:n], src[s.at+3*s.stride:][:n]
	to := grouped[[kernelCols]T](dst)[:n]
	for k := range to {
		to[k] = [kernelCols]T{x0[k], x1[k], x2[k], x3[k]}
	}
}

// storeSame writes results to places a stride apart, or adds them.
func storeSame[T float](dst []T, at, stride int, row []T, add bool) {
	switch {
	case stride == 1 && !add:
		copy(dst[at:at+len(row)], row)
	case add:
		for _, x := range row {
			dst[at] += x
			at += stride
		}
	default:
		for _, x := range row {
			dst[at] = x
			at += stride
		}
	}
}

// storeHalf returns the function that rounds results to places a stride apart, after adding what is there if asked.
func storeHalf[T any](load func(T) float32, round func(float32) T) func(dst []T, at, stride int, row []float32, add bool) {
	return func(dst []T, at, stride int, row []float32, add bool) {
		for _, x := range row {
			if add {
				x += load(dst[at])
			}
			dst[at] = round(x)
			at += stride
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
