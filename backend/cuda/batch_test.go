package cuda

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// paper is a machine that remembers what it was asked.
type paper struct {
	next     uintptr
	freed    []*backend.Buffer
	refusals map[string]error
}

func (p *paper) Alloc(size int) (*backend.Buffer, error) {
	if err := p.refusals["alloc"]; err != nil {
		return nil, err
	}
	p.next += 1 << 30
	return &backend.Buffer{Size: size, Addr: p.next}, nil
}

func (p *paper) Free(b *backend.Buffer) { p.freed = append(p.freed, b) }

func (p *paper) function(_ *module, kernel string, _ uint32) (uint64, error) {
	return uint64(len(kernel)), p.refusals[kernel]
}

func (p *paper) cached(_ any, text func() string) *module { return &module{text: text()} }

func (p *paper) precision() string { return "" }

func (p *paper) multiplier() multiplier { return nil }

func newBatch() (*batch, *paper) {
	p := &paper{refusals: map[string]error{}}
	return &batch{on: p, faults: faults{record: 77}}, p
}

func TestLaunchesKeepTheirOrderAndParameters(t *testing.T) {
	b, _ := newBatch()
	add(b, launch{kernel: "a", grid: [3]uint32{2}, block: [3]uint32{128}, shared: 9}, &struct{ x, y uint32 }{1, 2})
	require.True(t, b.copy(100, 200, 8))
	b.command++
	require.True(t, b.fill(100, 3, 5))
	add(b, launch{kernel: "bb", grid: [3]uint32{1, 2, 3}, block: [3]uint32{4, 5}}, &struct{ z uint64 }{5})
	want := []node{
		{kind: launchNode, shared: 9, grid: [3]uint32{2, 1, 1}, block: [3]uint32{128, 1, 1}, function: 1, dst: 0, bytes: 8},
		{kind: copyNode, dst: 100, src: 200, bytes: 8},
		{kind: fillNode, dst: 100, src: 3, bytes: 5},
		{kind: launchNode, grid: [3]uint32{1, 2, 3}, block: [3]uint32{4, 5, 1}, function: 2, dst: 16, bytes: 8},
	}
	require.NoError(t, b.err)
	require.Equal(t, want, b.nodes)
	require.Equal(t, []int{0, 0, 1, 1}, b.origins)
	require.Equal(t, uint64(5), *(*uint64)(unsafe.Pointer(&b.params[16])))
	require.Len(t, b.params, 32)

	b.drop(1)
	require.Equal(t, want[:2], b.nodes)
	b.reset()
	require.Empty(t, b.nodes)
}

func TestNothingIsLaunchedOnNothing(t *testing.T) {
	b, _ := newBatch()
	add(b, launch{kernel: "a"}, &struct{ x uint32 }{1})
	b.copy(1, 2, 0)
	b.fill(1, 2, 0)
	require.Empty(t, b.nodes)
}

func TestTheFirstErrorEndsABatch(t *testing.T) {
	one := [3]uint32{1}
	t.Run("no kernel", func(t *testing.T) {
		b, p := newBatch()
		p.refusals["a"] = errors.New("no kernel a")
		add(b, launch{kernel: "a", grid: one}, &struct{}{})
		b.fail(errors.New("a later one"))
		add(b, launch{kernel: "b", grid: one}, &struct{}{})
		b.copy(1, 2, 3)
		b.fill(1, 2, 3)
		require.EqualError(t, b.err, "no kernel a")
		require.Empty(t, b.nodes)
		require.Zero(t, b.scratch(8))
	})
	t.Run("parameters", func(t *testing.T) {
		b, _ := newBatch()
		add(b, launch{kernel: "a", grid: one}, &[4089]byte{})
		require.EqualError(t, b.err, "kernel a has 4089 bytes of parameters; a launch takes 4088")
	})
	t.Run("memory", func(t *testing.T) {
		b, p := newBatch()
		p.refusals["alloc"] = backend.ErrOutOfMemory
		b.scratch(8)
		require.ErrorIs(t, b.err, backend.ErrOutOfMemory)
	})
}

func TestCommandsReuseScratch(t *testing.T) {
	b, p := newBatch()
	first, second := b.scratch(100), b.scratch(1)
	require.Equal(t, first+256, second, "within a command memory is separate")
	b.arena.reset()
	require.Equal(t, first, b.scratch(300), "the next command has it again")
	require.NotEqual(t, first, b.scratch(1<<20), "what does not fit is elsewhere")
	b.arena.retire(p)
	require.Len(t, p.freed, 1, "the outgrown block")
	require.Equal(t, first, uint64(p.freed[0].Addr))
	b.arena.free(p)
	require.Len(t, p.freed, 2)
}

// indexed is a gather from a table of 4 rows, or a scatter-add to it.
func indexed(op backend.Op) *backend.Cmd {
	buf := &backend.Buffer{Size: 1 << 10}
	c := &backend.Cmd{Op: op, Dst: []backend.View{backend.Contiguous(buf, backend.Float32, 2)},
		Src: []backend.View{backend.Contiguous(buf, backend.Float32, 4), backend.Contiguous(buf, backend.Int64, 2)}}
	if op == backend.ScatterAdd {
		c.Dst[0], c.Src[0] = c.Src[0], c.Dst[0]
	}
	return c
}

func TestWhatFollowsAnIndexLooksAtTheRecord(t *testing.T) {
	b, _ := newBatch()
	one := launch{kernel: "a", grid: [3]uint32{1}}
	guards := func() (gs []uint64) {
		for _, n := range b.nodes {
			gs = append(gs, n.guard)
		}
		return gs
	}
	add(b, one, &struct{}{})
	record, number := b.index(indexed(backend.Gather))
	require.Equal(t, [2]uint64{77, 0}, [2]uint64{record, number})
	add(b, one, &struct{}{}) // of the index command, which looks itself
	asks := one
	asks.guarded = true
	add(b, asks, &struct{}{})
	b.faults.end()
	add(b, one, &struct{}{})
	require.Equal(t, []uint64{0, 0, 77, 77}, guards())
	require.False(t, b.copy(1, 2, 3), "the driver's copies do not look")
	require.False(t, b.fill(1, 2, 3))
	require.Len(t, b.nodes, 4)

	b.faults.forget()
	require.True(t, b.copy(1, 2, 3), "what was seen to have run is out of the way")
	_, number = b.index(indexed(backend.ScatterAdd))
	require.Equal(t, uint64(1), number)
}

func TestARecordNamesCommandAndIndex(t *testing.T) {
	var f faults
	f.base = replayBase(3)
	first, second := f.add(indexed(backend.Gather)), f.add(indexed(backend.ScatterAdd))
	require.NoError(t, f.explain(&fault{command: first}))
	require.NoError(t, f.explain(&fault{failed: 1, command: second + 1}), "of another batch")
	require.EqualError(t, f.explain(&fault{failed: 1, command: first, index: -7}),
		"float32(2) = gather[axis 0] float32(4), int64(2): index -7 is out of range for axis 0 of length 4")
	require.EqualError(t, f.explain(&fault{failed: 1, command: second, index: 4}),
		"float32(4) = scatter_add[axis 0] float32(2), int64(2): index 4 is out of range for axis 0 of length 4")
}
