package cuda

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
)

// lower appends the launches that a command is made of. The command has passed its check and its operands are the device's.
func lower(b *batch, c *backend.Cmd) {
	switch c.Op {
	case backend.Copy:
		lowerCopy(b, c)
	case backend.Map:
		lowerMap(b, c)
	case backend.Reduce:
		lowerReduce(b, c)
	case backend.MatMul:
		lowerMatMul(b, c)
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
}

// view is an operand as kernels see it. It has the layout of View in kernels/view.h.
type view struct {
	p       uint64
	rank    int32
	dtype   int32
	dims    [backend.MaxRank]int64
	strides [backend.MaxRank]int64
}

// viewOf returns the operand that v is, axis by axis.
func viewOf(v *backend.View) view {
	w := view{p: uint64(v.Buf.Addr) + uint64(v.Offset*v.DType.Size()), rank: int32(v.Rank), dtype: int32(v.DType)}
	for a := range v.Rank {
		w.dims[a], w.strides[a] = int64(v.Dims[a]), int64(v.Strides[a])
	}
	return w
}

// dtypeOf returns the type of the elements.
func (v *view) dtypeOf() backend.DType { return backend.DType(v.dtype) }

// len returns the number of elements.
func (v *view) len() int64 {
	n := int64(1)
	for _, d := range v.dims[:v.rank] {
		n *= d
	}
	return n
}

// contiguous reports whether the elements lie in row-major order without gaps.
func (v *view) contiguous() bool {
	stride := int64(1)
	for a := v.rank - 1; a >= 0; a-- {
		if v.dims[a] != 1 && v.strides[a] != stride {
			return v.len() == 0
		}
		stride *= v.dims[a]
	}
	return true
}

// scalar reports whether all elements are the same one.
func (v *view) scalar() bool {
	for a := range v.rank {
		if v.dims[a] > 1 && v.strides[a] != 0 {
			return false
		}
	}
	return true
}

// merge simplifies the views of one shape together: axes of length 1 go, and neighbours become one axis where every view runs through them in one
// stride. The elements stay in their order. A single element has rank 0.
func merge(views ...*view) {
	rank := int32(0) // of what is done; its last axis may still grow
	first := views[0]
	for a := range first.rank {
		switch {
		case first.dims[a] == 1:
			continue
		case rank > 0 && together(views, rank-1, a):
			for _, v := range views {
				v.dims[rank-1] *= v.dims[a]
				v.strides[rank-1] = v.strides[a]
			}
			continue
		}
		for _, v := range views {
			v.dims[rank], v.strides[rank] = v.dims[a], v.strides[a]
		}
		rank++
	}
	for _, v := range views {
		for a := rank; a < v.rank; a++ {
			v.dims[a], v.strides[a] = 0, 0
		}
		v.rank = rank
	}
}

// together reports whether axes outer and inner are one in every view.
func together(views []*view, outer, inner int32) bool {
	for _, v := range views {
		if v.strides[outer] != v.strides[inner]*v.dims[inner] {
			return false
		}
	}
	return true
}

// small reports whether 32 bits hold the number of elements, and the distance in elements of each from the view's first.
func (v *view) small() bool {
	if v.len() > math.MaxInt32 {
		return false
	}
	lo, hi := int64(0), int64(0)
	for a := range v.rank {
		span := (v.dims[a] - 1) * v.strides[a]
		lo, hi = lo+min(span, 0), hi+max(span, 0)
	}
	return lo >= math.MinInt32 && hi <= math.MaxInt32
}

// grid1 returns the grid of blocks of so many threads that cover n elements, each thread taking several. It does not exceed most, so a kernel
// steps by the size of the grid.
func grid1(n int64, threads, each, most int64) [3]uint32 {
	blocks := (n + threads*each - 1) / (threads * each)
	return [3]uint32{uint32(min(blocks, most)), 1, 1}
}
