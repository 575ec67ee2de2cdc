package backendtest

import (
	"github.com/weir-ml/weir/backend"
)

var reductions = []backend.ReduceOp{
	backend.ReduceSum, backend.ReduceProd, backend.ReduceMax, backend.ReduceMin, backend.ReduceArgMax, backend.ReduceArgMin,
}

// reducedDims returns dims with 1 on the axes whose bit is set.
func reducedDims(dims []int, axes int) []int {
	reduced := append([]int(nil), dims...)
	for a := range reduced {
		if axes>>a&1 == 1 {
			reduced[a] = 1
		}
	}
	return reduced
}

func (s *suite) reduceCommand(op backend.ReduceOp, d backend.DType, dims []int, axes int, dst, src layout, k kind) *backend.Cmd {
	to := d
	if op.IsArg() {
		to = backend.Int64
	}
	return &backend.Cmd{
		Op:       backend.Reduce,
		ReduceOp: op,
		Dst:      []backend.View{s.operand(to, reducedDims(dims, axes), dst, nil)},
		Src:      []backend.View{s.operand(d, dims, src, s.draw(d, k))},
	}
}

// kindsFor returns the data that show faults of a reduction.
func kindsFor(op backend.ReduceOp) []kind {
	switch op {
	case backend.ReduceSum:
		return []kind{whole, normals, tied}
	case backend.ReduceProd:
		return []kind{nearOne, whole}
	}
	return []kind{tied, anything, whole}
}

// reduceCases reduces over every subset of axes, in every layout, and the lengths around the grain.
func reduceCases(s *suite) {
	for _, op := range reductions {
		for _, d := range backend.DTypes() {
			if d == backend.Bool {
				continue
			}
			s.reduceSubsets(op, d)
			for _, l := range layouts {
				for axes := range 8 {
					if dims := []int{3, 4, 5}; !op.IsArg() || axes&(axes-1) == 0 {
						s.check(s.reduceCommand(op, d, dims, axes, contiguous, l, kindsFor(op)[0]))
					}
				}
			}
			for _, l := range destinations() {
				s.check(s.reduceCommand(op, d, []int{3, 6, 4}, 2, l, layouts[2], kindsFor(op)[0]))
			}
			for _, dims := range [][]int{{0}, {0, 3}, {3, 0}, {2, 0, 3}} {
				s.reduceEmpty(op, d, dims)
			}
		}
	}
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64, backend.Int32} {
		for _, n := range []int{4095, 4096, 4097, 8192, 12289, 20000} {
			for _, k := range []kind{whole, normals} {
				s.check(s.reduceCommand(backend.ReduceSum, d, []int{n}, 1, contiguous, contiguous, k))
			}
			s.check(s.reduceCommand(backend.ReduceMax, d, []int{n}, 1, contiguous, contiguous, normals))
			s.check(s.reduceCommand(backend.ReduceArgMin, d, []int{n}, 1, contiguous, layouts[3], normals))
		}
		for axes := range 8 {
			s.check(s.reduceCommand(backend.ReduceSum, d, []int{33, 7, 65}, axes, contiguous, contiguous, whole))
			s.check(s.reduceCommand(backend.ReduceSum, d, []int{33, 7, 65}, axes, contiguous, layouts[2], normals))
		}
	}
}

// reduceSubsets goes through every subset of the axes of shapes of rank 0 to 4, and some of rank 8.
func (s *suite) reduceSubsets(op backend.ReduceOp, d backend.DType) {
	for _, dims := range [][]int{{}, {1}, {9}, {4, 5}, {3, 1, 4}, {2, 3, 4, 5}, {2, 1, 2, 1, 3, 2, 1, 2}} {
		for axes := range 1 << len(dims) {
			if op.IsArg() && axes&(axes-1) != 0 || len(dims) == 8 && axes%5 != 0 {
				continue
			}
			for _, k := range kindsFor(op) {
				s.check(s.reduceCommand(op, d, dims, axes, contiguous, contiguous, k))
			}
		}
	}
}

// reduceEmpty reduces shapes without elements, where the operation has a value for that.
func (s *suite) reduceEmpty(op backend.ReduceOp, d backend.DType, dims []int) {
	for axes := range 1 << len(dims) {
		c := s.reduceCommand(op, d, dims, axes, layouts[1], contiguous, whole)
		if c.Check() == nil {
			s.check(c)
		}
	}
}
