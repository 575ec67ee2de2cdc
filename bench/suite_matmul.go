package bench

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// product is a matrix product (batch…, M, K)·(K, N): plain, with one operand transposed in memory, or a gradient of a layer's weights,
// which is summed over the batch.
type product struct {
	name             string
	samples, m, k, n int // samples is 0 without a batch
	aT, bT           bool
}

// matMulCases run from few operations to many.
func matMulCases(o Options) []benchCase {
	products := []product{
		{name: "500x64x64", m: 500, k: 64, n: 64},
		{name: "256x256x256", m: 256, k: 256, n: 256},
		{name: "50000x64x64", m: 50000, k: 64, n: 64},
		{name: "50000x64x64,Bᵀ", m: 50000, k: 64, n: 64, bT: true},
		{name: "64x50000x64,Aᵀ", m: 64, k: 50000, n: 64, aT: true},
		{name: "500,100x64x64,dW", samples: 500, m: 64, k: 100, n: 64, aT: true},
		{name: "1024x1024x1024", m: 1024, k: 1024, n: 1024},
	}
	if o.Size == Large {
		products = append(products,
			product{name: "1024x1024x1024,Aᵀ", m: 1024, k: 1024, n: 1024, aT: true},
			product{name: "1024x1024x1024,Bᵀ", m: 1024, k: 1024, n: 1024, bT: true},
			product{name: "50000x256x256", m: 50000, k: 256, n: 256},
			product{name: "2048x2048x2048", m: 2048, k: 2048, n: 2048})
	}
	if o.Size == Small {
		products = []product{
			{name: "50x64x64", m: 50, k: 64, n: 64},
			{name: "50x64x64,Bᵀ", m: 50, k: 64, n: 64, bT: true},
			{name: "64x50x64,Aᵀ", m: 64, k: 50, n: 64, aT: true},
			{name: "5,10x64x64,dW", samples: 5, m: 64, k: 10, n: 64, aT: true},
		}
	}
	if o.Size == Huge {
		products = []product{
			{name: "50000x64x64", m: 50000, k: 64, n: 64},
			{name: "64x1048576x64,Aᵀ", m: 64, k: 1 << 20, n: 64, aT: true},
			{name: "4096x4096x4096", m: 4096, k: 4096, n: 4096},
			{name: "1048576x256x256", m: 1 << 20, k: 256, n: 256},
		}
	}
	var cases []benchCase
	for _, d := range o.DTypes {
		for _, p := range products {
			flops := 2 * float64(max(p.samples, 1)) * float64(p.m*p.k*p.n)
			cases = append(cases, command(fmt.Sprintf("matmul/%v/%s", d, p.name), d, flops, flops, func(m *memory) backend.Cmd { return p.cmd(m, d) }))
		}
	}
	return cases
}

func (p product) cmd(m *memory, d backend.DType) backend.Cmd {
	batch := func(n, rows, cols int) []int {
		if p.samples == 0 {
			return []int{rows, cols}
		}
		return []int{n, rows, cols}
	}
	operand := func(isTransposed bool, rows, cols int) backend.View {
		if isTransposed {
			return transposed(m.source(d, batch(p.samples, cols, rows)...))
		}
		return m.source(d, batch(p.samples, rows, cols)...)
	}
	return backend.Cmd{
		Op: backend.MatMul, Dst: []backend.View{m.result(d, batch(1, p.m, p.n)...)},
		Src: []backend.View{operand(p.aT, p.m, p.k), operand(p.bT, p.k, p.n)},
	}
}
