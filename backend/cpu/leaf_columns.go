package cpu

import "github.com/weir-ml/weir/backend"

// ownFolders are the folders of a device that differ from folders.
type ownFolders [backend.ReduceMin + 1][backend.Float64 + 1]folder

// ownFolders returns the reductions that have loops of their own. Extremes of lanes that lie side by side have the instruction.
func (k *Kernels) ownFolders() (own ownFolders) {
	if k.Fold == nil {
		return own
	}
	for reduction, op := range map[backend.ReduceOp]backend.MapOp{backend.ReduceSum: backend.Add, backend.ReduceProd: backend.Mul,
		backend.ReduceMax: backend.Max, backend.ReduceMin: backend.Min} {
		if f := k.Fold(reduction, backend.Float32); f != nil {
			own[reduction][backend.Float32] = foldByLoops[float32](reduction, f, k.instr(op, backend.Float32))
		}
		if f := k.Fold(reduction, backend.Float64); f != nil {
			own[reduction][backend.Float64] = foldByLoops[float64](reduction, f, k.instr(op, backend.Float64))
		}
	}
	return own
}

func foldByLoops[T float](op backend.ReduceOp, f *Fold, instr Kernel) folder {
	if op == backend.ReduceMax || op == backend.ReduceMin {
		return extremeByLoops[T](op, f, instr)
	}
	return foldByColumns[T](op, f, instr)
}

// fewestBeside is the number of lanes from which an instruction for each term pays.
const fewestBeside = 8

// extremeByLoops returns a maximum or minimum that takes lanes side by side by the instruction, and rows by their loop.
func extremeByLoops[T float](op backend.ReduceOp, loops *Fold, extreme Kernel) folder {
	f := foldFloat[T](op).(*fold[T, T])
	f.rows = loops.Rows != nil
	oneByOne := f.leaf
	f.leaf = func(dst, src []T, at int, lanes []int, stride, terms int) {
		if stride == 1 && terms >= fewestInRow && f.rows {
			loops.Rows(pointer(dst, 0), pointer(src, at), &lanes[0], len(lanes), terms)
			return
		}
		for len(lanes) > 0 {
			n := besides(lanes)
			if n < fewestBeside {
				oneByOne(dst[:n], src, at, lanes[:n], stride, terms)
			} else {
				from, to := at+lanes[0], pointer(dst, 0)
				copy(dst[:n], src[from:])
				for range terms - 1 {
					from += stride
					extreme(to, to, pointer(src, from), nil, n)
				}
			}
			dst, lanes = dst[n:], lanes[n:]
		}
	}
	return f
}

// besides returns how many lanes from the first on lie side by side.
func besides(lanes []int) int {
	n := 1
	for n < len(lanes) && lanes[n] == lanes[0]+n {
		n++
	}
	return n
}

// fewestInRow is the number of terms from which a loop for rows pays.
const fewestInRow = 3

// foldByColumns returns a sum or product that uses the loops, and the instruction to merge trees.
func foldByColumns[T float](op backend.ReduceOp, loops *Fold, instr Kernel) folder {
	f := foldFloat[T](op).(*fold[T, T])
	f.rows = loops.Rows != nil
	f.merge = func(left, right []T) {
		to := pointer(right, 0)
		instr(to, pointer(left, 0), to, nil, len(left))
	}
	oneByOne, lane := f.leaf, sumWide[T]
	if op == backend.ReduceProd {
		lane = prodWide[T]
	}
	empty := make([]T, laneBlock)
	for i := range empty {
		empty[i] = f.empty
	}
	f.beside = func(dst, src []T, at, stride, terms int) {
		if terms == 1 {
			instr(pointer(dst, 0), pointer(src, at), pointer(empty, 0), nil, len(dst)) // like longer sums, never −0
			return
		}
		i := 0
		for ; i+loops.Width <= len(dst); i += loops.Width {
			loops.Columns(pointer(dst, i), pointer(src, at+i), stride, terms)
		}
		for ; i < len(dst); i++ {
			dst[i] = lane(src, at+i, stride, terms)
		}
	}
	f.single = func(w *reduceScratch, dst, src []T, at, stride, leaves int) {
		t := pointerTree{nodes: words[[blockLen]uint64](&w.nodes, treeDepth(leaves)), merge: instr, n: len(dst)}
		for range leaves {
			t.add(pointer(src, at))
			at += stride
		}
		instr(pointer(dst, 0), t.total(), pointer(empty, 0), nil, len(dst)) // only a sum of −0 alone is −0, and it comes as 0
	}
	f.leaf = func(dst, src []T, at int, lanes []int, stride, terms int) {
		if stride == 1 && terms >= fewestInRow && f.rows {
			loops.Rows(pointer(dst, 0), pointer(src, at), &lanes[0], len(lanes), terms)
			return
		}
		for i := 0; i < len(lanes); {
			n := min(loops.Width, len(lanes)-i)
			if n == loops.Width && besides(lanes[i:i+n]) == n {
				loops.Columns(pointer(dst, i), pointer(src, at+lanes[i]), stride, terms)
			} else {
				oneByOne(dst[i:i+n], src, at, lanes[i:i+n], stride, terms)
			}
			i += n
		}
	}
	return f
}
