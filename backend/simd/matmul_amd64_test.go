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

type float interface{ float32 | float64 }

// fma returns x·y + z, rounded once: a float64 holds a product of float32 exactly, and its sum with a third is rounded to odd.
func fma[T float](x, y, z T) T {
	var t T
	if unsafe.Sizeof(t) == 8 {
		return T(math.FMA(float64(x), float64(y), float64(z)))
	}
	p, q := float64(x)*float64(y), float64(z)
	s := p + q
	back := s - p
	if rest := (p - (s - back)) + (q - back); rest != 0 && math.Float64bits(s)&1 == 0 {
		s = math.Float64frombits(math.Float64bits(s) + oddStep(s, rest))
	}
	return T(s)
}

// oddStep is what makes s, which is even, the odd neighbour on the side of the rest.
func oddStep(s, rest float64) uint64 {
	if (s > 0) == (rest > 0) {
		return 1
	}
	return ^uint64(0)
}

// tileCase is a call of a tile on guarded memory.
type tileCase struct {
	terms, rows, cols int
	rowA, termA       int
	rowC, termB       int
	atEnd, add        bool
}

func checkTile[T float](t *testing.T, tile *cpu.Tile, rnd *rand.Rand, memory [3]guarded, x tileCase) {
	t.Helper()
	place := func(g guarded, n int) []T {
		if x.atEnd {
			return last[T](g, n)
		}
		return first[T](g, n)
	}
	a := place(memory[0], (x.rows-1)*x.rowA+(x.terms-1)*x.termA+1)
	b := place(memory[1], (x.terms-1)*x.termB+x.cols)
	c := place(memory[2], (x.rows-1)*x.rowC+x.cols)
	for _, s := range [][]T{a, b, c} {
		for i := range s {
			s[i] = T(rnd.NormFloat64())
		}
	}
	want := append([]T(nil), c...)
	for i := range x.rows {
		for j := range x.cols {
			var sum T
			for k := range x.terms {
				sum = fma(a[i*x.rowA+k*x.termA], b[k*x.termB+j], sum)
			}
			if x.add {
				sum = c[i*x.rowC+j] + sum
			}
			want[i*x.rowC+j] = sum
		}
	}
	tile.Multiply(unsafe.Pointer(&c[0]), x.rowC, unsafe.Pointer(&a[0]), x.rowA, x.termA, unsafe.Pointer(&b[0]), x.termB,
		x.terms, x.rows, x.cols, x.add)
	require.Equal(t, want, c, "%+v", x)
}

func checkTiles[T float](t *testing.T, tile *cpu.Tile) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var memory [3]guarded
	for i := range memory {
		memory[i] = newGuarded(t, 1<<20)
	}
	for rows := 1; rows <= tile.Rows; rows++ {
		for cols := 1; cols <= tile.Cols; cols++ {
			for _, terms := range []int{1, 2, 7} {
				for variant := range 4 {
					x := tileCase{terms: terms, rows: rows, cols: cols, rowA: terms + 3, termA: 1, rowC: cols, termB: cols,
						atEnd: variant&1 == 1, add: variant&2 == 2}
					checkTile[T](t, tile, rnd, memory, x)
					x.rowA, x.termA, x.rowC, x.termB = 1, rows, cols+5, cols+1
					checkTile[T](t, tile, rnd, memory, x)
				}
			}
		}
	}
	for terms := 1; terms <= backend.MatMulGrain+1; terms++ {
		x := tileCase{terms: terms, rows: 1 + terms%tile.Rows, cols: 1 + terms%tile.Cols, rowA: terms, termA: 1,
			rowC: tile.Cols, termB: tile.Cols, atEnd: true}
		checkTile[T](t, tile, rnd, memory, x)
	}
}

// TestTiles compares every size of a tile with its definition, bit by bit: so a row of a full tile has the bits it has in a tile of its own.
// The operands begin or end beside protected pages, at every alignment.
func TestTiles(t *testing.T) {
	for _, i := range present() {
		if i == off {
			continue
		}
		t.Run(fmt.Sprintf("%v/float32", i), func(t *testing.T) { checkTiles[float32](t, tileOf(i, backend.Float32)) })
		t.Run(fmt.Sprintf("%v/float64", i), func(t *testing.T) { checkTiles[float64](t, tileOf(i, backend.Float64)) })
	}
}
