package cuda

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// shelf is a machine with a library that has a plan for every shape, with a workspace, but for those it refuses.
type shelf struct {
	*paper
	asked  []ltShape
	refuse error
	none   bool
}

func (s *shelf) multiplier() multiplier { return s }

func (s *shelf) least() int64 { return 64 }

func (s *shelf) plan(shape ltShape) (ltPlan, error) {
	s.asked = append(s.asked, shape)
	if s.refuse != nil || s.none {
		return ltPlan{}, s.refuse
	}
	return ltPlan{handle: 1000, workspace: 512}, nil
}

// at returns a view of memory that begins at an address, with strides if any are given.
func at(address uintptr, d backend.DType, dims []int, strides ...int) backend.View {
	v := backend.Contiguous(&backend.Buffer{Addr: address, Size: 1 << 40}, d, dims...)
	copy(v.Strides[:], strides)
	return v
}

func TestTheLibraryIsGivenProductsByColumns(t *testing.T) {
	f, h := backend.Float32, backend.BFloat16
	const a, b, d = 0x1000_0000, 0x2000_0000, 0x3000_0000
	for _, test := range []struct {
		name    string
		d, a, b backend.View
		want    ltShape
		swapped bool // whether the library's first matrix is the command's
	}{
		{
			"row-major", at(d, f, []int{100, 70}), at(a, f, []int{100, 80}), at(b, f, []int{80, 70}),
			ltShape{compute: 68, alignment: [3]int32{16, 16, 16}, batches: 1, rows: 70, cols: 100, terms: 80, leading: [3]int64{70, 80, 70}}, false,
		},
		{
			"transposed sources, padded and not aligned", at(d+4, f, []int{100, 70}, 75, 1), at(a+8, f, []int{100, 80}, 1, 104), at(b, f, []int{80, 70}, 1, 96),
			ltShape{compute: 68, transposed: [2]int32{1, 1}, alignment: [3]int32{16, 8, 4}, batches: 1, rows: 70, cols: 100, terms: 80,
				leading: [3]int64{96, 104, 75}}, false,
		},
		{
			"a result by columns", at(d, f, []int{100, 70}, 1, 100), at(a, f, []int{100, 80}), at(b, f, []int{80, 70}),
			ltShape{compute: 68, transposed: [2]int32{1, 1}, alignment: [3]int32{16, 16, 16}, batches: 1, rows: 100, cols: 70, terms: 80,
				leading: [3]int64{80, 70, 100}}, true,
		},
		{
			"a batch", at(d, h, []int{3, 100, 70}), at(a, h, []int{3, 100, 80}), at(b, h, []int{3, 80, 70}),
			ltShape{dtype: 14, compute: 68, alignment: [3]int32{16, 16, 16}, batches: 3, rows: 70, cols: 100, terms: 80, leading: [3]int64{70, 80, 70},
				stride: [3]int64{5600, 8000, 7000}}, false,
		},
		{
			"a batch times one matrix is tall", at(d, f, []int{3, 100, 70}), at(a, f, []int{3, 100, 80}), at(b, f, []int{3, 80, 70}, 0, 70, 1),
			ltShape{compute: 68, alignment: [3]int32{16, 16, 16}, batches: 1, rows: 70, cols: 300, terms: 80, leading: [3]int64{70, 80, 70}}, false,
		},
		{
			"a sum over a batch is long", at(d, f, []int{1, 100, 70}), at(a, f, []int{3, 100, 80}, 8000, 1, 100), at(b, f, []int{3, 80, 70}),
			ltShape{compute: 68, transposed: [2]int32{0, 1}, alignment: [3]int32{16, 16, 16}, batches: 1, rows: 70, cols: 100, terms: 240,
				leading: [3]int64{70, 100, 70}}, false,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &shelf{paper: &paper{}}
			bat := &batch{on: s}
			bat.lower([]backend.Cmd{{Op: backend.MatMul, Dst: []backend.View{test.d}, Src: []backend.View{test.a, test.b}, Accumulate: true}})
			require.NoError(t, bat.err)
			require.Equal(t, []ltShape{test.want}, s.asked)
			require.Len(t, bat.nodes, 1)
			require.Equal(t, node{kind: productNode, function: 1000, bytes: uint64(unsafe.Sizeof(ltParams{}))}, bat.nodes[0])
			got := *(*ltParams)(unsafe.Pointer(&bat.params[0]))
			first, second := address(&test.b), address(&test.a)
			if test.swapped {
				first, second = second, first
			}
			to := address(&test.d)
			require.Equal(t, ltParams{a: first, b: second, c: to, d: to, workspace: 1 << 30, bytes: 512, accumulate: 1}, got)
		})
	}
}

func TestOtherProductsAreTheKernels(t *testing.T) {
	f := backend.Float32
	const a, b, d = 0x1000_0000, 0x2000_0000, 0x3000_0000
	for name, views := range map[string][3]backend.View{
		"thin":                       {at(d, f, []int{100, 63}), at(a, f, []int{100, 80}), at(b, f, []int{80, 63})},
		"few rows":                   {at(d, f, []int{8, 70}), at(a, f, []int{8, 80}), at(b, f, []int{80, 70})},
		"short sums":                 {at(d, f, []int{100, 70}), at(a, f, []int{100, 16}), at(b, f, []int{16, 70})},
		"no neighbours":              {at(d, f, []int{100, 70}), at(a, f, []int{100, 80}, 160, 2), at(b, f, []int{80, 70})},
		"backward":                   {at(d, f, []int{100, 70}), at(a, f, []int{100, 80}, -80, 1), at(b, f, []int{80, 70})},
		"overlapping rows":           {at(d, f, []int{100, 70}), at(a, f, []int{100, 80}, 1, 1), at(b, f, []int{80, 70})},
		"a result with gaps":         {at(d, f, []int{100, 70}, 140, 2), at(a, f, []int{100, 80}), at(b, f, []int{80, 70})},
		"a batch of two strides":     {at(d, f, []int{2, 3, 100, 70}, 50000, 7000, 70, 1), at(a, f, []int{2, 3, 100, 80}), at(b, f, []int{2, 3, 80, 70})},
		"a batch that goes backward": {at(d, f, []int{3, 100, 70}), at(a, f, []int{3, 100, 80}, -8000, 80, 1), at(b, f, []int{3, 80, 70})},
		"a sum of two strides":       {at(d, f, []int{1, 100, 70}), at(a, f, []int{3, 100, 80}), at(b, f, []int{3, 80, 70})},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{paper: &paper{}}
			bat := &batch{on: s}
			bat.lower([]backend.Cmd{{Op: backend.MatMul, Dst: []backend.View{views[0]}, Src: []backend.View{views[1], views[2]}}})
			require.NoError(t, bat.err)
			require.Empty(t, s.asked)
			requireKernels(t, bat)
		})
	}
}

func requireKernels(t *testing.T, b *batch) {
	t.Helper()
	require.NotEmpty(t, b.nodes)
	for _, n := range b.nodes {
		require.EqualValues(t, launchNode, n.kind)
	}
}

func TestAShapeThatTheLibraryDoesNotKnow(t *testing.T) {
	c := []backend.Cmd{{Op: backend.MatMul, Dst: []backend.View{at(1<<20, backend.Float64, []int{64, 64})},
		Src: []backend.View{at(2<<20, backend.Float64, []int{64, 64}), at(3<<20, backend.Float64, []int{64, 64})}}}
	t.Run("is the kernels'", func(t *testing.T) {
		b := &batch{on: &shelf{paper: &paper{}, none: true}}
		b.lower(c)
		require.NoError(t, b.err)
		requireKernels(t, b)
	})
	t.Run("or an error", func(t *testing.T) {
		b := &batch{on: &shelf{paper: &paper{}, refuse: errors.New("out of plans")}}
		b.lower(c)
		require.EqualError(t, b.err, "cublaslt: out of plans")
		require.Empty(t, b.nodes)
	})
}

// Behind an index that may be out of range a product goes to temporary memory, and a kernel that looks moves it.
func TestAProductBehindAnIndexIsMovedByAKernel(t *testing.T) {
	f := backend.Float32
	b := &batch{on: &shelf{paper: &paper{}}, faults: faults{record: 77, guarding: true}}
	d := at(1<<20, f, []int{64, 64}, 80, 1)
	b.lower([]backend.Cmd{{Op: backend.MatMul, Accumulate: true, Dst: []backend.View{d},
		Src: []backend.View{at(2<<20, f, []int{64, 64}), at(3<<20, f, []int{64, 64})}}})
	require.NoError(t, b.err)
	require.Len(t, b.nodes, 2)
	p := *(*ltParams)(unsafe.Pointer(&b.params[0]))
	require.Equal(t, address(&d), p.c)
	require.NotEqual(t, p.c, p.d)
	require.Equal(t, p.workspace+512, p.d, "the workspace is not where the result goes")
	require.EqualValues(t, launchNode, b.nodes[1].kind)
	require.EqualValues(t, 77, b.nodes[1].guard)
	moved := (*copyParams)(unsafe.Pointer(&b.params[b.nodes[1].dst]))
	require.Equal(t, [2]uint64{p.c, p.d}, [2]uint64{moved.dst, moved.src})
}

func TestMatMulsHaveNames(t *testing.T) {
	for _, o := range []backend.Options{{}, {Precision: "3xtf32"}, {MatMul: "cublaslt"}, {MatMul: "cublaslt", Precision: "tf32"}} {
		require.NoError(t, checkMatMul(o))
	}
	require.EqualError(t, checkMatMul(backend.Options{MatMul: "mkl"}), `no matmul "mkl"; want "cublaslt" or, for products by kernels of its own, none`)
	require.EqualError(t, checkMatMul(backend.Options{MatMul: "cublaslt", Precision: "3xtf32"}),
		`precision "3xtf32" with matmul "cublaslt", which does not have it; want "tf32" or, for float32, none`)
}
