package cuda

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// block returns memory that nothing else has, at a multiple of 256.
func block(p *paper, bytes int) *backend.Buffer {
	b, _ := p.Alloc(bytes)
	return b
}

// addOf returns the program that adds two numbers of a type.
func addOf(t *testing.T, d backend.DType) *backend.Prog {
	t.Helper()
	p, err := backend.NewProg([]backend.DType{d, d}, nil, []backend.Instr{{Op: backend.Add, DType: d, A: 0, B: 1}}, []backend.Value{2})
	require.NoError(t, err)
	return p
}

func TestOperandsChooseTheShape(t *testing.T) {
	_, p := newBatch()
	matrix := func(d backend.DType, offset int, strides ...int) backend.View {
		return backend.View{Buf: block(p, 1<<20), DType: d, Offset: offset, Rank: 2, Dims: [8]int{6, 8}, Strides: [8]int{strides[0], strides[1]}}
	}
	for _, test := range []struct {
		name     string
		d        backend.DType
		operands [3][]int // offset and strides
		want     shape
	}{
		{"contiguous", backend.Float32, [3][]int{{0, 8, 1}, {0, 8, 1}, {0, 8, 1}}, shape{4, 1, "ddd", 1, false}},
		{"halves are taken eight at a time", backend.Float16, [3][]int{{0, 8, 1}, {0, 8, 1}, {0, 8, 1}}, shape{8, 1, "ddd", 1, false}},
		{"float64 is taken four at a time", backend.Float64, [3][]int{{0, 8, 1}, {0, 8, 1}, {0, 8, 1}}, shape{4, 1, "ddd", 1, false}},
		{"a scalar is loaded once", backend.Float32, [3][]int{{0, 8, 1}, {0, 0, 0}, {0, 8, 1}}, shape{4, 1, "dsd", 1, false}},
		{"a row is added to each", backend.Float32, [3][]int{{0, 8, 1}, {0, 8, 1}, {0, 0, 1}}, shape{4, 2, "ddd", 1, false}},
		{"a column is added to each", backend.Float32, [3][]int{{0, 8, 1}, {0, 8, 1}, {0, 1, 0}}, shape{4, 2, "dds", 1, false}},
		{"a transposed source", backend.Float32, [3][]int{{0, 8, 1}, {0, 1, 6}, {0, 8, 1}}, shape{1, 2, "xxx", 1, false}},
		{"rows with a gap that keeps them aligned", backend.Float32, [3][]int{{0, 12, 1}, {0, 8, 1}, {0, 8, 1}}, shape{4, 2, "ddd", 1, false}},
		{"rows with a gap that halves the vector", backend.Float32, [3][]int{{0, 10, 1}, {0, 8, 1}, {0, 8, 1}}, shape{2, 2, "ddd", 1, false}},
		{"rows with a gap that ends it", backend.Float32, [3][]int{{0, 9, 1}, {0, 8, 1}, {0, 8, 1}}, shape{1, 2, "xxx", 1, false}},
		{"an offset that is not aligned", backend.Float32, [3][]int{{1, 8, 1}, {0, 8, 1}, {0, 8, 1}}, shape{1, 1, "xxx", 1, false}},
		{"an offset that halves the vector", backend.Float32, [3][]int{{2, 8, 1}, {0, 8, 1}, {0, 8, 1}}, shape{2, 1, "ddd", 1, false}},
		{"backward", backend.Float32, [3][]int{{0, 8, 1}, {47, -8, -1}, {0, 8, 1}}, shape{1, 1, "xxx", 1, false}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var views []backend.View
			for _, o := range test.operands {
				views = append(views, matrix(test.d, o[0], o[1:]...))
			}
			merge(views)
			require.Equal(t, test.want, new(mapper).shapeOf(addOf(t, test.d), views))
		})
	}
}

func TestVectorsLeaveARestToThreadsOfItsOwn(t *testing.T) {
	b, p := newBatch()
	v := backend.Contiguous(block(p, 1<<20), backend.Float32, 1031)
	lowerMap(b, &backend.Cmd{Op: backend.Map, Prog: addOf(t, backend.Float32), Dst: []backend.View{v}, Src: []backend.View{v, v}})
	require.NoError(t, b.err)
	require.Len(t, b.nodes, 1)
	require.EqualValues(t, 257, binary.NativeEndian.Uint32(b.params[atVectors:]))
	require.EqualValues(t, 260, binary.NativeEndian.Uint32(b.params[atThreads:]))
	require.EqualValues(t, [3]uint32{3, 1, 1}, b.nodes[0].grid)
}

func TestHugeOperandsAreCut(t *testing.T) {
	b, p := newBatch()
	v := backend.View{Buf: block(p, 1<<40), DType: backend.Uint8, Rank: 2, Dims: [8]int{5, 1<<30 + 1}, Strides: [8]int{1 << 32, 2}}
	lowerMap(b, &backend.Cmd{Op: backend.Map, Prog: addOf(t, backend.Uint8), Dst: []backend.View{v}, Src: []backend.View{v, v}})
	require.NoError(t, b.err)
	threads := uint64(0)
	for _, n := range b.nodes {
		require.LessOrEqual(t, n.grid[0], uint32(mostMapThreads/mapThreads))
		for k := range uint64(max(n.grid[1], 1)) {
			at := n.dst + k*uint64(shape{axes: 1, segments: 1, strides: "xxx"}.place(addOf(t, backend.Uint8)).size)
			threads += uint64(binary.NativeEndian.Uint32(b.params[at+atThreads:]))
		}
	}
	require.EqualValues(t, 5*(1<<30+1), threads)
}

func TestParametersThatAreTooManyLieInMemory(t *testing.T) {
	b, p := newBatch()
	ins := make([]backend.DType, 600)
	src := make([]backend.View, len(ins))
	for i := range ins {
		ins[i], src[i] = backend.Float32, backend.Contiguous(block(p, 40), backend.Float32, 10)
	}
	code := []backend.Instr{{Op: backend.Add, DType: backend.Float32, A: 0, B: 599}}
	prog, err := backend.NewProg(ins, nil, code, []backend.Value{600})
	require.NoError(t, err)
	dst := backend.Contiguous(block(p, 40), backend.Float32, 10)
	lowerMap(b, &backend.Cmd{Op: backend.Map, Prog: prog, Dst: []backend.View{dst}, Src: src})
	require.NoError(t, b.err)
	require.Greater(t, len(b.nodes), 2)
	last := b.nodes[len(b.nodes)-1]
	require.EqualValues(t, 8, last.bytes)
	require.Equal(t, b.nodes[0].bytes, b.nodes[1].bytes, "the others carry the parameters")
}

func TestCommandsOfOneProgramShareALaunch(t *testing.T) {
	prog := func(t *testing.T) *backend.Prog { return addOf(t, backend.Float32) }
	command := func(t *testing.T, b *batch, p *backend.Prog, dst, a, c backend.View) {
		t.Helper()
		lowerMap(b, &backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{dst}, Src: []backend.View{a, c}})
		require.NoError(t, b.err)
	}
	vector := func(p *paper, n int) backend.View { return backend.Contiguous(block(p, 4*n), backend.Float32, n) }
	t.Run("which are separate", func(t *testing.T) {
		b, p := newBatch()
		add, shared := prog(t), vector(p, 2000)
		for range 5 {
			own := vector(p, 2000)
			command(t, b, add, own, own, shared)
		}
		small := vector(p, 3)
		command(t, b, add, small, small, small)
		require.Len(t, b.nodes, 1)
		require.Equal(t, [3]uint32{4, 6, 1}, b.nodes[0].grid)
		size := shape{axes: 1}.place(add).size
		require.EqualValues(t, 500, binary.NativeEndian.Uint32(b.params[4*size+atVectors:]))
		require.EqualValues(t, 0, binary.NativeEndian.Uint32(b.params[5*size+atVectors:]))
		require.EqualValues(t, 3, binary.NativeEndian.Uint32(b.params[5*size+atThreads:]))
		require.Len(t, b.params, align(int(b.nodes[0].bytes)))
	})
	t.Run("but not if one reads what the other wrote", func(t *testing.T) {
		b, p := newBatch()
		add, x, y := prog(t), vector(p, 8), vector(p, 8)
		command(t, b, add, x, y, y)
		command(t, b, add, vector(p, 8), x, y)
		require.Len(t, b.nodes, 2)
	})
	t.Run("but not if one writes what the other read", func(t *testing.T) {
		b, p := newBatch()
		add, x, y := prog(t), vector(p, 8), vector(p, 8)
		command(t, b, add, x, y, y)
		command(t, b, add, y, vector(p, 8), vector(p, 8))
		require.Len(t, b.nodes, 2)
	})
	t.Run("but not with another between them", func(t *testing.T) {
		b, p := newBatch()
		add, x, y := prog(t), vector(p, 8), vector(p, 8)
		command(t, b, add, x, x, x)
		b.copy(1, 2, 3)
		command(t, b, add, y, y, y)
		require.Len(t, b.nodes, 3)
	})
	t.Run("but not if most of the blocks would be idle", func(t *testing.T) {
		b, p := newBatch()
		add, x, y := prog(t), vector(p, 1<<24), vector(p, 8)
		command(t, b, add, x, x, x)
		for range 3 {
			command(t, b, add, y, y, y)
		}
		require.Greater(t, len(b.nodes), 1)
	})
	t.Run("until there is no room for more", func(t *testing.T) {
		b, p := newBatch()
		add := prog(t)
		for range mostSegments + 1 {
			x := vector(p, 8)
			command(t, b, add, x, x, x)
		}
		most := segmentsOf(programKey{add, shape{width: 4, axes: 1, strides: "ddd", segments: 1}})
		require.Greater(t, most, 10)
		require.EqualValues(t, most, b.nodes[0].grid[1])
		require.LessOrEqual(t, b.nodes[0].bytes, uint64(mostParams))
	})
}
