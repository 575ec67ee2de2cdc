package cpu

import "unsafe"

// Turn is the inner loop of transposing copies of elements of one size.
type Turn struct {
	Side int
	// Copy sets dst[i·dstRow + j] = src[j·srcRow + i] for i < rows and j < cols, multiples of Side.
	Copy func(dst unsafe.Pointer, dstRow int, src unsafe.Pointer, srcRow, rows, cols int)
}

// turns returns the loops by the bytes of an element.
func (k *Kernels) turns() (turns [9]*Turn) {
	if k.Turn == nil {
		return turns
	}
	for size := range turns {
		turns[size] = k.Turn(size)
	}
	return turns
}

// rect is where an operand has the elements of a rectangle, two axes of a nest: the first, and the strides.
type rect struct{ at, row, col int }

// copyRect copies a rectangle. turn may be nil.
func copyRect[T any](dst, src []T, d, s rect, rows, cols int, turn *Turn) {
	switch {
	case d.col == 1 && s.col == 0 && cols == 2:
		for range rows {
			x := src[s.at]
			to := dst[d.at : d.at+2]
			to[0], to[1] = x, x
			d.at, s.at = d.at+d.row, s.at+s.row
		}
	case d.col == 1 && s.col == 0:
		for range rows {
			fill(dst[d.at:d.at+cols], src[s.at])
			d.at, s.at = d.at+d.row, s.at+s.row
		}
	case d.col == 1 && s.row == 1 && turn != nil && rows >= turn.Side && cols >= turn.Side:
		copyTurned(dst, src, d, s, rows, cols, turn)
	case d.col == 1 && s.col == 1 && d.row == cols && s.row == 0:
		all := dst[d.at : d.at+rows*cols]
		copy(all, src[s.at:s.at+cols])
		for done := cols; done < len(all); done *= 2 {
			copy(all[done:], all[:done])
		}
	case d.col == 1 && s.col == 1 && cols == 2:
		for range rows {
			to, from := dst[d.at:d.at+2], src[s.at:s.at+2]
			to[0], to[1] = from[0], from[1]
			d.at, s.at = d.at+d.row, s.at+s.row
		}
	case d.col == 1 && s.col == 1 && cols > 4:
		for range rows {
			copy(dst[d.at:d.at+cols], src[s.at:s.at+cols])
			d.at, s.at = d.at+d.row, s.at+s.row
		}
	default:
		for range rows {
			to, from := d.at, s.at
			for range cols {
				dst[to] = src[from]
				to, from = to+d.col, from+s.col
			}
			d.at, s.at = d.at+d.row, s.at+s.row
		}
	}
}

// copyTurned transposes: whole squares by the loop, the rest one by one.
func copyTurned[T any](dst, src []T, d, s rect, rows, cols int, turn *Turn) {
	wholeRows, wholeCols := rows-rows%turn.Side, cols-cols%turn.Side
	turn.Copy(pointer(dst, d.at), d.row, pointer(src, s.at), s.col, wholeRows, wholeCols)
	right, below := d, s
	right.at, below.at = d.at+wholeCols, s.at+wholeCols*s.col
	copyRect(dst, src, right, below, wholeRows, cols-wholeCols, nil)
	d.at, s.at = d.at+wholeRows*d.row, s.at+wholeRows
	copyRect(dst, src, d, s, rows-wholeRows, cols, nil)
}

// fill sets all elements to x, those of 4 bytes two at a time.
func fill[T any](dst []T, x T) {
	if unsafe.Sizeof(x) == 4 && len(dst) >= 8 {
		bits := uint64(*(*uint32)(unsafe.Pointer(&x)))
		bits |= bits << 32
		pairs := unsafe.Slice((*[4]uint64)(unsafe.Pointer(unsafe.SliceData(dst))), len(dst)/8)
		for i := range pairs {
			p := &pairs[i]
			p[0], p[1], p[2], p[3] = bits, bits, bits, bits
		}
		dst = dst[len(dst)&^7:]
	}
	for i := range dst {
		dst[i] = x
	}
}
