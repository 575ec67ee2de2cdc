package cuda

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// lower appends the launches that the first of some commands is made of, or the first few together, and returns how many. The commands have passed
// their check and their operands are the device's.
func lower(b *batch, cmds []backend.Cmd) int {
	c := &cmds[0]
	switch c.Op {
	case backend.Copy:
		lowerCopy(b, c)
	case backend.Map:
		lowerMap(b, c)
	case backend.Reduce:
		lowerReduce(b, c)
	case backend.MatMul:
		return lowerMatMul(b, cmds)
	case backend.Gather:
		lowerGather(b, c)
	case backend.ScatterAdd:
		lowerScatterAdd(b, c)
	case backend.Scan:
		lowerScan(b, c)
	case backend.Sort:
		lowerSort(b, c)
	case backend.Random:
		lowerRandom(b, c)
	default:
		b.fail(fmt.Errorf("%v is not known here", c.Op))
	}
	return 1
}

// merge simplifies views of one shape together: axes of length 1 go, and neighbours become one axis where every view runs through them in one stride. The
// elements stay in their order. A single element has rank 0.
func merge(views []backend.View) {
	rank := 0 // of what is done; its last axis may still grow
	first := &views[0]
	for a := range first.Rank {
		switch {
		case first.Dims[a] == 1:
			continue
		case rank > 0 && together(views, rank-1, a):
			for i := range views {
				v := &views[i]
				v.Dims[rank-1] *= v.Dims[a]
				v.Strides[rank-1] = v.Strides[a]
			}
			continue
		}
		for i := range views {
			v := &views[i]
			v.Dims[rank], v.Strides[rank] = v.Dims[a], v.Strides[a]
		}
		rank++
	}
	for i := range views {
		v := &views[i]
		clear(v.Dims[rank:])
		clear(v.Strides[rank:])
		v.Rank = rank
	}
}

// together reports whether axes outer and inner are one in every view.
func together(views []backend.View, outer, inner int) bool {
	for i := range views {
		v := &views[i]
		if v.Strides[outer] != v.Strides[inner]*v.Dims[inner] {
			return false
		}
	}
	return true
}
