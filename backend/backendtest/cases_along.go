package backendtest

import (
	"github.com/weir-ml/weir/backend"
)

// indexed is a gather or a scatter-add along an axis of a table of n rows.
type indexed struct {
	op               backend.Op
	d                backend.DType
	dims             []int // of the items and the index
	axis, n          int
	table, items, at layout
	data             kind
}

func (s *suite) indexCommand(x indexed) *backend.Cmd {
	dims := append([]int(nil), x.dims...)
	dims[x.axis] = x.n
	fill := s.draw(x.d, x.data)
	table := s.operand(x.d, dims, x.table, fill)
	items := s.operand(x.d, x.dims, x.items, fill)
	index := s.operand(backend.Int64, x.dims, x.at, func(int) scalar { return scalar{i: s.rng.Int64N(int64(x.n))} })
	if x.op == backend.ScatterAdd {
		return &backend.Cmd{Op: x.op, Axis: x.axis, Dst: []backend.View{table}, Src: []backend.View{items, index}}
	}
	return &backend.Cmd{Op: x.op, Axis: x.axis, Dst: []backend.View{items}, Src: []backend.View{table, index}}
}

// indexCases gathers and adds along every axis, with repeated indices, indices constant along rows, and tables shorter and longer.
func indexCases(s *suite) {
	for _, d := range backend.DTypes() {
		for _, op := range []backend.Op{backend.Gather, backend.ScatterAdd} {
			if op == backend.ScatterAdd && d == backend.Bool {
				continue
			}
			s.indexLayouts(op, d)
			for _, k := range []kind{whole, normals, tied} {
				for axis := range 3 {
					s.check(s.indexCommand(indexed{op, d, []int{6, 5, 7}, axis, 4, contiguous, contiguous, contiguous, k}))
					s.check(s.indexCommand(indexed{op, d, []int{6, 5, 7}, axis, 9, contiguous, contiguous, layouts[7], k}))
				}
				s.check(s.indexCommand(indexed{op, d, []int{300}, 0, 3, contiguous, contiguous, contiguous, k}))
				s.check(s.indexCommand(indexed{op, d, []int{300, 2}, 0, 500, contiguous, contiguous, layouts[7], k}))
			}
			for _, dims := range [][]int{{1}, {0}, {0, 3}, {3, 0}, {2, 1, 2, 1, 2, 1, 2, 2}} {
				for axis := range dims {
					s.check(s.indexCommand(indexed{op, d, dims, axis, 2, contiguous, contiguous, contiguous, normals}))
				}
			}
		}
	}
}

func (s *suite) indexLayouts(op backend.Op, d backend.DType) {
	for _, l := range layouts {
		for axis := range 3 {
			x := indexed{op, d, []int{3, 4, 5}, axis, 3, contiguous, contiguous, contiguous, whole}
			x.at = l
			s.check(s.indexCommand(x))
			if op == backend.ScatterAdd || !l.sourceOnly {
				x.items = l
				s.check(s.indexCommand(x))
			}
			x.items, x.at = contiguous, contiguous
			if op == backend.Gather || !l.sourceOnly {
				x.table = l
				s.check(s.indexCommand(x))
			}
		}
	}
}

func (s *suite) scanCommand(d backend.DType, dims []int, axis int, dst, src layout, k kind) *backend.Cmd {
	return &backend.Cmd{
		Op:   backend.Scan,
		Axis: axis,
		Dst:  []backend.View{s.operand(d, dims, dst, nil)},
		Src:  []backend.View{s.operand(d, dims, src, s.draw(d, k))},
	}
}

// scanCases sums along every axis of several shapes and layouts.
func scanCases(s *suite) {
	for _, d := range backend.DTypes() {
		if d == backend.Bool {
			continue
		}
		for _, k := range []kind{whole, normals, tied} {
			for _, dims := range [][]int{{1}, {0}, {33}, {3, 0, 2}, {4, 5}, {3, 4, 5}, {100, 3}, {2, 1, 3, 1, 2, 1, 2, 2}} {
				for axis := range dims {
					s.check(s.scanCommand(d, dims, axis, contiguous, contiguous, k))
				}
			}
		}
		for _, l := range layouts {
			for axis := range 3 {
				s.check(s.scanCommand(d, []int{3, 4, 5}, axis, contiguous, l, whole))
				if !l.sourceOnly {
					s.check(s.scanCommand(d, []int{3, 4, 5}, axis, l, contiguous, normals))
				}
			}
		}
	}
}

func (s *suite) sortCommand(d backend.DType, dims []int, axis int, descending bool, dst, src layout, k kind) *backend.Cmd {
	return &backend.Cmd{
		Op:         backend.Sort,
		Axis:       axis,
		Descending: descending,
		Dst:        []backend.View{s.operand(d, dims, dst, nil), s.operand(backend.Int64, dims, dst, nil)},
		Src:        []backend.View{s.operand(d, dims, src, s.draw(d, k))},
	}
}

// sortCases sorts both ways along every axis: with ties, NaNs, both zeros and infinities.
func sortCases(s *suite) {
	for _, d := range backend.DTypes() {
		for _, descending := range []bool{false, true} {
			for _, k := range []kind{tied, anything, whole} {
				for _, dims := range [][]int{{1}, {0}, {50}, {3, 0}, {11, 6}, {3, 14, 5}, {700}, {2, 1, 3, 1, 2, 1, 2, 2}} {
					for axis := range dims {
						s.check(s.sortCommand(d, dims, axis, descending, contiguous, contiguous, k))
					}
				}
			}
			for _, l := range layouts {
				for axis := range 3 {
					s.check(s.sortCommand(d, []int{5, 4, 6}, axis, descending, contiguous, l, tied))
					if !l.sourceOnly {
						s.check(s.sortCommand(d, []int{5, 4, 6}, axis, descending, l, contiguous, anything))
					}
				}
			}
		}
	}
}

func (s *suite) randomCommand(kind backend.RandomKind, d backend.DType, dims []int, l layout, seed, offset, base int64) *backend.Cmd {
	return &backend.Cmd{
		Op:         backend.Random,
		RandomKind: kind,
		Base:       base,
		Dst:        []backend.View{s.operand(d, dims, l, nil)},
		Src:        []backend.View{s.vector(backend.Int64, []scalar{{i: seed}, {i: offset}})},
	}
}

// randomCases draws every distribution in every type from several seeds, offsets and bases, at sizes that end within a block.
func randomCases(s *suite) {
	for _, kind := range []backend.RandomKind{backend.Bits, backend.Uniform, backend.Normal} {
		for _, d := range backend.DTypes() {
			if kind == backend.Bits && !d.IsInt() || kind != backend.Bits && !d.IsFloat() {
				continue
			}
			for _, dims := range [][]int{{}, {0}, {1}, {2}, {3}, {5}, {16}, {7, 9}, {1000}} {
				s.check(s.randomCommand(kind, d, dims, contiguous, s.rng.Int64(), s.rng.Int64N(1000), 0))
			}
			for _, base := range []int64{1, 2, 3, 5, 1023, 1 << 33} {
				for _, offset := range []int64{0, 1, 1<<32 - 2, 1 << 40, -1} {
					s.check(s.randomCommand(kind, d, []int{13}, contiguous, -s.rng.Int64(), offset, base))
				}
			}
			for _, l := range destinations() {
				s.check(s.randomCommand(kind, d, []int{3, 4, 5}, l, 42, 0, 3))
			}
		}
	}
}
