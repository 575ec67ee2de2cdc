package cuda

import (
	"fmt"
	"slices"

	"github.com/weir-ml/weir/backend"
)

// stride is how an operand runs along the innermost axis.
type stride byte

const (
	steady stride = 's' // the same element
	dense  stride = 'd' // neighbours
	sparse stride = 'x' // by a stride that is a parameter
)

// shape is what of a command's operands is in the text of its kernel: how many elements a thread takes, how many axes the threads run over, and
// how each operand runs along the innermost of them, destinations first. A thread that takes several elements takes neighbours.
type shape struct {
	width    int
	axes     int
	strides  string // of stride
	segments int    // how many commands the kernel can run at once; block().y says which
	indirect bool   // the parameters are in device memory, for they are too many
}

// rests reports whether vectors may leave elements over. Where there are several axes, the innermost is a multiple of the width.
func (s shape) rests() bool { return s.width > 1 && s.axes == 1 }

// placement is where the parameters of a command are, in bytes.
type placement struct {
	axes     int // of each but the outermost: its length and the numbers that divide by it
	pointers int
	strides  int // of each operand along each axis, in bytes; along the innermost only if sparse
	imm      int
	size     int
}

const (
	atVectors = 0 // the number of threads that take width elements
	atThreads = 4 // and with those that take one of the rest
	axisBytes = 16
)

// place says where the parameters of a program of that shape are.
func (s shape) place(p *backend.Prog) placement {
	operands := len(p.Outs) + len(p.Ins)
	var at placement
	at.axes = 8
	at.pointers = at.axes + axisBytes*(s.axes-1)
	at.strides = at.pointers + 8*operands
	at.imm = at.strides + 8*s.axes*operands
	at.size = at.imm + 8*len(p.Params)
	return at
}

// stride returns where the stride of an operand along an axis is.
func (p placement) stride(s shape, operand, axis int) int { return p.strides + 8*(s.axes*operand+axis) }

// operand is a destination or a source: the value of the program that it holds, and its type.
type operand struct {
	value backend.Value
	dtype backend.DType
}

// operandsOf returns the operands in the order of a shape's strides.
func operandsOf(p *backend.Prog) []operand {
	var all []operand
	for _, v := range p.Outs {
		all = append(all, operand{v, p.TypeOf(v)})
	}
	for i, d := range p.Ins {
		all = append(all, operand{backend.Value(i), d})
	}
	return all
}

// liveValues returns which values the destinations depend on.
func liveValues(p *backend.Prog) []bool {
	first := len(p.Ins) + len(p.Params)
	live := make([]bool, first+len(p.Code))
	for _, v := range p.Outs {
		live[v] = true
	}
	for i, in := range slices.Backward(p.Code) {
		if !live[first+i] {
			continue
		}
		for _, v := range []backend.Value{in.A, in.B, in.C}[:in.Op.Arity()] {
			live[v] = true
		}
	}
	return live
}

// writer writes the kernel of a program for a shape.
type writer struct {
	*assembly
	prog     *backend.Prog
	shape    shape
	at       placement
	operands []operand
	live     []bool
	space    string   // where the parameters are
	base     string   // the register with their address
	index    string   // of the thread
	imm      []string // the registers of the program's parameters
}

// mapName is the name of the entry.
const mapName = "map"

// write returns the module that runs the program on operands of that shape.
func write(p *backend.Prog, s shape) string {
	w := &writer{assembly: newAssembly(), prog: p, shape: s, at: s.place(p), operands: operandsOf(p), live: liveValues(p), space: "param"}
	w.prologue()
	w.bounded(atVectors, "tail")
	w.elements(w.addresses(), s.width)
	w.line("ret")
	w.label("tail")
	if s.rests() {
		w.bounded(atThreads, "done")
		w.elements(w.tailAddresses(), 1)
	}
	w.label("done")
	w.line("ret")
	size := w.at.size * s.segments
	if s.indirect {
		size = 8
	}
	return ptxHeader + calledFunctions(w.calls) + w.entry(mapName, size)
}

// prologue finds the parameters and the thread's index, and ends the thread if an earlier command has failed.
func (w *writer) prologue() {
	failed := w.new(longs)
	w.line("ld.param.b64 %s, [failed]", failed)
	w.branch(w.do(predicates, "setp.eq.s64", failed, 0), "run")
	word := w.do(words, "ld.global.b32", "["+failed+"+0]")
	w.branch(w.do(predicates, "setp.ne.s32", word, 0), "done")
	w.label("run")
	w.base = w.do(longs, "mov.b64", "p")
	if w.shape.indirect {
		w.base = w.load(longs, "b64", 0)
		w.space = "global"
	}
	if w.shape.segments > 1 {
		w.base = w.do(longs, "mad.wide.u32", w.do(words, "mov.u32", "%ctaid.y"), w.at.size, w.base)
	}
	block, threads, thread := w.do(words, "mov.u32", "%ctaid.x"), w.do(words, "mov.u32", "%ntid.x"), w.do(words, "mov.u32", "%tid.x")
	w.index = w.do(words, "mad.lo.u32", block, threads, thread)
	w.imm = w.parameters()
}

// load loads a parameter.
func (w *writer) load(class register, kind string, at int) string {
	return w.do(class, "ld."+w.space+"."+kind, fmt.Sprintf("[%s+%d]", w.base, at))
}

// branch goes to a label where p is set.
func (w *writer) branch(p, label string) { w.line("@%s bra %s", p, label) }

// bounded goes to a label unless the index is less than a parameter.
func (w *writer) bounded(limit int, label string) {
	w.branch(w.do(predicates, "setp.ge.u32", w.index, w.load(words, "b32", limit)), label)
}

// parameters loads the program's parameters.
func (w *writer) parameters() []string {
	registers := make([]string, len(w.prog.Params))
	for i, d := range w.prog.Params {
		if w.live[len(w.prog.Ins)+i] {
			h := heldAs(d)
			registers[i] = w.load(h.class, h.bits, w.at.imm+8*i)
		}
	}
	return registers
}

// addresses returns where the elements of the thread begin in each operand that is used.
func (w *writer) addresses() []string {
	places := w.places()
	at := make([]string, len(w.operands))
	for k, o := range w.operands {
		if !w.live[o.value] {
			continue
		}
		at[k] = w.load(longs, "b64", w.at.pointers+8*k)
		switch stride(w.shape.strides[k]) {
		case dense:
			at[k] = w.do(longs, "mad.wide.u32", places[0], w.shape.width*o.dtype.Size(), at[k])
		case sparse:
			at[k] = w.advance(at[k], places[0], k, 0)
		}
		for axis := 1; axis < w.shape.axes; axis++ {
			at[k] = w.advance(at[k], places[axis], k, axis)
		}
	}
	return at
}

// advance moves an address along an axis.
func (w *writer) advance(at, place string, operand, axis int) string {
	by := w.load(longs, "b64", w.at.stride(w.shape, operand, axis))
	return w.do(longs, "mad.lo.u64", w.do(longs, "cvt.u64.u32", place), by, at)
}

// places returns the thread's place along each axis, the innermost first. Division is by multiplication: see divisorOf.
func (w *writer) places() []string {
	rest := w.index
	var places []string
	for axis := range w.shape.axes - 1 {
		at := w.at.axes + axisBytes*axis
		length, factor, shift := w.load(words, "b32", at), w.load(words, "b32", at+4), w.load(words, "b32", at+8)
		sum := w.do(words, "add.u32", w.do(words, "mul.hi.u32", rest, factor), rest)
		quotient := w.do(words, "shr.u32", sum, shift)
		places = append(places, w.do(words, "sub.u32", rest, w.do(words, "mul.lo.u32", quotient, length)))
		rest = quotient
	}
	return append(places, rest)
}

// tailAddresses returns where the one element is of a thread that takes what vectors leave over. There is one axis. The thread's index is of 32 bits,
// but the element's number need not be.
func (w *writer) tailAddresses() []string {
	vectors := w.load(words, "b32", atVectors)
	place := w.do(longs, "mad.wide.u32", vectors, w.shape.width-1, w.do(longs, "cvt.u64.u32", w.index))
	at := make([]string, len(w.operands))
	for k, o := range w.operands {
		if !w.live[o.value] {
			continue
		}
		at[k] = w.load(longs, "b64", w.at.pointers+8*k)
		if stride(w.shape.strides[k]) == dense {
			at[k] = w.do(longs, "mad.lo.u64", place, o.dtype.Size(), at[k])
		}
	}
	return at
}

// elements runs the program on width elements from the addresses on: it loads all, computes and then stores all, so a destination may be a source.
func (w *writer) elements(at []string, width int) {
	outs := len(w.prog.Outs)
	sources := make([][]string, len(w.prog.Ins))
	for j, d := range w.prog.Ins {
		if k := outs + j; at[k] != "" {
			sources[j] = w.loadElements(at[k], d, stride(w.shape.strides[k]), width)
		}
	}
	results := make([][]string, outs)
	for lane := range width {
		values := make([]string, 0, len(w.live))
		for _, registers := range sources {
			values = append(values, ofLane(registers, lane))
		}
		values = w.compute(append(values, w.imm...))
		for k, v := range w.prog.Outs {
			results[k] = append(results[k], values[v])
		}
	}
	for k, o := range w.operands[:outs] {
		w.storeElements(at[k], o.dtype, results[k])
	}
}

// ofLane returns the register of one element: of one for all where there is no other, or "" of a source that is not loaded.
func ofLane(registers []string, lane int) string {
	if len(registers) == 0 {
		return ""
	}
	return registers[min(lane, len(registers)-1)]
}

// compute appends the program's instructions to the values of one element.
func (w *writer) compute(values []string) []string {
	for _, in := range w.prog.Code {
		if !w.live[len(values)] {
			values = append(values, "")
			continue
		}
		operands := []backend.Value{in.A, in.B, in.C}[:in.Op.Arity()]
		var registers [3]string
		for i, v := range operands {
			registers[i] = values[v]
		}
		d := w.prog.TypeOf(operands[len(operands)-1])
		values = append(values, w.instr(in, d, registers[0], registers[1], registers[2]))
	}
	return values
}
