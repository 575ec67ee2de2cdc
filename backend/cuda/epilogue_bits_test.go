//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// layered is a product and the program that follows it, in one block of memory.
type layered struct {
	s      *stream
	memory *backend.Buffer
	before []byte // what the memory holds at first
	cmds   []backend.Cmd
}

// sizes are those of a product: of a batch, if there is one, of rows by terms times terms by cols.
type sizes struct{ batch, rows, terms, cols int }

// newLayered draws factors, a bias with extreme numbers, and what the destinations hold. The lines of factors lie side by side where across says so.
func newLayered(t *testing.T, s *stream, d backend.DType, n sizes, acrossA, acrossB bool, prog *backend.Prog) *layered {
	t.Helper()
	l := &layered{s: s}
	place := func(dims ...int) backend.View { // with room behind it that nothing may touch
		v := backend.Contiguous(nil, d, dims...)
		v.Offset = (len(l.before) + 63) / 64 * 64 / d.Size()
		l.before = append(l.before, make([]byte, (v.Offset+v.Len()+7)*d.Size()-len(l.before))...)
		return v
	}
	matrices := func(rows, cols int, across bool) backend.View {
		v := place(n.batch, rows, cols)
		if across {
			v.Strides[1], v.Strides[2] = 1, rows
		}
		return v
	}
	product := backend.Cmd{Op: backend.MatMul, Src: []backend.View{matrices(n.rows, n.terms, acrossA), matrices(n.terms, n.cols, acrossB)}}
	product.Dst = []backend.View{matrices(n.rows, n.cols, false)}
	then := backend.Cmd{Op: backend.Map, Prog: prog, Src: []backend.View{product.Dst[0]}}
	if len(prog.Ins) > 1 {
		then.Src = append(then.Src, acrossRows(place(n.cols), n.batch, n.rows, n.cols))
	}
	for range prog.Outs {
		then.Dst = append(then.Dst, matrices(n.rows, n.cols, false))
	}
	l.cmds = []backend.Cmd{product, then}

	rng := rand.New(rand.NewPCG(7, uint64(n.rows)))
	for i := 0; i < len(l.before)/d.Size(); i++ {
		encode(d, l.before[i*d.Size():], rng.NormFloat64()/math.Sqrt(math.Sqrt(float64(n.terms))))
	}
	if len(then.Src) > 1 {
		for i, x := range []float64{math.Inf(1), math.Inf(-1), 1e30, -1e30, 20, -20, 8.5, -8.5, -14, -37} {
			if i < n.cols {
				encode(d, l.before[(then.Src[1].Offset+i)*d.Size():], x)
			}
		}
	}
	l.memory = alloc(t, s.dev, len(l.before))
	for i := range l.cmds {
		for _, views := range [][]backend.View{l.cmds[i].Dst, l.cmds[i].Src} {
			for k := range views {
				views[k].Buf = l.memory
			}
		}
	}
	return l
}

// after returns what the memory holds when execute has run.
func (l *layered) after(t *testing.T, execute func()) []byte {
	t.Helper()
	l.s.Upload(l.memory, 0, l.before)
	execute()
	got := make([]byte, len(l.before))
	require.NoError(t, l.s.Download(got, l.memory, 0))
	return got
}

// apart executes the commands one by one, so that nothing is taken over.
func (l *layered) apart() {
	for i := range l.cmds {
		l.s.Exec(l.cmds[i : i+1])
	}
}

// joined launches one kernel of that tile for both.
func (l *layered) joined(t *testing.T, how arithmetic, with tile, run int64) {
	t.Helper()
	m, b := &l.cmds[0], &l.s.batch
	p := product{d: &m.Dst[0], a: &m.Src[0], b: &m.Src[1], accumulate: m.Accumulate, arithmetic: how}
	p.split()
	require.True(t, p.conclude(l.cmds[1:]))
	b.reset()
	b.arena.reset()
	p.lower(b, with, run)
	require.NoError(t, b.err)
	require.Len(t, b.nodes, 1)
	require.NoError(t, l.s.submit())
}

// layers returns programs that a product takes over.
func layers(t *testing.T, d backend.DType) []*backend.Prog {
	return []*backend.Prog{
		layer(t, d, true, backend.GELU, backend.GELUGrad),
		layer(t, d, true, backend.NoMapOp),
		layer(t, d, true, backend.GELU),
		layer(t, d, true, backend.NoMapOp, backend.GELUGrad),
		layer(t, d, false, backend.GELUGrad, backend.GELU),
	}
}

// A layer of one kernel has the bits of its commands, whatever the type, the tile, the layout of the factors and the number of leaves in a block.
func TestALayerHasTheBitsOfItsCommands(t *testing.T) {
	for _, c := range products {
		how := arithmeticOf(c.dtype, c.precision)
		s := openStream(t, open(t, backend.Options{Precision: c.precision}))
		programs := layers(t, c.dtype)
		for i, with := range how.tiles {
			for layout, n := range []sizes{{1, 130, 264, 40}, {1, 67, 5, 36}, {1, 65, 261, 72}, {1, 131, 36, 35}} {
				l := newLayered(t, s, c.dtype, n, layout >= 2, layout%2 > 0, programs[(i+layout)%len(programs)])
				l.cmds[0].Accumulate = layout == 2
				want := l.after(t, l.apart)
				run := int64((n.terms + backend.MatMulGrain - 1) / backend.MatMulGrain)
				if (&product{d: &l.cmds[0].Dst[0], arithmetic: how}).shared(with, run) > mostShared {
					continue
				}
				got := l.after(t, func() { l.joined(t, how, with, run) })
				require.True(t, string(want) == string(got), "%s, tile %v, layout %d, %v", how.name, with, layout, l.cmds[1].Prog)
			}
		}
	}
}

// The same by Exec, where the tile is that of the product alone and commands that cannot be joined are not.
func TestLayersOfAnyLayoutHaveTheBitsOfTheirCommands(t *testing.T) {
	changes := map[string]struct {
		sizes
		change func(l *layered)
		joined bool
	}{
		"rows and columns":       {sizes{1, 70, 40, 33}, func(*layered) {}, true},
		"few rows":               {sizes{1, 3, 40, 70}, func(*layered) {}, true},
		"few columns":            {sizes{1, 150, 40, 2}, func(*layered) {}, true},
		"a batch":                {sizes{5, 20, 16, 24}, func(*layered) {}, true},
		"no terms":               {sizes{1, 20, 0, 24}, func(*layered) {}, true},
		"many terms":             {sizes{1, 20, 700, 24}, func(*layered) {}, false},
		"a batch of one weight":  {sizes{5, 20, 16, 24}, func(l *layered) { l.cmds[0].Src[1].Strides[0] = 0 }, true},
		"a product added to":     {sizes{2, 20, 16, 24}, func(l *layered) { l.cmds[0].Accumulate = true }, true},
		"a transposed product":   {sizes{1, 40, 16, 24}, func(l *layered) { l.each(func(v *backend.View) { v.Strides[1], v.Strides[2] = 1, 40 }) }, true},
		"a product bottom up":    {sizes{1, 40, 16, 24}, func(l *layered) { l.each(func(v *backend.View) { v.Offset += 39 * 24; v.Strides[1] = -24 }) }, true},
		"in the product's place": {sizes{3, 20, 16, 24}, func(l *layered) { l.cmds[1].Dst[0] = l.cmds[0].Dst[0] }, true},
		"a reversed bias": {sizes{3, 20, 16, 24}, func(l *layered) {
			if b := l.cmds[1].Src; len(b) > 1 {
				b[1].Offset, b[1].Strides[2] = b[1].Offset+23, -1
			}
		}, true},
		"in a factor's place": {sizes{3, 20, 24, 24}, func(l *layered) { l.cmds[1].Dst[0] = l.cmds[0].Src[0] }, false},
		"in other strides":    {sizes{1, 40, 16, 24}, func(l *layered) { v := &l.cmds[1].Dst[0]; v.Strides[1], v.Strides[2] = 1, 40 }, false},
	}
	for _, d := range []backend.DType{backend.Float32, backend.Float64, backend.BFloat16, backend.Float16} {
		s := openStream(t, open(t, backend.Options{}))
		for name, c := range changes {
			for _, prog := range layers(t, d) {
				t.Run(fmt.Sprintf("%v/%s/%v", d, name, prog), func(t *testing.T) {
					l := newLayered(t, s, d, c.sizes, false, false, prog)
					c.change(l)
					want := l.after(t, l.apart)
					got := l.after(t, func() { s.Exec(l.cmds) })
					require.True(t, string(want) == string(got))
					require.Equal(t, c.joined, len(s.batch.nodes) == 1, "%d launches", len(s.batch.nodes))
				})
			}
		}
	}
}

// each changes the views of the product and of what is made of it.
func (l *layered) each(change func(v *backend.View)) {
	change(&l.cmds[0].Dst[0])
	change(&l.cmds[1].Src[0])
	for k := range l.cmds[1].Dst {
		change(&l.cmds[1].Dst[k])
	}
}

// A product that a later command overwrites is not stored; one that may be read is.
func TestAProductThatNobodyReadsIsNotStored(t *testing.T) {
	s := openStream(t, open(t, backend.Options{}))
	how := arithmeticOf(backend.Float32, "")
	l := newLayered(t, s, backend.Float32, sizes{1, 40, 16, 24}, false, false, layers(t, backend.Float32)[0])
	d := &l.cmds[0].Dst[0]
	product := func(memory []byte) string { return string(memory[4*d.Offset : 4*(d.Offset+d.Len())]) }
	joined := func() { l.joined(t, how, how.tiles[0], 1) }
	apart := l.after(t, l.apart)
	require.Equal(t, product(apart), product(l.after(t, joined)))

	l.cmds = append(l.cmds, backend.Cmd{Op: backend.Copy, Dst: l.cmds[0].Dst, Src: l.cmds[1].Dst[1:]})
	require.Equal(t, product(l.before), product(l.after(t, joined)), "before the copy")
	require.True(t, string(l.after(t, l.apart)) == string(l.after(t, func() { s.Exec(l.cmds) })))
}
