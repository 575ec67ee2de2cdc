package cuda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// viewIn returns a view of memory of its own; without strides it is row-major.
func viewIn(d backend.DType, dims []int, strides ...int) backend.View {
	v := backend.Contiguous(&backend.Buffer{Size: 1 << 60, Addr: 1 << 20}, d, dims...)
	if strides != nil {
		copy(v.Strides[:], strides)
	}
	return v
}

// launches returns the kernels that a command is made of, and the blocks of each.
func launches(t *testing.T, c *backend.Cmd) (kernels []string, blocks []uint32) {
	t.Helper()
	require.NoError(t, c.Check())
	on := newCatalogue()
	b := &batch{on: on, faults: faults{record: 64}}
	b.lower([]backend.Cmd{*c})
	require.NoError(t, b.err)
	for _, n := range b.nodes {
		kernels, blocks = append(kernels, on.kernels[n.function]), append(blocks, n.grid[0])
	}
	return kernels, blocks
}

func TestProductsChooseTheirTiles(t *testing.T) {
	const rows = 50_000
	f32 := func(dims ...int) backend.View { return viewIn(backend.Float32, dims) }
	for _, test := range []struct {
		name    string
		d, a, b backend.View
		kernels []string
		blocks  []uint32
	}{
		{"a wide layer", f32(1<<20, 256), f32(1<<20, 256), f32(256, 256), []string{"matmul_f32_128x128_kl"}, []uint32{16384}},
		{"its weights transposed", f32(1<<20, 256), f32(1<<20, 256), viewIn(backend.Float32, []int{256, 256}, 1, 256),
			[]string{"matmul_f32_128x128_kk"}, []uint32{16384}},
		{"a layer", f32(rows, 64), f32(rows, 64), f32(64, 64), []string{"matmul_f32_64x64_kl"}, []uint32{782}},
		{"a layer of few samples", f32(500, 64), f32(500, 64), f32(64, 64), []string{"matmul_f32_32x32_kl"}, []uint32{32}},
		{"a layer of two outputs", f32(rows, 2), f32(rows, 64), f32(64, 2), []string{"matmul_f32_128x8_kl"}, []uint32{391}},
		{"a layer of two inputs", f32(rows, 64), f32(rows, 2), f32(2, 64), []string{"matmul_f32_64x64_kl"}, []uint32{782}},
		{"a vector times a matrix", f32(1, rows), f32(1, 64), f32(64, rows), []string{"matmul_f32_128x8_lk"}, []uint32{391}},
		{"a gradient of weights", f32(64, 64), viewIn(backend.Float32, []int{64, rows}, 1, 64), f32(rows, 64),
			[]string{"matmul_f32_64x64_ll", "reduce_sum_f32"}, []uint32{196, 512}},
		{"the same, summed over a batch", f32(1, 1, 64, 64), viewIn(backend.Float32, []int{500, 100, 64, 1}, 6400, 64, 1, 1), f32(500, 100, 1, 64),
			[]string{"matmul_f32_64x64_ll", "reduce_sum_f32"}, []uint32{250, 512}},
		{"a batch that shares its weights is tall", f32(500, 100, 64), f32(500, 100, 64), viewIn(backend.Float32, []int{500, 64, 64}, 0, 64, 1),
			[]string{"matmul_f32_64x64_kl"}, []uint32{782}},
		{"a batch that does not", f32(500, 10, 16), f32(500, 10, 8), f32(500, 8, 16), []string{"matmul_f32_32x32_kl"}, []uint32{500}},
		{"halves", viewIn(backend.BFloat16, []int{rows, 256}), viewIn(backend.BFloat16, []int{rows, 256}), viewIn(backend.BFloat16, []int{256, 256}),
			[]string{"matmul_bf16_128x128_kl"}, []uint32{782}},
		{"two leaves in the nodes of a tile", f32(1<<15, 256), f32(1<<15, 512), f32(512, 256), []string{"matmul_f32_128x128_kl"}, []uint32{512}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := backend.Cmd{Op: backend.MatMul, Dst: []backend.View{test.d}, Src: []backend.View{test.a, test.b}}
			test.d.Buf.Addr = 1 << 50
			kernels, blocks := launches(t, &c)
			require.Equal(t, test.kernels, kernels)
			require.Equal(t, test.blocks, blocks)
		})
	}
}
