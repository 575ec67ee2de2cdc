package backend

import (
	"strings"
	"testing"
)

// board is a device that only has an identity.
type board struct{ Device }

// views makes contiguous views on buffers of their own, all of one device.
type views struct{ dev *board }

func (vs views) make(d DType, dims ...int) View {
	v := Contiguous(nil, d, dims...)
	v.Buf = &Buffer{Device: vs.dev, Size: v.Len() * d.Size()}
	return v
}

// single returns a program of one instruction.
func single(t *testing.T, op MapOp, result DType, ins ...DType) *Prog {
	t.Helper()
	p, err := NewProg(ins, nil, []Instr{{Op: op, DType: result, A: 0, B: 1, C: 2}}, []Value{Value(len(ins))})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// goodCommands returns a command of every operation that keeps the contract.
func goodCommands(t *testing.T, vs views) map[string]Cmd {
	one := func(v View) []View { return []View{v} }
	f := func(dims ...int) View { return vs.make(Float32, dims...) }
	i := func(dims ...int) View { return vs.make(Int64, dims...) }
	return map[string]Cmd{
		"copy":      {Op: Copy, Dst: one(i(2, 3)), Src: one(f(2, 3))},
		"map":       {Op: Map, Prog: single(t, Add, Float32, Float32, Float32), Dst: one(f(4)), Src: []View{f(4), f(4)}},
		"reduce":    {Op: Reduce, Dst: one(f(2, 1)), Src: one(f(2, 3))},
		"argmax":    {Op: Reduce, ReduceOp: ReduceArgMax, Dst: one(i(2, 1)), Src: one(f(2, 3))},
		"matmul":    {Op: MatMul, Dst: one(f(1, 2, 4)), Src: []View{f(5, 2, 3), f(5, 3, 4)}},
		"gather":    {Op: Gather, Axis: 1, Dst: one(f(2, 6)), Src: []View{f(2, 3), i(2, 6)}},
		"scatter":   {Op: ScatterAdd, Axis: 1, Dst: one(f(2, 3)), Src: []View{f(2, 6), i(2, 6)}},
		"scan":      {Op: Scan, Axis: 1, Dst: one(f(2, 3)), Src: one(f(2, 3))},
		"sort":      {Op: Sort, Dst: []View{f(2, 3), i(2, 3)}, Src: one(f(2, 3))},
		"random":    {Op: Random, RandomKind: Normal, Dst: one(f(2, 3)), Src: one(i(2))},
		"nothing":   {Op: Reduce, Dst: one(f(2, 1)), Src: one(f(2, 0))},
		"no argmax": {Op: Reduce, ReduceOp: ReduceArgMax, Dst: one(i(0, 1)), Src: one(f(0, 0))},
	}
}

func TestCheckAcceptsWhatTheContractAllows(t *testing.T) {
	for name, c := range goodCommands(t, views{&board{}}) {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckNamesTheRuleThatACommandBreaks(t *testing.T) {
	vs := views{&board{}}
	for _, tt := range []struct {
		command string
		spoil   func(c *Cmd)
		want    string
	}{
		{"copy", func(c *Cmd) { c.Op = NoOp }, "unknown operation"},
		{"copy", func(c *Cmd) { c.Op = numOps }, "unknown operation"},
		{"copy", func(c *Cmd) { c.Src = nil }, "has 1 destinations and 0 sources; want 1 and 1"},
		{"copy", func(c *Cmd) { c.Src[0].Buf = nil }, "source 0 has no buffer"},
		{"copy", func(c *Cmd) { c.Src[0].DType = Invalid }, "source 0 has no dtype"},
		{"copy", func(c *Cmd) { c.Dst[0].Rank = -1 }, "destination 0 has rank -1; the limit is 8"},
		{"copy", func(c *Cmd) { c.Dst[0].Dims[1] = -3 }, "destination 0 has dimension -3 on axis 1"},
		{"copy", func(c *Cmd) { c.Src[0].Offset = -1 }, "source 0 spans elements [-1, 5) of a buffer of 24 bytes"},
		{"copy", func(c *Cmd) { c.Src[0].Offset = 1 }, "source 0 spans elements [1, 7) of a buffer of 24 bytes"},
		{"copy", func(c *Cmd) { c.Src[0].Strides[0] = -3 }, "source 0 spans elements [-3, 3) of a buffer of 24 bytes"},
		{"copy", func(c *Cmd) { c.Dst[0].Strides[0] = 0 }, "destination 0 broadcasts along axis 0"},
		{"copy", func(c *Cmd) { c.Dst[0] = vs.make(Int64, 3, 2) }, "shapes differ"},
		{"copy", func(c *Cmd) { c.Dst[0] = c.Src[0] }, "destination 0 overlaps source 0"},
		{"copy", func(c *Cmd) { c.Dst[0] = views{&board{}}.make(Int64, 2, 3) }, "destination 0 lies on another device than the sources"},
		{"map", func(c *Cmd) { c.Prog = nil }, "has no program"},
		{"map", func(c *Cmd) { c.Imm = []float64{1} }, "has 1 parameters; want 0"},
		{"map", func(c *Cmd) { c.Src = c.Src[:1] }, "has 1 destinations and 1 sources; want 1 and 2"},
		{"map", func(c *Cmd) { c.Src[1] = vs.make(Int64, 4) }, "source 1 is int64; the program takes float32"},
		{"map", func(c *Cmd) { c.Src[1] = vs.make(Float32, 5) }, "shapes differ"},
		{"map", func(c *Cmd) { c.Dst[0] = vs.make(Int64, 4) }, "destination 0 is int64; the program gives float32"},
		{"map", func(c *Cmd) { c.Src[1] = views{&board{}}.make(Float32, 4) }, "sources lie on different devices"},
		{"map", func(c *Cmd) {
			c.Src[1], c.Dst[0] = vs.make(Float32, 5), c.Src[0]
			c.Src[1].Dims[0] = 4
			c.Dst[0].Buf, c.Dst[0].Offset = c.Src[1].Buf, 1
		}, "destination 0 overlaps source 1"},
		{"reduce", func(c *Cmd) { c.Dst[0] = vs.make(Float32, 2) }, "ranks differ"},
		{"reduce", func(c *Cmd) { c.Dst[0] = vs.make(Float32, 2, 2) }, "axis 1 is neither kept nor reduced to 1"},
		{"reduce", func(c *Cmd) { c.ReduceOp = numReduceOps }, "unknown reduction"},
		{"reduce", func(c *Cmd) { c.Dst[0] = vs.make(Float64, 2, 1) }, "wants one numeric dtype"},
		{"reduce", func(c *Cmd) { c.Dst[0], c.Src[0] = vs.make(Bool, 2, 1), vs.make(Bool, 2, 3) }, "wants one numeric dtype"},
		{"argmax", func(c *Cmd) { c.Dst[0] = vs.make(Float32, 2, 1) }, "gives int64 positions of numbers"},
		{"argmax", func(c *Cmd) { c.Dst[0] = vs.make(Int64, 1, 1) }, "takes one axis"},
		{"argmax", func(c *Cmd) { c.Src[0] = vs.make(Float32, 2, 0) }, "has no element to point at"},
		{"matmul", func(c *Cmd) { c.Src[1] = vs.make(Float32, 3, 4) }, "wants one rank of at least 2"},
		{"matmul", func(c *Cmd) { c.Src[1] = vs.make(Float64, 5, 3, 4) }, "wants one float dtype"},
		{"matmul", func(c *Cmd) { c.Src[1] = vs.make(Float32, 5, 2, 4) }, "inner dimensions do not fit"},
		{"matmul", func(c *Cmd) { c.Src[1] = vs.make(Float32, 1, 3, 4) }, "batch axis 0 does not fit"},
		{"matmul", func(c *Cmd) { c.Dst[0] = vs.make(Float32, 2, 2, 4) }, "batch axis 0 does not fit"},
		{"gather", func(c *Cmd) { c.Src[1] = vs.make(Int32, 2, 6) }, "wants int64 indices"},
		{"gather", func(c *Cmd) { c.Dst[0] = vs.make(Float64, 2, 6) }, "dtypes differ"},
		{"gather", func(c *Cmd) { c.Dst[0] = vs.make(Float32, 2, 5) }, "shapes differ"},
		{"gather", func(c *Cmd) { c.Axis = 2 }, "has no axis 2"},
		{"gather", func(c *Cmd) { c.Axis = 0 }, "shapes differ on axis 1"},
		{"scatter", func(c *Cmd) { c.Dst[0], c.Src[0] = vs.make(Bool, 2, 3), vs.make(Bool, 2, 6) }, "cannot add bools"},
		{"scan", func(c *Cmd) { c.Dst[0] = vs.make(Float32, 3, 2) }, "shapes differ"},
		{"scan", func(c *Cmd) { c.Dst[0] = vs.make(Float64, 2, 3) }, "dtypes differ"},
		{"scan", func(c *Cmd) { c.Dst[0], c.Src[0] = vs.make(Bool, 2, 3), vs.make(Bool, 2, 3) }, "cannot add bools"},
		{"scan", func(c *Cmd) { c.Axis = -1 }, "has no axis -1"},
		{"sort", func(c *Cmd) { c.Dst[1] = vs.make(Int32, 2, 3) }, "wants int64 positions of the same shape"},
		{"sort", func(c *Cmd) {
			c.Dst[0], c.Src[0] = vs.make(Int64, 2, 3), vs.make(Int64, 2, 3)
			c.Dst[1] = c.Dst[0]
		}, "destination 1 overlaps destination 0"},
		{"random", func(c *Cmd) { c.Src[0] = vs.make(Int64, 3) }, "wants its state as int64(2)"},
		{"random", func(c *Cmd) { c.RandomKind = numRandomKinds }, "unknown distribution"},
		{"random", func(c *Cmd) { c.RandomKind = Bits }, "cannot draw bits as float32"},
		{"random", func(c *Cmd) { c.Dst[0] = vs.make(Int64, 2) }, "cannot draw normal as int64"},
	} {
		c := goodCommands(t, vs)[tt.command]
		tt.spoil(&c)
		if err := c.Check(); err == nil || !strings.HasSuffix(err.Error(), ": "+tt.want) {
			t.Errorf("%s: %v; want an error that ends in %q", tt.command, err, tt.want)
		}
	}
}

func TestAMapMayWriteOneOfItsSources(t *testing.T) {
	c := goodCommands(t, views{&board{}})["map"]
	c.Dst[0] = c.Src[1]
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestCommandsPrintAsAssignments(t *testing.T) {
	cmds := goodCommands(t, views{&board{}})
	for name, want := range map[string]string{
		"copy":   "int64(2, 3) = copy float32(2, 3)",
		"map":    "float32(4) = map{s0:float32 s1:float32; v2 = add(s0, s1) → v2} float32(4), float32(4)",
		"argmax": "int64(2, 1) = reduce.argmax float32(2, 3)",
		"matmul": "float32(1, 2, 4) = matmul float32(5, 2, 3), float32(5, 3, 4)",
		"sort":   "float32(2, 3), int64(2, 3) = sort[axis 0] float32(2, 3)",
		"random": "float32(2, 3) = random.normal int64(2)",
	} {
		c := cmds[name]
		if got := c.String(); got != want {
			t.Errorf("%s prints as %q; want %q", name, got, want)
		}
	}
}

func TestAClonedCommandSharesNothing(t *testing.T) {
	c := goodCommands(t, views{&board{}})["map"]
	c.Imm = []float64{1}
	d := c.Clone()
	c.Imm[0], c.Dst[0], c.Src[0] = 2, View{}, View{}
	if d.Imm[0] != 1 || d.Dst[0].Buf == nil || d.Src[0].Buf == nil {
		t.Errorf("the clone changed to %v", &d)
	}
}
