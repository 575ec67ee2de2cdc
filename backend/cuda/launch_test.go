package cuda

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// catalogue is a machine that finds every kernel where the device would, and notes how many bytes of parameters it takes.
type catalogue struct {
	paper
	keyed   map[any]*module
	modules map[*module]map[string]int
	kernels []string // by handle
	bytes   []int
}

func newCatalogue() *catalogue {
	return &catalogue{paper: paper{refusals: map[string]error{}}, keyed: map[any]*module{}, modules: map[*module]map[string]int{}}
}

func (c *catalogue) cached(key any, text func() string) *module {
	if c.keyed[key] == nil {
		c.keyed[key] = &module{name: "program", text: text()}
	}
	return c.keyed[key]
}

// entry is the head of a kernel: its name, the bytes of its struct, and the word that it looks at.
var entry = regexp.MustCompile(`\.entry (\w+)\(\s*\.param \.align \d+ \.b8 \w+\[(\d+)\],\s*\.param \.[bu]64 \w+\s*\)`)

func (c *catalogue) function(m *module, kernel string, _ uint32) (uint64, error) {
	in, err := find(m, kernel)
	if err != nil {
		return 0, err
	}
	if c.modules[in] == nil {
		c.modules[in] = map[string]int{}
		for _, match := range entry.FindAllStringSubmatch(in.text, -1) {
			c.modules[in][match[1]], _ = strconv.Atoi(match[2])
		}
	}
	bytes, ok := c.modules[in][kernel]
	if !ok {
		return 0, fmt.Errorf("%s has no entry %s of a struct and a word", in.name, kernel)
	}
	c.kernels, c.bytes = append(c.kernels, kernel), append(c.bytes, bytes)
	return uint64(len(c.kernels) - 1), nil
}

// layout makes a view of a shape in memory of its own.
type layout struct {
	name string
	make func(d backend.DType, dims ...int) backend.View
}

var layouts = []layout{
	{"row-major", func(d backend.DType, dims ...int) backend.View {
		return backend.Contiguous(&backend.Buffer{Size: math.MaxInt, Addr: 1 << 20}, d, dims...)
	}},
	{"padded", func(d backend.DType, dims ...int) backend.View {
		v := backend.Contiguous(&backend.Buffer{Size: math.MaxInt, Addr: 1 << 20}, d, dims...)
		v.Offset = 3
		for a := range v.Rank {
			v.Strides[a] = 2*v.Strides[a] + 1
		}
		return v
	}},
	{"backward", func(d backend.DType, dims ...int) backend.View {
		v := backend.Contiguous(&backend.Buffer{Size: math.MaxInt, Addr: 1 << 20}, d, dims...)
		v.Offset = v.Len() - 1
		for a := range v.Rank {
			v.Strides[a] = -v.Strides[a]
		}
		return v
	}},
}

// commands returns commands of every operation that takes a dtype, on operands of n rows.
func (l layout) commands(t *testing.T, d backend.DType, n int) []backend.Cmd {
	t.Helper()
	v := func(dims ...int) backend.View { return l.make(d, dims...) }
	as := func(d backend.DType, dims ...int) backend.View { return l.make(d, dims...) }
	one := func(op backend.Op, dst, src backend.View, more ...backend.View) backend.Cmd {
		return backend.Cmd{Op: op, Dst: []backend.View{dst}, Src: append([]backend.View{src}, more...)}
	}
	same, err := backend.NewProg([]backend.DType{d, d}, []backend.DType{d},
		[]backend.Instr{{Op: backend.Eq, DType: backend.Bool, A: 0, B: 2}, {Op: backend.Where, DType: d, A: 3, B: 0, C: 1}}, []backend.Value{4, 3})
	require.NoError(t, err)
	cmds := []backend.Cmd{
		one(backend.Copy, v(n, 7), v(n, 7)),
		one(backend.Copy, as(backend.Float32, n, 7), v(n, 7)),
		{Op: backend.Map, Prog: same, Imm: []float64{1}, Dst: []backend.View{v(n, 7), as(backend.Bool, n, 7)}, Src: []backend.View{v(n, 7), v(n, 7)}},
		one(backend.Gather, v(5, 7), v(n+1, 7), as(backend.Int64, 5, 7)),
		{Op: backend.Sort, Dst: []backend.View{v(n, 7), as(backend.Int64, n, 7)}, Src: []backend.View{v(n, 7)}},
	}
	if d == backend.Bool {
		return cmds
	}
	for _, r := range []backend.ReduceOp{backend.ReduceSum, backend.ReduceProd, backend.ReduceMax, backend.ReduceMin} {
		for _, dims := range [][]int{{1, 7}, {n, 1}, {1, 1}} {
			c := one(backend.Reduce, v(dims...), v(n, 7))
			c.ReduceOp = r
			cmds = append(cmds, c)
		}
	}
	for _, r := range []backend.ReduceOp{backend.ReduceArgMax, backend.ReduceArgMin} {
		c := one(backend.Reduce, as(backend.Int64, n, 1), v(n, 7))
		c.ReduceOp = r
		cmds = append(cmds, c)
	}
	cmds = append(cmds, one(backend.Scan, v(n, 7), v(n, 7)), one(backend.ScatterAdd, v(5, 7), v(n, 7), as(backend.Int64, n, 7)))
	state := as(backend.Int64, 2)
	kinds := []backend.RandomKind{backend.Uniform, backend.Normal}
	if !d.IsFloat() {
		kinds = []backend.RandomKind{backend.Bits}
	}
	for _, k := range kinds {
		c := one(backend.Random, v(n, 7), state)
		c.RandomKind = k
		cmds = append(cmds, c)
	}
	if d.IsFloat() {
		for _, dims := range [][3]int{{n, 7, 5}, {1, n, 64}, {64, 1, n}} {
			cmds = append(cmds, one(backend.MatMul, v(3, dims[0], dims[2]), v(3, dims[0], dims[1]), v(3, dims[1], dims[2])))
			cmds = append(cmds, one(backend.MatMul, v(1, dims[0], dims[2]), v(3, dims[0], dims[1]), v(3, dims[1], dims[2])))
		}
	}
	return cmds
}

// Every launch of every operation names a kernel that there is, with parameters of its size, whatever the dtype, the layout and the length.
func TestEveryLaunchFitsItsKernel(t *testing.T) {
	for _, l := range layouts {
		for _, d := range backend.DTypes() {
			t.Run(l.name+"/"+d.String(), func(t *testing.T) {
				for _, n := range []int{0, 1, 100, 70_000} {
					for _, c := range l.commands(t, d, n) {
						requireFits(t, &c)
					}
				}
			})
		}
	}
}

func TestAnUploadFitsItsKernel(t *testing.T) {
	on := newCatalogue()
	b := &batch{on: on}
	b.upload(100, 200, 1000)
	require.NoError(t, b.err)
	require.Equal(t, []int{24}, on.bytes)
	require.Equal(t, uploadParams{100, 200, 1000}, *(*uploadParams)(unsafe.Pointer(&b.params[0])))
}

func requireFits(t *testing.T, c *backend.Cmd) {
	t.Helper()
	on := newCatalogue()
	b := &batch{on: on, faults: faults{record: 64}}
	b.lower([]backend.Cmd{*c})
	require.NoError(t, b.err, "%v", c)
	switch {
	case c.Dst[0].Len() == 0:
		require.Empty(t, b.nodes, "%v", c)
	case c.Op != backend.ScatterAdd: // of nothing is nothing
		require.NotEmpty(t, b.nodes, "%v", c)
	}
	for _, n := range b.nodes {
		if n.kind != launchNode {
			continue
		}
		require.Equal(t, on.bytes[n.function], int(n.bytes), "parameters of %s, of %v", on.kernels[n.function], c)
		require.LessOrEqual(t, n.block[0]*n.block[1]*n.block[2], uint32(1024), "%v", c)
		require.LessOrEqual(t, max(n.grid[1], n.grid[2]), uint32(1<<16-1), "%v", c)
		require.LessOrEqual(t, n.shared, uint32(160<<10), "%v", c)
	}
}
