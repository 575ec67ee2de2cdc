//go:build unix

package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

// foldsInAssembly are the reductions that have loops.
var foldsInAssembly = []backend.ReduceOp{backend.ReduceSum, backend.ReduceProd, backend.ReduceMax, backend.ReduceMin}

// folded reduces as cpu.Fold says.
func folded[T float](op backend.ReduceOp, term func(i int) T, terms int) T {
	switch op {
	case backend.ReduceMax, backend.ReduceMin:
		extreme := term(0)
		for i := range terms {
			if op == backend.ReduceMax {
				extreme = max(extreme, term(i))
			} else {
				extreme = min(extreme, term(i))
			}
		}
		return extreme
	case backend.ReduceProd:
		p := [4]float64{1, 1, 1, 1}
		for i := range terms {
			p[i%4] *= float64(term(i))
		}
		return T((p[0] * p[1]) * (p[2] * p[3]))
	}
	var s [4]float64
	for i := range terms {
		s[i%4] += float64(term(i))
	}
	return T((s[0] + s[1]) + (s[2] + s[3]))
}

// requireBits requires equal bits, or NaN of both.
func requireBits[T float](t *testing.T, want, got []T, format string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, x := range want {
		y := got[i]
		same := x == y && math.Signbit(float64(x)) == math.Signbit(float64(y)) || x != x && y != y
		require.True(t, same, "element %d is %v; want %v; "+fmt.Sprintf(format, args...), i, y, x)
	}
}

// harsh fills at with zeros of both signs, infinities and numbers that often tie, and sometimes NaN.
func harsh[T float](rnd *rand.Rand, at []T) []T {
	values := []float64{0, math.Copysign(0, -1), -1, 1, math.Inf(-1), -0.5}
	n := 1 + rnd.IntN(len(values))
	for i := range at {
		at[i] = T(values[rnd.IntN(n)])
	}
	for len(at) > 0 && rnd.IntN(2) == 0 {
		at[rnd.IntN(len(at))] = T(math.NaN())
	}
	if rnd.IntN(4) == 0 && len(at) > 0 {
		at[rnd.IntN(len(at))] = T(math.Copysign(math.NaN(), -1))
	}
	return at
}

func checkColumns[T float](t *testing.T, op backend.ReduceOp, f *cpu.Fold) {
	rnd := rand.New(rand.NewPCG(5, 6))
	source, result := newGuarded(t, 1<<16), newGuarded(t, 1<<12)
	for terms := 1; terms <= 257; terms++ {
		stride := f.Width + terms%7
		place, fill := last[T], normal[T]
		if terms%2 == 0 {
			place = first[T]
		}
		if terms%3 == 0 {
			fill = harsh[T]
		}
		src, dst := fill(rnd, place(source, (terms-1)*stride+f.Width)), place(result, f.Width)
		want := make([]T, f.Width)
		for j := range want {
			want[j] = folded(op, func(i int) T { return src[i*stride+j] }, terms)
		}
		f.Columns(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), stride, terms)
		requireBits(t, want, dst, "%d terms, %d apart", terms, stride)
	}
}

// checkRows folds rows that overlap, at every alignment, so many of them that some are left of groups.
func checkRows[T float](t *testing.T, op backend.ReduceOp, f *cpu.Fold) {
	rnd := rand.New(rand.NewPCG(7, 8))
	source, result := newGuarded(t, 1<<16), newGuarded(t, 1<<12)
	for terms := 1; terms <= 257; terms++ {
		for _, fill := range []func(*rand.Rand, []T) []T{normal[T], harsh[T]} {
			place := []func(guarded, int) []T{first[T], last[T]}[terms%2]
			lanes := rnd.Perm(1 + terms%11)
			src, dst := fill(rnd, place(source, terms+len(lanes)-1)), place(result, len(lanes))
			want := make([]T, len(lanes))
			for i, lane := range lanes {
				want[i] = folded(op, func(k int) T { return src[lane+k] }, terms)
			}
			f.Rows(unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0]), &lanes[0], len(lanes), terms)
			requireBits(t, want, dst, "%d terms of rows from %v on", terms, lanes)
		}
	}
}

// TestRows compares reductions of rows with their definition, bit by bit, beside protected pages.
func TestRows(t *testing.T) {
	for _, i := range inAssembly() {
		for _, op := range foldsInAssembly {
			t.Run(fmt.Sprintf("%v/%v/float32", i, op), func(t *testing.T) { checkRows[float32](t, op, foldOf(i, op, backend.Float32)) })
			t.Run(fmt.Sprintf("%v/%v/float64", i, op), func(t *testing.T) { checkRows[float64](t, op, foldOf(i, op, backend.Float64)) })
		}
	}
}

// TestColumns compares those of columns.
func TestColumns(t *testing.T) {
	for _, i := range inAssembly() {
		for _, op := range foldsInAssembly[:2] {
			t.Run(fmt.Sprintf("%v/%v/float32", i, op), func(t *testing.T) { checkColumns[float32](t, op, foldOf(i, op, backend.Float32)) })
			t.Run(fmt.Sprintf("%v/%v/float64", i, op), func(t *testing.T) { checkColumns[float64](t, op, foldOf(i, op, backend.Float64)) })
		}
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
