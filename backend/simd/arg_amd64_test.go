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

// position returns where the first extreme is, and the extreme.
func position[T float](op backend.ReduceOp, term func(i int) T, terms int) (where int64, best T) {
	best = term(0)
	for i := 1; i < terms && best == best; i++ {
		x := term(i)
		if x != x || op == backend.ReduceArgMax && x > best || op == backend.ReduceArgMin && x < best {
			where, best = int64(i), x
		}
	}
	return where, best
}

// requireSame compares extremes that may be zeros of either sign.
func requireSame[T float](t *testing.T, want, got []T, format string, args ...any) {
	t.Helper()
	for i, x := range want {
		require.True(t, x == got[i] || x != x && got[i] != got[i], "element %d is %v; want %v; "+fmt.Sprintf(format, args...), i, got[i], x)
	}
}

func checkArgColumns[T float](t *testing.T, op backend.ReduceOp, a *cpu.Arg) {
	rnd := rand.New(rand.NewPCG(9, 10))
	source, values, positions := newGuarded(t, 1<<17), newGuarded(t, 1<<12), newGuarded(t, 1<<12)
	for terms := 1; terms <= 257; terms++ {
		stride := a.Width + terms%7
		place, placeInt, fill := last[T], last[int64], harsh[T]
		if terms%2 == 0 {
			place, placeInt = first[T], first[int64]
		}
		if terms%3 == 0 {
			fill = normal[T]
		}
		src, best, where := fill(rnd, place(source, (terms-1)*stride+a.Width)), place(values, a.Width), placeInt(positions, a.Width)
		wantBest, want := make([]T, a.Width), make([]int64, a.Width)
		for j := range want {
			want[j], wantBest[j] = position(op, func(i int) T { return src[i*stride+j] }, terms)
		}
		a.Columns(&where[0], unsafe.Pointer(&best[0]), unsafe.Pointer(&src[0]), stride, terms)
		require.Equal(t, want, where, "%d terms, %d apart", terms, stride)
		requireSame(t, wantBest, best, "%d terms, %d apart", terms, stride)
	}
}

func checkFind[T float](t *testing.T, op backend.ReduceOp, a *cpu.Arg) {
	rnd := rand.New(rand.NewPCG(11, 12))
	source, values, positions := newGuarded(t, 1<<16), newGuarded(t, 1<<12), newGuarded(t, 1<<12)
	for terms := 1; terms <= 257; terms++ {
		for _, fill := range []func(*rand.Rand, []T) []T{normal[T], harsh[T]} {
			place, placeInt := last[T], last[int64]
			if terms%2 == 0 {
				place, placeInt = first[T], first[int64]
			}
			lanes := rnd.Perm(1 + terms%11)
			n := len(lanes)
			src, best, where := fill(rnd, place(source, terms+n-1)), place(values, n), placeInt(positions, n)
			want := make([]int64, n)
			for i, lane := range lanes {
				want[i], _ = position(op, func(k int) T { return src[lane+k] }, terms)
			}
			a.Extreme(unsafe.Pointer(&best[0]), unsafe.Pointer(&src[0]), &lanes[0], n, terms)
			a.Find(&where[0], unsafe.Pointer(&best[0]), unsafe.Pointer(&src[0]), &lanes[0], n, terms)
			require.Equal(t, want, where, "%d terms of rows from %v on", terms, lanes)
		}
	}
}

// TestArg compares positions in rows and columns with their definition, beside protected pages.
func TestArg(t *testing.T) {
	for _, i := range inAssembly() {
		for _, op := range []backend.ReduceOp{backend.ReduceArgMax, backend.ReduceArgMin} {
			float32s, float64s := argOf(i, op, backend.Float32), argOf(i, op, backend.Float64)
			t.Run(fmt.Sprintf("%v/%v/columns/float32", i, op), func(t *testing.T) { checkArgColumns[float32](t, op, float32s) })
			t.Run(fmt.Sprintf("%v/%v/columns/float64", i, op), func(t *testing.T) { checkArgColumns[float64](t, op, float64s) })
			t.Run(fmt.Sprintf("%v/%v/rows/float32", i, op), func(t *testing.T) { checkFind[float32](t, op, float32s) })
			t.Run(fmt.Sprintf("%v/%v/rows/float64", i, op), func(t *testing.T) { checkFind[float64](t, op, float64s) })
		}
	}
}
