package cpu

import "unsafe"

// lines is an operand as a tile reads it: term k of line i is at i·line + k·term.
type lines[A float] struct {
	at         []A
	line, term int
}

// left returns the rows of the first operand: where they lie, if a tile can read them there and does well to.
func (t *tiledBlock[T, A]) left(a, terms int) lines[A] {
	p, w, rows := t.p, t.w, t.u.rows
	if plain, same := any(t.a).([]A); same && t.evenA && !t.scattered() {
		return lines[A]{plain[a:], p.rowA, t.termA}
	}
	to := lines[A]{line: terms + cacheStride, term: 1}
	size := rows * to.line
	if p.rowA == 1 {
		to.line, to.term = 1, rows+cacheStride
		size = terms * to.term
	}
	to.at = aligned[A](&w.packA, size)
	copyLines(to, t.a, t.stripA(a, terms), t.load, t.p.turn)
	return to
}

// scattered reports whether the first operand is read several times from places that compete for the cache.
func (t *tiledBlock[T, A]) scattered() bool {
	if t.u.cols <= t.tile.Cols {
		return false
	}
	var x A
	size := int(unsafe.Sizeof(x))
	return t.p.rowA*size%page == 0 || t.termA*size%page == 0
}

// right returns the columns of the second operand and how far apart the strips of a tile's columns are: where they lie, or else copied,
// strip by strip. Blocks of rows that follow each other share the copy.
func (t *tiledBlock[T, A]) right(b, terms int) (x lines[A], panel int) {
	p, u, width := t.p, t.u, t.tile.Cols
	if plain, same := any(t.b).([]A); same && t.evenB && (p.colB == 1 || u.cols == 1) && t.near() {
		return lines[A]{plain[b:], 1, t.termB}, width
	}
	panel = terms * width
	strips := (u.cols + width - 1) / width
	at, done := t.kept(b, terms, strips*width*p.grain.maxTerms())
	for s := 0; s < strips && !done; s++ {
		to := lines[A]{at[s*panel:], 1, width}
		copyLines(to, t.b, t.stripB(b, terms, s*width, min(width, u.cols-s*width)), t.load, t.p.turn)
	}
	return lines[A]{at, 1, width}, panel
}

// stripA returns the rows of a leaf of the first operand, from a on.
func (t *tiledBlock[T, A]) stripA(a, terms int) strip {
	g, w := &t.p.grain, t.w
	if !t.placedA {
		most := min(g.leaf, g.cut.dim)
		w.termA = g.offsets(grow(w.termA, g.terms(most)), 0, most)
		t.placedA = true
	}
	return strip{at: a, stride: t.p.rowA, terms: w.termA[:terms], run: t.p.runA, lines: t.u.rows}
}

// stripB returns some columns of a leaf of the second operand, from b on.
func (t *tiledBlock[T, A]) stripB(b, terms, col, cols int) strip {
	g, w := &t.p.grain, t.w
	if !t.placedB {
		most := min(g.leaf, g.cut.dim)
		w.termB = g.offsets(grow(w.termB, g.terms(most)), 1, most)
		t.placedB = true
	}
	return strip{at: b + col*t.p.colB, stride: t.p.colB, terms: w.termB[:terms], run: t.p.runB, lines: cols}
}

// kept returns memory for the copy of the next leaf of the second operand, of which the largest has that many elements, and whether the copy is
// there already.
func (t *tiledBlock[T, A]) kept(b, terms, size int) (at []A, done bool) {
	key := packedKey{b, t.u.col, terms}
	if t.p.held[1] != nil {
		if at, done = t.hold(key, t.p.colBlock*t.p.grain.maxTerms()); at != nil {
			return at, done
		}
	}
	w, slot := t.w, t.slot(size)
	at = aligned[A](&w.packB, t.slots(size)*size)[slot*size:]
	if slot < len(w.packed) && w.packed[slot] == key {
		return at, true
	}
	w.packed = append(w.packed[:min(slot, len(w.packed))], key)
	return at, false
}

// slots returns how many leaves of the second operand a worker keeps copied: all, within reason, if several blocks of rows need them.
func (t *tiledBlock[T, A]) slots(size int) int {
	if t.p.rowBlocks == 1 {
		return 1
	}
	return min(t.p.run, max(1, keptElements/size))
}

// slot returns the place for the copy of the next leaf. Blocks come upon leaves in the same order.
func (t *tiledBlock[T, A]) slot(size int) int {
	t.seen++
	return min(t.seen, t.slots(size)) - 1
}

// near reports whether reading the second operand where it lies is cheaper than a copy.
func (t *tiledBlock[T, A]) near() bool {
	var x A
	stride := max(t.termB, -t.termB) * int(unsafe.Sizeof(x))
	return stride <= nearby || stride <= lessNear && t.p.m <= someRows || t.u.rows <= fewRows*t.tile.Rows
}

// copyLines copies the lines of a strip.
func copyLines[T any, A float](to lines[A], src []T, s strip, load func(T) A, turn *Turn) {
	plain, same := any(src).([]A)
	switch {
	case same && s.stride == 1 && to.line == 1:
		for k, o := range s.terms {
			copy(to.at[k*to.term:][:s.lines], plain[s.at+o:])
		}
	case same && s.run && to.term == 1:
		for i := range s.lines {
			copy(to.at[i*to.line:][:len(s.terms)], plain[s.at+i*s.stride:])
		}
	case same && s.run && to.line == 1:
		copyRect(to.at, plain, rect{0, to.term, 1}, rect{s.at, 1, s.stride}, len(s.terms), s.lines, turn)
	case same:
		copyEach(to, plain, s)
	default:
		for i := range s.lines {
			at, from := i*to.line, s.at+i*s.stride
			for _, o := range s.terms {
				to.at[at] = load(src[from+o])
				at += to.term
			}
		}
	}
}

func copyEach[A float](to lines[A], src []A, s strip) {
	for i := range s.lines {
		at, from := i*to.line, s.at+i*s.stride
		for _, o := range s.terms {
			to.at[at] = src[from+o]
			at += to.term
		}
	}
}

// aligned returns n elements that begin a cache line, in memory that grows as needed and is kept between calls.
func aligned[A float](memory *[]uint64, n int) []A {
	var x A
	size := int(unsafe.Sizeof(x))
	all := words[A](memory, n+alignment/size)
	// The Go heap does not move, so the slice stays aligned.
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(all)))%alignment) / size
	return all[skip : skip+n]
}
