package cpu

import "github.com/weir-ml/weir/backend"

// ownFolders are the folders of a device that differ from folders.
type ownFolders [backend.ReduceMin + 1][backend.Float64 + 1]folder

// ownFolders returns the reductions that have loops of their own: sums those for columns, extremes of lanes that lie side by side the instruction.
func (k *Kernels) ownFolders() (own ownFolders) {
	if k.Columns != nil {
		if columns := k.Columns(backend.Float32); columns != nil {
			own[backend.ReduceSum][backend.Float32] = sumByColumns[float32](columns, k.instr(backend.Add, backend.Float32))
		}
		if columns := k.Columns(backend.Float64); columns != nil {
			own[backend.ReduceSum][backend.Float64] = sumByColumns[float64](columns, k.instr(backend.Add, backend.Float64))
		}
	}
	if k.Map != nil {
		for reduction, op := range map[backend.ReduceOp]backend.MapOp{backend.ReduceMax: backend.Max, backend.ReduceMin: backend.Min} {
			own[reduction][backend.Float32] = extremeByColumns[float32](reduction, k.instr(op, backend.Float32))
			own[reduction][backend.Float64] = extremeByColumns[float64](reduction, k.instr(op, backend.Float64))
		}
	}
	return own
}

// fewestBeside is the number of lanes from which an instruction for each term pays.
const fewestBeside = 8

// extremeByColumns returns a maximum or minimum that takes lanes side by side by the instruction.
func extremeByColumns[T float](op backend.ReduceOp, extreme Kernel) folder {
	f := foldFloat[T](op).(*fold[T, T])
	oneByOne := f.leaf
	f.leaf = func(dst, src []T, at int, lanes []int, stride, terms int) {
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

// sumByColumns returns a sum that uses the loop, and add to add trees.
func sumByColumns[T float](c *Columns, add Kernel) folder {
	f := foldFloat[T](backend.ReduceSum).(*fold[T, T])
	f.merge = func(left, right []T) {
		to := pointer(right, 0)
		add(to, pointer(left, 0), to, nil, len(left))
	}
	zeros := make([]T, laneBlock)
	f.beside = func(dst, src []T, at, stride, terms int) {
		if terms == 1 {
			add(pointer(dst, 0), pointer(src, at), pointer(zeros, 0), nil, len(dst)) // like longer sums, never −0
			return
		}
		i := 0
		for ; i+c.Width <= len(dst); i += c.Width {
			c.Sum(pointer(dst, i), pointer(src, at+i), stride, terms)
		}
		for ; i < len(dst); i++ {
			dst[i] = sumWide(src, at+i, stride, terms)
		}
	}
	f.single = func(w *reduceScratch, dst, src []T, at, stride, leaves int) {
		t := pointerTree{nodes: words[[blockLen]uint64](&w.nodes, treeDepth(leaves)), merge: add, n: len(dst)}
		for range leaves {
			t.add(pointer(src, at))
			at += stride
		}
		add(pointer(dst, 0), t.total(), pointer(zeros, 0), nil, len(dst)) // only a sum of −0 alone is −0, and it comes as 0
	}
	f.leaf = func(dst, src []T, at int, lanes []int, stride, terms int) {
		if stride == 1 && terms >= fewestInRow && c.Rows != nil {
			c.Rows(pointer(dst, 0), pointer(src, at), &lanes[0], len(lanes), terms)
			return
		}
		for i := 0; i < len(lanes); {
			n := min(c.Width, len(lanes)-i)
			if n == c.Width && besides(lanes[i:i+n]) == n {
				c.Sum(pointer(dst, i), pointer(src, at+lanes[i]), stride, terms)
			} else {
				sumLanes(dst[i:i+n], src, at, lanes[i:i+n], stride, terms)
			}
			i += n
		}
	}
	return f
}
