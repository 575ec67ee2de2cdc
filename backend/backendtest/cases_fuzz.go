package backendtest

import (
	"bytes"

	"github.com/weir-ml/weir/backend"
)

// fuzzElements is the number of elements of each buffer that random programs work on.
const fuzzElements = 700

// fuzzer draws commands on a pool of buffers, three of each type.
type fuzzer struct {
	*suite
	buffers map[backend.DType][]*backend.Buffer
}

// fuzzCases runs a long random program of commands, comparing each with the oracle; then the whole program at once from the same
// start, which must end with the same bytes.
func fuzzCases(s *suite) {
	f := &fuzzer{suite: s, buffers: map[backend.DType][]*backend.Buffer{}}
	start := memory{}
	for _, d := range backend.DTypes() {
		for range 3 {
			v := s.operand(d, []int{fuzzElements}, contiguous, s.draw(d, []kind{anything, normals, whole}[len(f.buffers[d])]))
			f.buffers[d] = append(f.buffers[d], v.Buf)
			start[v.Buf] = bytes.Clone(v.Buf.Host)
		}
	}
	var cmds []*backend.Cmd
	onDevice := map[*backend.Buffer]*backend.Buffer{}
	defer func() {
		for _, b := range onDevice {
			s.dev.Free(b)
		}
	}()
	for range *commandsFlag {
		c := f.command()
		if cmds = append(cmds, c); !f.step(len(cmds), c, onDevice) {
			return
		}
	}
	f.replay(cmds, start)
}

// step runs one command on memory that stays on the device, compares, and takes over what the device wrote, so that one fault
// is reported once. It returns false if the device cannot go on.
func (f *fuzzer) step(number int, c *backend.Cmd, onDevice map[*backend.Buffer]*backend.Buffer) bool {
	want, err := predict(c)
	if err != nil {
		panic(err)
	}
	moved, err := f.move(c, onDevice)
	if err != nil {
		f.failf("command %d: %v", number, err)
		return false
	}
	involved := map[*backend.Buffer]*backend.Buffer{}
	for _, views := range [][]backend.View{c.Dst, c.Src} {
		for k := range views {
			involved[views[k].Buf] = onDevice[views[k].Buf]
		}
	}
	after, err := f.executeMoved([]backend.Cmd{moved}, involved)
	if err != nil {
		f.failf("command %d: %s\n\tfails: %v", number, describe(c), err)
		f.openStream()
		return false
	}
	if why := compareMemory(c, want, after); why != "" {
		f.failf("command %d: %s\n\t%s", number, describe(c), why)
	}
	for k := range c.Dst {
		copy(c.Dst[k].Buf.Host, after[c.Dst[k].Buf])
	}
	return true
}

// replay restores the start and runs all commands in one batch.
func (f *fuzzer) replay(cmds []*backend.Cmd, start memory) {
	end := memory{}
	for b, data := range start {
		end[b] = bytes.Clone(b.Host)
		copy(b.Host, data)
	}
	after, err := f.execute(cmds...)
	if err != nil {
		f.failf("%d commands at once fail: %v", len(cmds), err)
		return
	}
	for d, buffers := range f.buffers {
		for k, b := range buffers {
			if got, ok := after[b]; ok && !bytes.Equal(got, end[b]) {
				f.failf("%d commands at once leave other bytes in %v buffer %d than one by one", len(cmds), d, k)
			}
		}
	}
}

// command draws until one keeps the contract: operands may overlap, or not fit on their buffers.
func (f *fuzzer) command() *backend.Cmd {
	for {
		if c := f.attempt(); c != nil && c.Check() == nil {
			return c
		}
	}
}

func (f *fuzzer) attempt() *backend.Cmd {
	types := backend.DTypes()
	d, dims := types[f.rng.IntN(len(types))], f.dims()
	switch backend.Op(1 + f.rng.IntN(int(backend.Random))) {
	case backend.Copy:
		to := types[f.rng.IntN(len(types))]
		return f.assemble(&backend.Cmd{Op: backend.Copy}, f.target(to, dims), f.source(d, dims))
	case backend.Map:
		return f.mapCommand(dims)
	case backend.Reduce:
		op := reductions[f.rng.IntN(len(reductions))]
		to := d
		if op.IsArg() {
			to = backend.Int64
		}
		reduced := reducedDims(dims, f.rng.IntN(1<<len(dims)))
		return f.assemble(&backend.Cmd{Op: backend.Reduce, ReduceOp: op}, f.target(to, reduced), f.source(d, dims))
	case backend.MatMul:
		return f.matMul(floatTypes[f.rng.IntN(4)], dims)
	case backend.Gather, backend.ScatterAdd:
		return f.index(d, dims)
	case backend.Scan:
		c := &backend.Cmd{Op: backend.Scan, Axis: f.rng.IntN(len(dims) + 1)}
		return f.assemble(c, f.target(d, dims), f.source(d, dims))
	case backend.Sort:
		c := &backend.Cmd{Op: backend.Sort, Axis: f.rng.IntN(len(dims) + 1), Descending: f.rng.IntN(2) == 0}
		c.Dst = []backend.View{f.target(d, dims), f.target(backend.Int64, dims)}
		c.Src = []backend.View{f.source(d, dims)}
		return c
	}
	c := &backend.Cmd{Op: backend.Random, RandomKind: backend.RandomKind(f.rng.IntN(3)), Base: f.rng.Int64N(100)}
	state := f.vector(backend.Int64, []scalar{{i: f.rng.Int64()}, {i: f.rng.Int64N(1000)}})
	return f.assemble(c, f.target(d, dims), state)
}

func (f *fuzzer) assemble(c *backend.Cmd, dst backend.View, srcs ...backend.View) *backend.Cmd {
	c.Dst, c.Src = []backend.View{dst}, srcs
	return c
}

func (f *fuzzer) mapCommand(dims []int) *backend.Cmd {
	p := f.randomProgram(backend.MapOps(), 1+f.rng.IntN(8))
	c := &backend.Cmd{Op: backend.Map, Prog: p}
	for _, d := range p.Ins {
		c.Src = append(c.Src, f.source(d, dims))
	}
	for _, d := range p.Params {
		c.Imm = append(c.Imm, f.parameter(d))
	}
	for _, v := range p.Outs {
		c.Dst = append(c.Dst, f.target(p.TypeOf(v), dims))
	}
	if k := f.rng.IntN(2 * len(c.Src)); k < len(c.Src) && c.Src[k].DType == c.Dst[0].DType {
		c.Dst[0] = c.Src[k] // in place
	}
	return c
}

func (f *fuzzer) matMul(d backend.DType, batch []int) *backend.Cmd {
	batch = batch[:min(len(batch), 2)]
	m, n, k := f.rng.IntN(8), f.rng.IntN(8), f.rng.IntN(8)
	dims := func(batch []int, rows, cols int) []int { return append(append([]int(nil), batch...), rows, cols) }
	dst := f.target(d, dims(reducedDims(batch, f.rng.IntN(1<<len(batch))), m, n))
	c := &backend.Cmd{Op: backend.MatMul, Accumulate: f.rng.IntN(2) == 0}
	return f.assemble(c, dst, f.source(d, dims(batch, m, k)), f.source(d, dims(batch, k, n)))
}

func (f *fuzzer) index(d backend.DType, dims []int) *backend.Cmd {
	if len(dims) == 0 {
		return nil
	}
	axis, rows := f.rng.IntN(len(dims)), 1+f.rng.IntN(6)
	table := append([]int(nil), dims...)
	table[axis] = rows
	l := layouts[f.rng.IntN(len(layouts))]
	at := f.operand(backend.Int64, dims, l, func(int) scalar { return scalar{i: f.rng.Int64N(int64(rows))} })
	if f.rng.IntN(2) == 0 {
		return f.assemble(&backend.Cmd{Op: backend.Gather, Axis: axis}, f.target(d, dims), f.source(d, table), at)
	}
	return f.assemble(&backend.Cmd{Op: backend.ScatterAdd, Axis: axis}, f.target(d, table), f.source(d, dims), at)
}

func (f *fuzzer) dims() []int {
	dims := make([]int, f.rng.IntN(5))
	for a := range dims {
		dims[a] = 1 + f.rng.IntN(7)
		if f.rng.IntN(40) == 0 {
			dims[a] = 0
		}
	}
	return dims
}

// target returns a view of distinct elements on a buffer of the pool; source one that may also broadcast.
func (f *fuzzer) target(d backend.DType, dims []int) backend.View { return f.view(d, dims, 0) }
func (f *fuzzer) source(d backend.DType, dims []int) backend.View { return f.view(d, dims, 4) }

// view lays the axes out in random order with random gaps and directions, at a random place. One axis in broadcasts (none if 0) is
// broadcast. The result may not fit, which Check finds.
func (f *fuzzer) view(d backend.DType, dims []int, broadcasts int) backend.View {
	v := backend.View{Buf: f.buffers[d][f.rng.IntN(3)], DType: d, Rank: len(dims)}
	copy(v.Dims[:], dims)
	stride := 1
	if f.rng.IntN(4) == 0 {
		stride = 2
	}
	for _, a := range f.rng.Perm(len(dims)) {
		v.Strides[a] = stride
		stride *= max(dims[a], 1)
		switch {
		case broadcasts > 0 && f.rng.IntN(broadcasts) == 0:
			v.Strides[a] = 0
		case f.rng.IntN(4) == 0:
			v.Strides[a] = -v.Strides[a]
		}
	}
	lo, hi := v.Bounds()
	v.Offset = -lo + f.rng.IntN(max(fuzzElements-(hi-lo), 0)+1)
	return v
}
