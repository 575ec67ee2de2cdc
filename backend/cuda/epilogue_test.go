package cuda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// layer returns the program of a layer: what it stores of y = x + bias, or of x.
func layer(t testing.TB, d backend.DType, bias bool, stored ...backend.MapOp) *backend.Prog {
	t.Helper()
	ins, y := []backend.DType{d}, backend.Value(0)
	var code []backend.Instr
	if bias {
		ins, y = append(ins, d), 2
		code = append(code, backend.Instr{Op: backend.Add, DType: d, A: 0, B: 1})
	}
	var outs []backend.Value
	for _, op := range stored {
		if op == backend.NoMapOp {
			outs = append(outs, y)
			continue
		}
		outs = append(outs, backend.Value(len(ins)+len(code)))
		code = append(code, backend.Instr{Op: op, DType: d, A: y})
	}
	p, err := backend.NewProg(ins, nil, code, outs)
	require.NoError(t, err)
	return p
}

// at returns a view of memory that begins at a byte of a buffer.
func viewAt(b *backend.Buffer, first int, d backend.DType, dims ...int) backend.View {
	v := backend.Contiguous(b, d, dims...)
	v.Offset = first / d.Size()
	return v
}

// acrossRows returns a vector as a view of a shape whose rows are all it.
func acrossRows(v backend.View, dims ...int) backend.View {
	column := v.Strides[0]
	v.Rank = len(dims)
	copy(v.Dims[:], dims)
	clear(v.Strides[:])
	v.Strides[len(dims)-1] = column
	return v
}

func TestWhichProgramsAProductTakesOver(t *testing.T) {
	const f32 = backend.Float32
	memory := &backend.Buffer{Size: 1 << 30, Addr: 1 << 40}
	const megabyte = 1 << 20
	matmul := func() backend.Cmd {
		return backend.Cmd{Op: backend.MatMul, Dst: []backend.View{viewAt(memory, 0, f32, 3, 50, 64)},
			Src: []backend.View{viewAt(memory, megabyte, f32, 3, 50, 32), acrossRows(viewAt(memory, 2*megabyte, f32, 64), 3, 32, 64)}}
	}
	program := func(p *backend.Prog) backend.Cmd {
		c := backend.Cmd{Op: backend.Map, Prog: p, Src: []backend.View{viewAt(memory, 0, f32, 3, 50, 64)}}
		if len(p.Ins) > 1 {
			c.Src = append(c.Src, acrossRows(viewAt(memory, 3*megabyte, f32, 64), 3, 50, 64))
		}
		for k := range p.Outs {
			c.Dst = append(c.Dst, viewAt(memory, (4+k)*megabyte, f32, 3, 50, 64))
		}
		return c
	}
	both := layer(t, f32, true, backend.GELU, backend.GELUGrad)
	scaled, err := backend.NewProg([]backend.DType{f32, f32}, []backend.DType{f32},
		[]backend.Instr{{Op: backend.Add, DType: f32, A: 0, B: 1}, {Op: backend.Mul, DType: f32, A: 3, B: 2}}, []backend.Value{4})
	require.NoError(t, err)
	ofBias, err := backend.NewProg([]backend.DType{f32, f32}, nil,
		[]backend.Instr{{Op: backend.Add, DType: f32, A: 0, B: 1}, {Op: backend.GELU, DType: f32, A: 1}}, []backend.Value{3})
	require.NoError(t, err)
	for _, test := range []struct {
		name   string
		prog   *backend.Prog
		change func(product, program *backend.Cmd)
		want   bool
	}{
		{"bias", layer(t, f32, true, backend.NoMapOp), nil, true},
		{"bias and GELU", layer(t, f32, true, backend.GELU), nil, true},
		{"bias, GELU and its derivative", both, nil, true},
		{"the derivative first", layer(t, f32, true, backend.GELUGrad, backend.GELU), nil, true},
		{"bias, kept beside GELU", layer(t, f32, true, backend.NoMapOp, backend.GELU), nil, true},
		{"GELU alone", layer(t, f32, false, backend.GELU), nil, true},
		{"bias first", both, func(_, c *backend.Cmd) { c.Src[0], c.Src[1] = c.Src[1], c.Src[0] }, true},
		{"in the product's place", both, func(_, c *backend.Cmd) { c.Dst[1] = c.Src[0] }, true},
		{"a product that is added to", both, func(m, _ *backend.Cmd) { m.Accumulate = true }, true},
		{"weights of each of a batch", both, func(m, _ *backend.Cmd) { m.Src[1] = viewAt(memory, 8*megabyte, f32, 3, 32, 64) }, true},
		{"every other number of a vector", both, func(_, c *backend.Cmd) { c.Src[1].Strides[2] = 2 }, true},

		{"another function", layer(t, f32, true, backend.Tanh), nil, false},
		{"a function of the bias", ofBias, nil, false},
		{"three results", layer(t, f32, true, backend.NoMapOp, backend.GELU, backend.GELUGrad), nil, false},
		{"a factor", scaled, func(_, c *backend.Cmd) { c.Imm = []float64{2} }, false},
		{"a number a row", both, func(_, c *backend.Cmd) { c.Src[1].Strides = [backend.MaxRank]int{0, 1} }, false},
		{"a vector for each of a batch", both, func(_, c *backend.Cmd) { c.Src[1].Strides[0] = 64 }, false},
		{"the product itself as bias", both, func(_, c *backend.Cmd) { c.Src[1] = c.Src[0] }, false},
		{"a row of the product as bias", both, func(_, c *backend.Cmd) { c.Src[1].Offset = 0 }, false},
		{"results where a factor was", both, func(_, c *backend.Cmd) { c.Dst[0].Offset = megabyte / 4 }, false},
		{"results where the other factor was", both, func(_, c *backend.Cmd) { c.Dst[1].Offset = 2 * megabyte / 4 }, false},
		{"results in other strides", both, func(_, c *backend.Cmd) { c.Dst[0].Strides = [backend.MaxRank]int{6400, 128, 2} }, false},
		{"another product", both, func(_, c *backend.Cmd) { c.Src[0].Offset = 7 * megabyte / 4 }, false},
		{"a sum of several launches", both, func(m, _ *backend.Cmd) {
			m.Src[0] = viewAt(memory, 16*megabyte, f32, 3, 50, 4096)
			m.Src[1] = acrossRows(viewAt(memory, 2*megabyte, f32, 64), 3, 4096, 64)
		}, false},
		{"no terms to add to", both, func(m, _ *backend.Cmd) {
			m.Accumulate = true
			m.Src[0], m.Src[1] = viewAt(memory, megabyte, f32, 3, 50, 0), viewAt(memory, megabyte, f32, 3, 0, 64)
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			product, then := matmul(), program(test.prog)
			if test.change != nil {
				test.change(&product, &then)
			}
			cmds := []backend.Cmd{product, then}
			for i := range cmds {
				require.NoError(t, cmds[i].Check())
			}
			b := &batch{on: newCatalogue(), faults: faults{record: 64}}
			done := b.lower(cmds)
			require.NoError(t, b.err)
			require.Equal(t, test.want, done == 2)
			require.Equal(t, done, b.command)
		})
	}
}

func TestAProductThatIsReadIsStored(t *testing.T) {
	const f32 = backend.Float32
	memory := &backend.Buffer{Size: 1 << 20, Addr: 1 << 40}
	product := viewAt(memory, 4096, f32, 16, 16) // 1 KiB
	set := func(from, bytes int) backend.Cmd {
		p, err := backend.NewProg(nil, []backend.DType{f32}, nil, []backend.Value{0})
		require.NoError(t, err)
		return backend.Cmd{Op: backend.Map, Prog: p, Imm: []float64{1}, Dst: []backend.View{viewAt(memory, from, f32, bytes/4)}}
	}
	copies := func(from, bytes int) backend.Cmd {
		return backend.Cmd{Op: backend.Copy, Dst: []backend.View{viewAt(memory, 1<<19, f32, bytes/4)}, Src: []backend.View{viewAt(memory, from, f32, bytes/4)}}
	}
	adds := backend.Cmd{Op: backend.MatMul, Accumulate: true, Dst: []backend.View{product},
		Src: []backend.View{viewAt(memory, 1<<16, f32, 16, 16), viewAt(memory, 1<<17, f32, 16, 16)}}
	sparse := set(4096, 1024)
	sparse.Dst[0].Strides[0] = 2
	for _, test := range []struct {
		name  string
		after []backend.Cmd
		want  bool
	}{
		{"nothing follows", nil, true},
		{"it is overwritten", []backend.Cmd{set(4096, 1024)}, false},
		{"with more around it", []backend.Cmd{set(0, 1<<16)}, false},
		{"in parts", []backend.Cmd{set(4096+512, 4096), set(2048, 4096-2048+128), set(4096+128, 512-128)}, false},
		{"but for a number", []backend.Cmd{set(4096, 1020)}, true},
		{"but for what lies between", []backend.Cmd{sparse}, true},
		{"it is read", []backend.Cmd{copies(5000, 4), set(4096, 1024)}, true},
		{"what is read was overwritten", []backend.Cmd{set(4096, 512), copies(4096, 512), set(4096+512, 512)}, false},
		{"what lies beside it is read", []backend.Cmd{copies(0, 4096), copies(5120, 4096), set(4096, 1024)}, false},
		{"it is added to", []backend.Cmd{adds, set(4096, 1024)}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.after {
				require.NoError(t, test.after[i].Check())
			}
			require.Equal(t, test.want, !overwritten(&product, test.after))
		})
	}
}
