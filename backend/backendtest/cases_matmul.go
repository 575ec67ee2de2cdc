package backendtest

import (
	"github.com/weir-ml/weir/backend"
)

// product describes the operands of a matrix product: batch axes, and which of them are summed.
type product struct {
	d          backend.DType
	batch      []int
	summed     int // bit per batch axis
	m, n, k    int
	accumulate bool
	dst, a, b  layout
	data       kind
}

func (s *suite) matMulCommand(p product) *backend.Cmd {
	dims := func(batch []int, rows, cols int) []int { return append(append([]int(nil), batch...), rows, cols) }
	fill := s.draw(p.d, p.data)
	return &backend.Cmd{
		Op:         backend.MatMul,
		Accumulate: p.accumulate,
		Dst:        []backend.View{s.operand(p.d, dims(reducedDims(p.batch, p.summed), p.m, p.n), p.dst, fill)},
		Src: []backend.View{
			s.operand(p.d, dims(p.batch, p.m, p.k), p.a, fill),
			s.operand(p.d, dims(p.batch, p.k, p.n), p.b, fill),
		},
	}
}

// plain is a product of contiguous operands.
func plain(d backend.DType, m, n, k int, data kind) product {
	return product{d: d, m: m, n: n, k: k, dst: contiguous, a: contiguous, b: contiguous, data: data}
}

var floatTypes = []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64}

// matMulCases checks sizes around blocks and grain, layouts, batches shared and summed, and accumulation.
func matMulCases(s *suite) {
	s.matMulSizes()
	for _, d := range floatTypes {
		s.matMulLayouts(d)
		s.matMulBatches(d)
	}
}

func (s *suite) matMulSizes() {
	sizes := []int{0, 1, 2, 3, 5, 17, 64, 257}
	for _, m := range sizes {
		for _, n := range sizes {
			for _, k := range sizes {
				work := m * n * k
				if work < 100_000 {
					s.check(s.matMulCommand(plain(backend.Float32, m, n, k, whole)))
				}
				if work < 20_000 {
					s.check(s.matMulCommand(plain(floatTypes[(m+n+k)%4], m, n, k, normals)))
				}
			}
		}
	}
	for _, d := range floatTypes {
		for _, p := range []product{plain(d, 64, 64, 64, whole), plain(d, 257, 64, 17, whole), plain(d, 64, 257, 17, normals), plain(d, 17, 64, 257, whole),
			plain(d, 2, 3, 1025, normals), plain(d, 1, 1, 2000, whole), plain(d, 5, 4, 513, whole), plain(d, 3, 300, 5, normals)} {
			s.check(s.matMulCommand(p))
			p.accumulate = true
			s.check(s.matMulCommand(p))
		}
	}
	s.check(s.matMulCommand(plain(backend.Float32, 257, 257, 17, whole)))
	s.check(s.matMulCommand(plain(backend.Float32, 17, 257, 257, normals)))
}

func (s *suite) matMulLayouts(d backend.DType) {
	for _, a := range layouts {
		for _, b := range layouts {
			p := product{d: d, m: 5, n: 6, k: 7, dst: contiguous, a: a, b: b, data: whole}
			s.check(s.matMulCommand(p))
			p.m, p.n, p.k, p.data = 18, 35, 33, normals
			s.check(s.matMulCommand(p))
		}
	}
	for _, dst := range destinations() {
		for _, accumulate := range []bool{false, true} {
			p := product{d: d, batch: []int{2, 3}, m: 9, n: 17, k: 4, dst: dst, a: layouts[2], b: layouts[5], data: whole, accumulate: accumulate}
			s.check(s.matMulCommand(p))
			p.summed = 1
			s.check(s.matMulCommand(p))
			p.data = tied
			s.check(s.matMulCommand(p))
		}
	}
}

// matMulBatches shares operands along batch axes, sums over batch axes, and leaves some empty.
func (s *suite) matMulBatches(d backend.DType) {
	shared := layouts[6]
	for _, batch := range [][]int{{3}, {1}, {0}, {4, 2}, {2, 0}, {2, 3, 2}, {2, 1, 2, 1, 2, 1}} {
		for summed := range 1 << min(len(batch), 3) {
			for _, operands := range [][2]layout{{contiguous, contiguous}, {contiguous, shared}, {shared, contiguous}, {layouts[2], layouts[4]}} {
				p := product{d: d, batch: batch, summed: summed, m: 4, n: 3, k: 5, dst: contiguous, a: operands[0], b: operands[1], data: whole}
				s.check(s.matMulCommand(p))
				p.accumulate, p.data = true, normals
				s.check(s.matMulCommand(p))
			}
		}
	}
	for _, p := range []product{
		{batch: []int{40, 20}, summed: 1, m: 6, n: 5, k: 2},
		{batch: []int{40, 20}, summed: 3, m: 3, n: 5, k: 2},
		{batch: []int{70}, summed: 1, m: 5, n: 6, k: 100},
		{batch: []int{5}, summed: 1, m: 2, n: 3, k: 300},
		{batch: []int{50}, m: 10, n: 8, k: 8},
	} {
		p.d, p.dst, p.a, p.b = d, contiguous, contiguous, contiguous
		for _, p.data = range []kind{whole, normals} {
			s.check(s.matMulCommand(p))
		}
		p.a = layouts[2]
		s.check(s.matMulCommand(p))
	}
}
