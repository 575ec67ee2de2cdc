package cpu

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// ownArgFolders are the folders of a device that differ from argFolders.
type ownArgFolders [2][backend.Float64 + 1]folder

// ownArgFolders returns the reductions to positions that have loops of their own.
func (k *Kernels) ownArgFolders() (own ownArgFolders) {
	if k.Arg == nil {
		return own
	}
	for i := range own {
		op := backend.ReduceArgMax + backend.ReduceOp(i)
		if a := k.Arg(op, backend.Float32); a != nil {
			own[i][backend.Float32] = argByLoops[float32](op, a)
		}
		if a := k.Arg(op, backend.Float64); a != nil {
			own[i][backend.Float64] = argByLoops[float64](op, a)
		}
	}
	return own
}

const (
	// argColumnTerms is how many terms of columns a call takes, so that those of all columns stay in the cache.
	argColumnTerms = 256
	// argRowTerms is how many terms of a row a call takes: they are looked at twice.
	argRowTerms = 1024
	// argRows is how many rows, or pieces of one, a call takes.
	argRows = 16
)

// argLoops finds positions by loops for columns and rows.
type argLoops[T float] struct {
	*Arg
	better   func(x, y T) bool // whether x after y is the extreme of the two
	oneByOne positions[T]
	pieces   [argRows]int // where the pieces of a row begin
}

func argByLoops[T float](op backend.ReduceOp, loops *Arg) folder {
	a := &argLoops[T]{Arg: loops, better: isGreater[T], oneByOne: argNumber[T](op).(*argFold[T]).find}
	if op == backend.ReduceArgMin {
		a.better = isLess[T]
	}
	for i := range a.pieces {
		a.pieces[i] = i * argRowTerms
	}
	return &argFold[T]{a.find}
}

func isGreater[T float](x, y T) bool { return !(x <= y) && y == y }
func isLess[T float](x, y T) bool    { return !(x >= y) && y == y }

func (a *argLoops[T]) find(w *reduceScratch, where []int64, src []T, at int, lanes []int, stride, n int) {
	if stride == 1 && n >= fewestInRow {
		a.findInRows(w, where, src, at, lanes, n)
		return
	}
	for len(lanes) > 0 {
		width := besides(lanes)
		whole := width - width%a.Width
		for i := 0; i < whole; i += a.Width {
			a.findInColumns(w, where[i:i+a.Width], src, at+lanes[i], stride, n)
		}
		a.oneByOne(w, where[whole:width], src, at, lanes[whole:width], stride, n)
		where, lanes = where[width:], lanes[width:]
	}
}

// findInColumns finds the positions of Width lanes.
func (a *argLoops[T]) findInColumns(w *reduceScratch, where []int64, src []T, at, stride, n int) {
	best := words[T](&w.best, 2*a.Width)
	best, next := best[:a.Width], best[a.Width:]
	w.next = grow(w.next, a.Width)
	a.Columns(&where[0], pointer(best, 0), pointer(src, at), stride, min(n, argColumnTerms))
	for from := argColumnTerms; from < n; from += argColumnTerms {
		a.Columns(&w.next[0], pointer(next, 0), pointer(src, at+from*stride), stride, min(n-from, argColumnTerms))
		for j, x := range next {
			if a.better(x, best[j]) {
				best[j], where[j] = x, int64(from)+w.next[j]
			}
		}
	}
}

// findInRows finds the positions of lanes along which the terms follow each other.
func (a *argLoops[T]) findInRows(w *reduceScratch, where []int64, src []T, at int, lanes []int, n int) {
	best := words[T](&w.best, argRows)
	if n > argRowTerms {
		for i, lane := range lanes {
			a.findInRow(&where[i], best, pointer(src, at+lane), n)
		}
		return
	}
	for from := pointer(src, at); len(lanes) > 0; {
		rows := min(argRows, len(lanes))
		a.Extreme(pointer(best, 0), from, &lanes[0], rows, n)
		a.Find(&where[0], pointer(best, 0), from, &lanes[0], rows, n)
		where, lanes = where[rows:], lanes[rows:]
	}
}

// findInRow finds the position of a long lane: first the piece that has it.
func (a *argLoops[T]) findInRow(where *int64, best []T, src unsafe.Pointer, n int) {
	var extreme T
	piece := -1
	for from := 0; from < n; {
		terms, count := argRowTerms, min(argRows, (n-from)/argRowTerms)
		if count == 0 {
			terms, count = n-from, 1
		}
		a.Extreme(pointer(best, 0), unsafe.Add(src, from*int(unsafe.Sizeof(extreme))), &a.pieces[0], count, terms)
		for i, x := range best[:count] {
			if piece < 0 || a.better(x, extreme) {
				extreme, piece = x, from+i*argRowTerms
			}
		}
		from += count * terms
	}
	best[0] = extreme
	from := unsafe.Add(src, piece*int(unsafe.Sizeof(extreme)))
	a.Find(where, pointer(best, 0), from, &a.pieces[0], 1, min(argRowTerms, n-piece))
	*where += int64(piece)
}
