package cuda

import (
	"math"

	"github.com/weir-ml/weir/backend"
)

// nest is where the elements of up to three operands of one shape are. It has the layout of Nest in kernels/nest.h.
type nest struct {
	rank    int32
	narrow  uint32
	dims    [backend.MaxRank]int64
	strides [3][backend.MaxRank]int64
}

// push appends an axis within the others, or makes the innermost longer if all operands can walk the two as one. An axis of length 1 is none.
func (n *nest) push(dim int, strides ...int) {
	if dim == 1 {
		return
	}
	a := n.rank
	if a > 0 && n.runsInto(dim, strides) {
		a--
		n.dims[a] *= int64(dim)
	} else {
		n.rank++
		n.dims[a] = int64(dim)
	}
	for k, s := range strides {
		n.strides[k][a] = int64(s)
	}
	n.narrow = 0
	if n.len() <= math.MaxInt32 {
		n.narrow = 1
	}
}

// runsInto reports whether the innermost axis goes on where one of that length within it ends, in every operand.
func (n *nest) runsInto(dim int, strides []int) bool {
	for k, s := range strides {
		if n.strides[k][n.rank-1] != int64(dim*s) {
			return false
		}
	}
	return true
}

// len returns the number of elements.
func (n *nest) len() int64 {
	elements := int64(1)
	for _, d := range n.dims[:n.rank] {
		elements *= d
	}
	return elements
}

// inner returns the distance of neighbours in operand k.
func (n *nest) inner(k int) int64 { return n.strides[k][max(n.rank-1, 0)] }

// aligned reports whether all strides of operand k are multiples of width.
func (n *nest) aligned(k int, width int64) bool { return aligned(width, n.strides[k][:n.rank]...) }

// nestOf returns the nest of views of one shape, up to the axis that is left out, if without is not negative.
func nestOf(without int, views ...*backend.View) nest {
	var n nest
	for a, dim := range views[len(views)-1].Shape() {
		if a == without {
			continue
		}
		var strides [3]int
		for k, v := range views {
			strides[k] = v.Strides[a]
		}
		n.push(dim, strides[:len(views)]...)
	}
	return n
}

// address returns where the first element of a view is.
func address(v *backend.View) uint64 { return uint64(v.Buf.Addr) + uint64(v.Offset*v.DType.Size()) }

// wideBytes is the most that a thread moves at a time.
const wideBytes = 16

func distance(stride int64) int64 { return max(stride, -stride) }

// suffixes name the types in the names of kernels.
var suffixes = map[backend.DType]string{
	backend.Bool: "u8", backend.Uint8: "u8", backend.Int32: "i32", backend.Int64: "i64",
	backend.Float16: "f16", backend.BFloat16: "bf16", backend.Float32: "f32", backend.Float64: "f64",
}

// carried returns the type in which sums of d are carried.
func carried(d backend.DType) backend.DType {
	switch d {
	case backend.Uint8:
		return backend.Int32
	case backend.Float16, backend.BFloat16:
		return backend.Float32
	}
	return d
}
