package main

import (
	"go/types"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const rodata = attr.RODATA | attr.NOPTR

// loop is a kernel that is being emitted: for each vector it loads operands, runs the body and stores results. The last vector may be partial;
// it runs through the same body, and its loads and stores leave alone what is not theirs.
type loop struct {
	*machine
	n     reg.GPVirtual
	limit reg.Register // AVX-512: the mask of a partial vector
}

// pointers of a kernel, by parameter.
var parameters = [...]string{"dst", "a", "b", "c"}

// begin starts a function of the type of cpu.Kernel, named after the size of elements.
func (m *machine) begin(base string) *loop { return m.beginNamed(m.name(base)) }

func (m *machine) beginNamed(name string) *loop {
	var vars []*types.Var
	for _, name := range parameters {
		vars = append(vars, types.NewVar(0, nil, name, types.Typ[types.UnsafePointer]))
	}
	vars = append(vars, types.NewVar(0, nil, "n", types.Typ[types.Int]))
	m.Function(name)
	m.Attributes(attr.NOSPLIT)
	m.Signature(gotypes.NewSignature(nil, types.NewSignatureType(nil, nil, nil, types.NewTuple(vars...), nil, false)))
	l := &loop{machine: m, n: m.GP64()}
	m.MOVQ(m.parameter("n"), l.n)
	m.TESTQ(l.n, l.n)
	m.JE(operand.LabelRef("done"))
	return l
}

// parameter returns where a parameter is. The generator's own Load does not know unsafe.Pointer.
func (m *machine) parameter(name string) operand.Op {
	at, err := m.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return at.Addr
}

// stream is an operand's place in memory.
type stream struct {
	at    reg.GPVirtual
	width int // bytes of an element
}

func (l *loop) stream(parameter string, width int) stream {
	s := stream{l.GP64(), width}
	l.MOVQ(l.parameter(parameter), s.at)
	return s
}

func (s stream) mem() operand.Mem { return operand.Mem{Base: s.at} }

// run emits the loop. load and store see whether the vector is partial.
func (l *loop) run(streams []stream, load func(partial bool), body func(), store func(partial bool)) {
	if l.wide {
		l.limit = l.K()
	}
	lanes := operand.U32(l.lanes())
	l.Label("next")
	l.CMPQ(l.n, lanes)
	l.JLT(operand.LabelRef("partialLoad"))
	load(false)
	l.Label("body")
	body()
	l.CMPQ(l.n, lanes)
	l.JLT(operand.LabelRef("partialStore"))
	store(false)
	for _, s := range streams {
		l.ADDQ(operand.U32(l.lanes()*s.width), s.at)
	}
	l.SUBQ(lanes, l.n)
	l.JNE(operand.LabelRef("next"))
	l.Label("done")
	l.VZEROUPPER()
	l.RET()
	l.Label("partialLoad")
	if l.wide {
		l.KMOVW(l.count(), l.limit)
	}
	load(true)
	l.JMP(operand.LabelRef("body"))
	l.Label("partialStore")
	store(true)
	l.VZEROUPPER()
	l.RET()
}

// count returns n ones.
func (l *loop) count() reg.GPVirtual {
	ones := l.GP32()
	l.MOVL(operand.I32(-1), ones)
	l.BZHIL(l.n.As32(), ones, ones)
	return ones
}

// window returns the mask of the first n elements as a vector, for AVX2: 32 bytes at the right place of the table's head.
func (l *loop) window() reg.VecVirtual {
	at, mask, back := l.GP64(), l.YMM(), l.GP64()
	l.LEAQ(operand.NewDataAddr(l.table.symbol, 32), at)
	l.MOVQ(l.n, back)
	l.SHLQ(operand.U8(map[int]uint8{4: 2, 8: 3}[l.size()]), back)
	l.SUBQ(back, at)
	l.VMOVDQU(operand.Mem{Base: at}, mask)
	return mask
}

// read loads a vector of elements into r.
func (l *loop) read(s stream, r vec, partial bool) {
	switch {
	case !partial:
		l.VMOVUPS(s.mem(), r)
	case l.wide && l.double:
		l.VMOVUPD_Z(s.mem(), l.limit, r)
	case l.wide:
		l.VMOVUPS_Z(s.mem(), l.limit, r)
	case l.double:
		l.VMASKMOVPD(s.mem(), l.window(), r)
	default:
		l.VMASKMOVPS(s.mem(), l.window(), r)
	}
}

// write stores a vector of elements.
func (l *loop) write(s stream, r vec, partial bool) {
	switch {
	case !partial:
		l.VMOVUPS(r, s.mem())
	case l.wide && l.double:
		l.VMOVUPD(r, l.limit, s.mem())
	case l.wide:
		l.VMOVUPS(r, l.limit, s.mem())
	case l.double:
		l.VMASKMOVPD(r, l.window(), s.mem())
	default:
		l.VMASKMOVPS(r, l.window(), s.mem())
	}
}

// kernel emits an elementwise kernel of one result: dst = f(a), f(a, b) or f(a, b, c), by the number of inputs.
func (m *machine) kernel(base string, inputs int, f func(in []vec) vec) {
	m.kernelPair(base, inputs, "", func(in []vec) (vec, vec) { return f(in), nil })
}

// unrolled is how many vectors a light kernel computes in one turn of its loop.
const unrolled = 4

// lightKernel emits a kernel of one result whose body is so short that counting takes longer: as far as there are vectors enough, several
// are computed in one turn.
func (m *machine) lightKernel(base string, inputs int, f func(in []vec) vec) {
	l, streams := m.beginElementwise(base, inputs)
	l.turns(streams, func(at int) {
		var in []vec
		for _, s := range streams[1:] {
			in = append(in, m.get(s.mem().Offset(at)))
		}
		m.put(f(in), streams[0].mem().Offset(at))
	})
	l.elementwise(streams, inputs, func(in []vec) (vec, vec) { return f(in), nil })
}

// turns emits the loop over as many vectors as one turn takes, each at a distance from the first.
func (l *loop) turns(streams []stream, vector func(at int)) {
	elements := operand.U32(unrolled * l.lanes())
	l.CMPQ(l.n, elements)
	l.JLT(operand.LabelRef("next"))
	l.Label("turn")
	for i := range unrolled {
		vector(i * l.bytes())
	}
	for _, s := range streams {
		l.ADDQ(operand.U32(unrolled*l.bytes()), s.at)
	}
	l.SUBQ(elements, l.n)
	l.CMPQ(l.n, elements)
	l.JGE(operand.LabelRef("turn"))
	l.TESTQ(l.n, l.n)
	l.JE(operand.LabelRef("done"))
}

// kernelAfter emits a kernel of one result whose loop comes after what prepare emits; prepare returns its body.
func (m *machine) kernelAfter(base string, inputs int, prepare func() func(in []vec) vec) {
	m.kernelPairAfter(base, inputs, "", func() func(in []vec) (vec, vec) {
		f := prepare()
		return func(in []vec) (vec, vec) { return f(in), nil }
	})
}

// kernelPair emits a kernel of two results, of which the second goes to the parameter of that name, if any.
func (m *machine) kernelPair(base string, inputs int, second string, f func(in []vec) (vec, vec)) {
	m.kernelPairAfter(base, inputs, second, func() func(in []vec) (vec, vec) { return f })
}

func (m *machine) kernelPairAfter(base string, inputs int, second string, prepare func() func(in []vec) (vec, vec)) {
	l, streams := m.beginElementwise(base, inputs)
	if second != "" {
		streams = append(streams, l.stream(second, m.size()))
	}
	l.elementwise(streams, inputs, prepare())
}

// beginElementwise starts a function, and returns the streams of its result and of its inputs.
func (m *machine) beginElementwise(base string, inputs int) (*loop, []stream) {
	l := m.begin(base)
	streams := []stream{l.stream("dst", m.size())}
	for i := range inputs {
		streams = append(streams, l.stream(parameters[1+i], m.size()))
	}
	return l, streams
}

// elementwise emits the loop and the end of a kernel. A stream after those of the inputs is that of the second result.
func (l *loop) elementwise(streams []stream, inputs int, f func(in []vec) (vec, vec)) {
	in := make([]vec, inputs)
	for i := range in {
		in[i] = l.vec()
	}
	var value, other vec
	load := func(partial bool) {
		for i, r := range in {
			l.read(streams[1+i], r, partial)
		}
	}
	store := func(partial bool) {
		l.write(streams[0], value, partial)
		for _, s := range streams[1+inputs:] {
			l.write(s, other, partial)
		}
	}
	l.run(streams, load, func() { value, other = f(in) }, store)
}
