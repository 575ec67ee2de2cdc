//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// onBoth runs commands on the device and on package cpu, from the same random memory, and requires the same bytes. The commands are made for the
// buffers that they are given, one of each size.
func onBoth(t *testing.T, sizes []int, commands func(buffers []*backend.Buffer) []backend.Cmd) {
	t.Helper()
	var results [2][][]byte
	for i, dev := range []backend.Device{host(t, "cpu"), emulated(t)} {
		r := rand.New(rand.NewPCG(1, 2))
		s, err := dev.NewStream()
		require.NoError(t, err)
		var buffers []*backend.Buffer
		for _, size := range sizes {
			b, err := dev.Alloc(size)
			require.NoError(t, err)
			content := make([]float32, size/4+1)
			for k := range content {
				content[k] = float32(r.IntN(1000)) / 8
			}
			s.Upload(b, 0, backend.AsBytes(content)[:size])
			buffers = append(buffers, b)
		}
		s.Exec(commands(buffers))
		for k, b := range buffers {
			result := make([]byte, sizes[k])
			require.NoError(t, s.Download(result, b, 0))
			results[i] = append(results[i], result)
			dev.Free(b)
		}
		require.NoError(t, s.Close())
	}
	for k := range sizes {
		require.Equal(t, results[0][k], results[1][k], "buffer %d", k)
	}
}

// adamStep returns an optimizer's step on float32, of four sources and three destinations.
func adamStep(t *testing.T) *backend.Prog {
	t.Helper()
	f := backend.Float32
	ins, params := []backend.DType{f, f, f, f}, []backend.DType{f, f, f, f}
	var code []backend.Instr
	next := backend.Value(len(ins) + len(params))
	emit := func(op backend.MapOp, a, b backend.Value) backend.Value {
		code = append(code, backend.Instr{Op: op, DType: f, A: a, B: b})
		next++
		return next - 1
	}
	const weight, grad, m, v, beta1, beta2, rate, eps = 0, 1, 2, 3, 4, 5, 6, 7
	m1 := emit(backend.Add, emit(backend.Mul, m, beta1), grad)
	v1 := emit(backend.Add, emit(backend.Mul, v, beta2), emit(backend.Mul, grad, grad))
	root := emit(backend.Add, emit(backend.Sqrt, v1, 0), eps)
	w1 := emit(backend.Sub, weight, emit(backend.Div, emit(backend.Mul, m1, rate), root))
	p, err := backend.NewProg(ins, params, code, []backend.Value{w1, m1, v1})
	require.NoError(t, err)
	return p
}

// apart returns n float32 or a few more: as many as begin at addresses that vectors can have.
func apart(n int) int { return (n + 3) &^ 3 }

func TestAnOptimizersStepIsOneLaunch(t *testing.T) {
	lengths := []int{2, 3, 4, 5, 64, 127, 128, 129, 1000, 4096}
	var sizes []int
	for _, n := range lengths {
		sizes = append(sizes, 16*apart(n))
	}
	p := adamStep(t)
	steps := func(buffers []*backend.Buffer) []backend.Cmd {
		var cmds []backend.Cmd
		for i, n := range lengths {
			var v [4]backend.View
			for k := range v {
				v[k] = backend.Contiguous(buffers[i], backend.Float32, n)
				v[k].Offset = k * apart(n)
			}
			cmds = append(cmds, backend.Cmd{
				Op: backend.Map, Prog: p, Imm: []float64{0.9, 0.999, 0.1 * float64(i), 1e-8},
				Dst: []backend.View{v[0], v[2], v[3]}, Src: []backend.View{v[0], v[1], v[2], v[3]},
			})
		}
		return cmds
	}
	onBoth(t, sizes, steps)
	b, paper := newBatch()
	var buffers []*backend.Buffer
	for _, size := range sizes {
		buffers = append(buffers, block(paper, size))
	}
	for _, c := range steps(buffers) {
		b.lower([]backend.Cmd{c})
	}
	require.NoError(t, b.err)
	require.Len(t, b.nodes, 1)
}

// TestProgramsOfAnyLength sums many sources, whose parameters are too many for a launch, and one source many times.
func TestProgramsOfAnyLength(t *testing.T) {
	const sources, n = 700, 37
	f := backend.Float32
	ins := make([]backend.DType, sources)
	for i := range ins {
		ins[i] = f
	}
	var wide, long []backend.Instr
	sum := backend.Value(0)
	for i := 1; i < sources; i++ {
		wide = append(wide, backend.Instr{Op: backend.Add, DType: f, A: sum, B: backend.Value(i)})
		sum = backend.Value(sources + i - 1)
	}
	for i := range 3000 {
		op := []backend.MapOp{backend.Add, backend.Mul, backend.Sub, backend.Div}[i%4]
		long = append(long, backend.Instr{Op: op, DType: f, A: backend.Value(i), B: 0})
	}
	many, err := backend.NewProg(ins, nil, wide, []backend.Value{sum})
	require.NoError(t, err)
	deep, err := backend.NewProg(ins[:1], nil, long, []backend.Value{3000})
	require.NoError(t, err)
	onBoth(t, []int{4 * n * sources, 4 * n, 4 * n}, func(b []*backend.Buffer) []backend.Cmd {
		var src []backend.View
		for i := range sources {
			v := backend.View{Buf: b[0], Offset: i, DType: f, Rank: 1, Dims: [8]int{n}, Strides: [8]int{sources}}
			if i%2 == 0 {
				v = backend.View{Buf: b[0], Offset: i * n, DType: f, Rank: 1, Dims: [8]int{n}, Strides: [8]int{1}}
			}
			src = append(src, v)
		}
		return []backend.Cmd{
			{Op: backend.Map, Prog: many, Dst: []backend.View{backend.Contiguous(b[1], f, n)}, Src: src},
			{Op: backend.Map, Prog: deep, Dst: []backend.View{backend.Contiguous(b[2], f, n)}, Src: []backend.View{backend.Contiguous(b[1], f, n)}},
		}
	})
}

func TestCopiesTurnMatrices(t *testing.T) {
	for _, d := range []backend.DType{backend.Uint8, backend.Float16, backend.Int32, backend.Float64} {
		for _, dims := range [][3]int{{1, 8, 8}, {1, 33, 65}, {3, 64, 31}, {2, 100, 70}, {5, 9, 200}} {
			t.Run(fmt.Sprint(d, dims), func(t *testing.T) {
				k, n, m := dims[0], dims[1], dims[2]
				onBoth(t, []int{k * n * m * d.Size(), 2 * k * n * m * d.Size()}, func(b []*backend.Buffer) []backend.Cmd {
					shape := [8]int{k, n, m}
					src := backend.View{Buf: b[0], DType: d, Rank: 3, Dims: shape, Strides: [8]int{n * m, 1, n}}
					gaps := backend.View{Buf: b[1], DType: d, Rank: 3, Dims: shape, Strides: [8]int{2 * n * m, 2 * m, 1}}
					return []backend.Cmd{{Op: backend.Copy, Dst: []backend.View{gaps}, Src: []backend.View{src}}}
				})
			})
		}
	}
}

// TestCopiesTakeNeighboursTogether copies columns of rows whose alignment ends at different widths.
func TestCopiesTakeNeighboursTogether(t *testing.T) {
	for _, at := range []struct{ offset, gap, columns int }{{0, 64, 16}, {0, 60, 12}, {2, 50, 10}, {1, 33, 32}, {4, 36, 5}} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			onBoth(t, []int{4096, 4096}, func(b []*backend.Buffer) []backend.Cmd {
				v := backend.View{
					DType: backend.Float16, Offset: at.offset, Rank: 2, Dims: [8]int{20, at.columns}, Strides: [8]int{at.gap, 1},
				}
				src, dst := v, v
				src.Buf, dst.Buf = b[0], b[1]
				return []backend.Cmd{{Op: backend.Copy, Dst: []backend.View{dst}, Src: []backend.View{src}}}
			})
		})
	}
}
