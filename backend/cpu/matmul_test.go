package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// wantProduct computes a MatMul in float64, with the sum of the terms' magnitudes beside it.
func wantProduct(c *backend.Cmd) (want, scale []float64) {
	d, a, b := &c.Dst[0], &c.Src[0], &c.Src[1]
	want, scale = values(d), make([]float64, d.Len())
	for i := range want {
		if !c.Accumulate {
			want[i] = 0
		}
		scale[i] = math.Abs(want[i])
	}
	r := d.Rank
	m, n, k := d.Dims[r-2], d.Dims[r-1], a.Dims[r-1]
	batch := *a
	batch.Rank -= 2
	for q := range batch.Len() {
		// Where the destination has one index, all of the batch go to it.
		to, rest, size := 0, q, 1
		for x := r - 3; x >= 0; x-- {
			if d.Dims[x] > 1 {
				to += rest % batch.Dims[x] * size
			}
			rest /= batch.Dims[x]
			size *= d.Dims[x]
		}
		for i := range m {
			for j := range n {
				for l := range k {
					x := get(a, (q*m+i)*k+l) * get(b, (q*k+l)*n+j)
					want[(to*m+i)*n+j] += x
					scale[(to*m+i)*n+j] += math.Abs(x)
				}
			}
		}
	}
	return want, scale
}

var unit32 = map[backend.DType]float64{
	backend.Float16: 0x1p-11, backend.BFloat16: 0x1p-8, backend.Float32: 0x1p-24, backend.Float64: 0x1p-53,
}

func (r *rig) checkProduct(c backend.Cmd) {
	r.t.Helper()
	want, scale := wantProduct(&c)
	r.exec(c)
	d := c.Dst[0]
	sums := min(unit32[d.DType], 0x1p-24) * 64
	for i, got := range values(&d) {
		tolerance := scale[i]*sums + math.Abs(want[i])*unit32[d.DType]
		require.InDelta(r.t, want[i], got, tolerance+1e-300, "%v, element %d", &c, i)
	}
}

func TestMatMul(t *testing.T) { onEveryEngine(t, checkMatMul) }

func checkMatMul(t *testing.T, r *rig) {
	sizes := [][3]int{{1, 1, 1}, {2, 3, 4}, {5, 1, 7}, {1, 9, 300}, {3, 2, 0}, {67, 130, 5}, {65, 7, 515}, {0, 3, 2}, {130, 129, 33}}
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		for _, z := range sizes {
			for _, accumulate := range []bool{false, true} {
				a, b := r.random(d, z[0], z[2]), r.random(d, z[2], z[1])
				r.checkProduct(backend.Cmd{Op: backend.MatMul, Accumulate: accumulate,
					Dst: []backend.View{r.random(d, z[0], z[1])}, Src: []backend.View{a, b}})
			}
		}
	}
}

func TestMatMulOfLayouts(t *testing.T) { onEveryEngine(t, checkMatMulOfLayouts) }

func checkMatMulOfLayouts(t *testing.T, r *rig) {
	for name, a := range r.layouts(backend.Float32, 11, 13) {
		for other, b := range r.layouts(backend.Float32, 13, 9) {
			t.Run(name+" by "+other, func(t *testing.T) {
				for _, d := range []backend.View{r.random(backend.Float32, 11, 9), permuted(r.random(backend.Float32, 9, 11), 1, 0)} {
					r.checkProduct(backend.Cmd{Op: backend.MatMul, Dst: []backend.View{d}, Src: []backend.View{a, b}})
				}
			})
		}
	}
}

func TestMatMulOfBatches(t *testing.T) { onEveryEngine(t, checkMatMulOfBatches) }

func checkMatMulOfBatches(t *testing.T, r *rig) {
	const d = backend.Float32
	tests := []struct {
		name      string
		dst, a, b backend.View
	}{
		{"each its own", r.empty(d, 3, 4, 5), r.random(d, 3, 4, 6), r.random(d, 3, 6, 5)},
		{"one right operand", r.empty(d, 3, 40, 5), r.random(d, 3, 40, 6), broadcast(r.random(d, 1, 6, 5), 0, 3)},
		{"one right operand, rows apart", r.empty(d, 3, 4, 5), every(r.random(d, 3, 8, 6), 1), broadcast(r.random(d, 1, 6, 5), 0, 3)},
		{"one right operand, rows of one", r.empty(d, 9, 1, 5), r.random(d, 9, 1, 6), broadcast(r.random(d, 1, 6, 5), 0, 9)},
		{"one left operand", r.empty(d, 3, 4, 5), broadcast(r.random(d, 1, 4, 6), 0, 3), r.random(d, 3, 6, 5)},
		{"two axes", r.empty(d, 2, 3, 4, 5), r.random(d, 2, 3, 4, 6), broadcast(r.random(d, 2, 1, 6, 5), 1, 3)},
		{"contracted", r.empty(d, 1, 4, 5), permuted(r.random(d, 50, 6, 4), 0, 2, 1), r.random(d, 50, 6, 5)},
		{"contracted, long", r.empty(d, 1, 4, 5), permuted(r.random(d, 7, 300, 4), 0, 2, 1), r.random(d, 7, 300, 5)},
		{"contracted twice", r.empty(d, 1, 1, 4, 5), r.random(d, 3, 20, 4, 10), r.random(d, 3, 20, 10, 5)},
		{"contracted within", r.empty(d, 3, 1, 4, 5), r.random(d, 3, 20, 4, 10), r.random(d, 3, 20, 10, 5)},
		{"contracted around", r.empty(d, 1, 3, 4, 5), r.random(d, 20, 3, 4, 10), broadcast(r.random(d, 20, 1, 10, 5), 1, 3)},
		{"contracted empty", r.empty(d, 1, 4, 5), r.random(d, 0, 4, 6), r.random(d, 0, 6, 5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, accumulate := range []bool{false, true} {
				r.checkProduct(backend.Cmd{Op: backend.MatMul, Accumulate: accumulate,
					Dst: []backend.View{tt.dst}, Src: []backend.View{tt.a, tt.b}})
			}
		})
	}
}

func BenchmarkMatMul(b *testing.B) {
	shapes := []struct {
		name string
		make func(r *rig, d backend.DType) backend.Cmd
		macs int
	}{
		{"1024x1024x1024", plainProduct(1024, 1024, 1024), 1 << 30},
		{"50000x64x64", plainProduct(50000, 64, 64), 50000 * 64 * 64},
		{"500x64x64", plainProduct(500, 64, 64), 500 * 64 * 64},
		{"500,100x64x64,shared", sharedProduct(500, 100, 64, 64), 50000 * 64 * 64},
		{"500,100x64x2", sharedProduct(500, 100, 64, 2), 50000 * 2 * 64},
		{"500,100x2x64", sharedProduct(500, 100, 2, 64), 50000 * 2 * 64},
		{"dW,500,100,64x64", weightProduct(500, 100, 64, 64), 50000 * 64 * 64},
		{"dW,500,100,2x64", weightProduct(500, 100, 2, 64), 50000 * 2 * 64},
	}
	for _, d := range []backend.DType{backend.Float32, backend.Float64, backend.BFloat16} {
		for _, workers := range []int{1, 2} {
			for _, s := range shapes {
				b.Run(fmt.Sprintf("%v/%s/workers=%d", d, s.name, workers), func(b *testing.B) {
					r := newRig(b, workers)
					cmds := []backend.Cmd{s.make(r, d)}
					b.ReportAllocs()
					for b.Loop() {
						r.s.Exec(cmds)
					}
					require.NoError(b, r.s.Sync())
					b.ReportMetric(2*float64(s.macs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

func plainProduct(m, k, n int) func(*rig, backend.DType) backend.Cmd {
	return func(r *rig, d backend.DType) backend.Cmd {
		return backend.Cmd{Op: backend.MatMul, Dst: []backend.View{r.empty(d, m, n)},
			Src: []backend.View{r.random(d, m, k), r.random(d, k, n)}}
	}
}

func sharedProduct(batch, m, k, n int) func(*rig, backend.DType) backend.Cmd {
	return func(r *rig, d backend.DType) backend.Cmd {
		return backend.Cmd{Op: backend.MatMul, Dst: []backend.View{r.empty(d, batch, m, n)},
			Src: []backend.View{r.random(d, batch, m, k), broadcast(r.random(d, 1, k, n), 0, batch)}}
	}
}

func weightProduct(batch, t, k, n int) func(*rig, backend.DType) backend.Cmd {
	return func(r *rig, d backend.DType) backend.Cmd {
		return backend.Cmd{Op: backend.MatMul, Dst: []backend.View{r.empty(d, 1, k, n)},
			Src: []backend.View{permuted(r.random(d, batch, t, k), 0, 2, 1), r.random(d, batch, t, n)}}
	}
}

// BenchmarkNaiveMatMul is the triple loop that the kernels are to be compared with.
func BenchmarkNaiveMatMul(b *testing.B) {
	const m, k, n = 500, 64, 64
	x, y, z := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	for b.Loop() {
		for i := range m {
			for j := range n {
				var sum float32
				for l := range k {
					sum += x[i*k+l] * y[l*n+j]
				}
				z[i*n+j] = sum
			}
		}
	}
	b.ReportMetric(2*float64(m*k*n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkScalarPeak is the kernel without its loads: what scalar code can reach.
func BenchmarkScalarPeak(b *testing.B) {
	const rounds = 1000
	var c float32
	for b.Loop() {
		c += multiplyRegisters(rounds, 1, 2, 3, 4, 5, 6)
	}
	require.NotZero(b, c)
	b.ReportMetric(32*rounds*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

//go:noinline
func multiplyRegisters(rounds int, x0, x1, y0, y1, y2, y3 float32) float32 {
	var c0, c1, c2, c3, c4, c5, c6, c7 float32
	for range rounds {
		c0 += x0 * y0
		c1 += x0 * y1
		c2 += x0 * y2
		c3 += x0 * y3
		c4 += x1 * y0
		c5 += x1 * y1
		c6 += x1 * y2
		c7 += x1 * y3
		x0, x1 = x1, x0
		c0 += x0 * y0
		c1 += x0 * y1
		c2 += x0 * y2
		c3 += x0 * y3
		c4 += x1 * y0
		c5 += x1 * y1
		c6 += x1 * y2
		c7 += x1 * y3
	}
	return c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7
}
