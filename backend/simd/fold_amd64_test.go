//go:build unix

package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

func checkColumns[T float](t *testing.T, c *cpu.Fold) {
	rnd := rand.New(rand.NewPCG(5, 6))
	source, result := newGuarded(t, 1<<16), newGuarded(t, 1<<12)
	for terms := 1; terms <= 257; terms++ {
		stride := c.Width + terms%7
		src := last[T](source, (terms-1)*stride+c.Width)
		dst := last[T](result, c.Width)
		if terms%2 == 0 {
			src, dst = first[T](source, len(src)), first[T](result, len(dst))
		}
		for i := range src {
			src[i] = T(rnd.NormFloat64())
		}
		want := make([]T, c.Width)
		for j := range want {
			var s [4]float64
			for i := range terms {
				s[i%4] += float64(src[i*stride+j])
			}
			want[j] = T((s[0] + s[1]) + (s[2] + s[3]))
		}
		c.Columns(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), stride, terms)
		require.Equal(t, want, dst, "%d terms, %d apart", terms, stride)
	}
}

func checkRows[T float](t *testing.T, c *cpu.Fold) {
	rnd := rand.New(rand.NewPCG(7, 8))
	source, result := newGuarded(t, 1<<16), newGuarded(t, 1<<12)
	for terms := 1; terms <= 257; terms++ {
		lanes := []int{terms + 3, 0, 2*terms + 4}
		src := normal(rnd, last[T](source, lanes[2]+terms))
		dst := last[T](result, len(lanes))
		if terms%2 == 0 {
			src, dst = normal(rnd, first[T](source, len(src))), first[T](result, len(dst))
		}
		want := make([]T, len(lanes))
		for i, lane := range lanes {
			var s [4]float64
			for k := range terms {
				s[k%4] += float64(src[lane+k])
			}
			want[i] = T((s[0] + s[1]) + (s[2] + s[3]))
		}
		c.Rows(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), &lanes[0], len(lanes), terms)
		require.Equal(t, want, dst, "%d terms", terms)
	}
}

// TestRows compares sums of rows with their definition, as TestColumns does.
func TestRows(t *testing.T) {
	for _, i := range inAssembly() {
		t.Run(fmt.Sprintf("%v/float32", i), func(t *testing.T) { checkRows[float32](t, foldOf(i, backend.ReduceSum, backend.Float32)) })
		t.Run(fmt.Sprintf("%v/float64", i), func(t *testing.T) { checkRows[float64](t, foldOf(i, backend.ReduceSum, backend.Float64)) })
	}
}

// TestColumns compares sums with their definition, bit by bit, beside protected pages.
func TestColumns(t *testing.T) {
	for _, i := range present() {
		if i == off {
			continue
		}
		t.Run(fmt.Sprintf("%v/float32", i), func(t *testing.T) { checkColumns[float32](t, foldOf(i, backend.ReduceSum, backend.Float32)) })
		t.Run(fmt.Sprintf("%v/float64", i), func(t *testing.T) { checkColumns[float64](t, foldOf(i, backend.ReduceSum, backend.Float64)) })
	}
}

// BenchmarkReduce reduces the rows of a matrix, as a softmax does, its columns, as the gradient of a bias does, and all of it.
func BenchmarkReduce(b *testing.B) {
	const rows, cols = 50000, 64
	for _, i := range present() {
		for _, d := range []backend.DType{backend.Float32, backend.Float64} {
			for op := backend.ReduceSum; op <= backend.ReduceArgMin; op++ {
				for _, to := range [][2]int{{rows, 1}, {1, cols}, {1, 1}} {
					if op.IsArg() && to == [2]int{1, 1} {
						continue // takes one axis
					}
					b.Run(fmt.Sprintf("%v/%v/%v/%dx%d to %dx%d", op, d, i, rows, cols, to[0], to[1]), func(b *testing.B) {
						dev, err := open(i, backend.Options{Workers: 1})
						require.NoError(b, err)
						stream, err := dev.NewStream()
						require.NoError(b, err)
						src, result := operand(b, dev, d, rows, cols), d
						if op.IsArg() {
							result = backend.Int64
						}
						dst := operand(b, dev, result, to[0], to[1])
						cmds := []backend.Cmd{{Op: backend.Reduce, ReduceOp: op, Dst: []backend.View{dst}, Src: []backend.View{src}}}
						b.ReportAllocs()
						b.SetBytes(int64(src.Buf.Size))
						for b.Loop() {
							stream.Exec(cmds)
						}
						require.NoError(b, stream.Sync())
					})
				}
			}
		}
	}
}
