package cpu

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// block returns n elements of T at p.
func block[T any](p unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(p), n) }

// step is an instruction of a compiled program.
type step struct {
	kernel  Kernel
	dst     int // value
	a, b, c int // values
	second  int // the other result of a fused pair, which the kernel finds as c, or none
	round   backend.DType
}

// program is a [backend.Prog] made ready to run.
//
// A value lives in a register, a block of scratch memory, unless it can live where it is: a source in its buffer, a result in its
// destination. Registers hold halves as float32. Those of sources and parameters are their own; the others are shared by values that are not
// alive together.
type program struct {
	*backend.Prog
	steps     []step
	fills     []Kernel // by parameter: fills a register with its number
	values    int
	register  []int // by value
	registers int
	lastRead  []int // by source: the last step that reads it, or passes if it is stored as it is
	made      []int // by destination: the step that computes it, or passes
	blockLen  int   // elements that a register holds
	cost      int   // of one element, in picoseconds
}

const none = -1

// passes is the step, after all others, at which values that are stored as they are are read.
const passes = 1 << 30

// width returns the size of an element of type d in a register.
func width(d backend.DType) int {
	if isHalf(d) {
		return 4
	}
	return d.Size()
}

// stored returns the type that computes for d.
func stored(d backend.DType) backend.DType {
	if isHalf(d) {
		return backend.Float32
	}
	return d
}

func compile(p *backend.Prog, k *Kernels) *program {
	inputs := len(p.Ins) + len(p.Params)
	c := &program{Prog: p, values: inputs + len(p.Code)}
	for _, d := range p.Ins {
		c.cost += k.operandCost(d)
	}
	for _, v := range p.Outs {
		c.cost += k.operandCost(p.TypeOf(v))
	}
	for _, d := range p.Params {
		c.fills = append(c.fills, fillKernel(d))
	}
	for i := range p.Code {
		c.compileInstr(i, inputs+i, k)
	}
	c.steps = fuseGELU(c.steps, p, k)
	c.trace()
	c.allocate(inputs)
	c.blockLen = blockLen
	if c.isNarrow() {
		c.blockLen = 2 * blockLen
	}
	return c
}

// isNarrow reports whether no value takes more than half a word. Halves, which are converted by blocks, do not count.
func (c *program) isNarrow() bool {
	for v := range c.values {
		if d := c.TypeOf(backend.Value(v)); d.Size() > 4 || isHalf(d) {
			return false
		}
	}
	return true
}

func (c *program) compileInstr(i, value int, k *Kernels) {
	in := c.Code[i]
	operand := c.TypeOf(in.A)
	if in.Op == backend.Where {
		operand = c.TypeOf(in.B)
	}
	s := step{dst: value, a: int(in.A), b: int(in.A), c: int(in.A), second: none}
	if in.Op.Arity() > 1 {
		s.b = int(in.B)
	}
	if in.Op.Arity() > 2 {
		s.c = int(in.C)
	}
	if in.Op == backend.Cast {
		s.kernel = k.cast(operand, in.DType)
	} else {
		s.kernel = k.instr(in.Op, stored(operand))
	}
	if isHalf(in.DType) && !exactOnHalves(in.Op) {
		s.round = in.DType
		c.cost += k.roundCost()
	}
	c.cost += k.cost(in.Op, stored(operand))
	c.steps = append(c.steps, s)
}

// exactOnHalves reports whether the result of op on halves is a half without rounding.
func exactOnHalves(op backend.MapOp) bool {
	switch op {
	case backend.Neg, backend.Abs, backend.Sign, backend.Floor, backend.Ceil, backend.Trunc, backend.Round,
		backend.Min, backend.Max, backend.Where:
		return true
	}
	return false
}

// costOf estimates an instruction in pure Go, in picoseconds.
func costOf(op backend.MapOp) int {
	switch {
	case op == backend.Pow:
		return 30_000
	case op.IsFunction() || op == backend.Mod:
		return 6000
	}
	return 500
}

// fuseGELU makes one step of a GELU and a GELUGrad of the same value, which share nearly all their work.
func fuseGELU(steps []step, p *backend.Prog, k *Kernels) []step {
	inputs := len(p.Ins) + len(p.Params)
	fused := make([]step, 0, len(steps))
	for _, s := range steps {
		if mate := findMate(fused, s, p); mate != nil {
			value, grad := mate.dst, s.dst
			if p.Code[value-inputs].Op == backend.GELUGrad {
				value, grad = grad, value
			}
			mate.dst, mate.c, mate.second = value, grad, grad
			mate.kernel = k.pair(stored(p.TypeOf(backend.Value(value))))
			continue
		}
		fused = append(fused, s)
	}
	return fused
}

// findMate returns the step that s can be fused with, or nil.
func findMate(steps []step, s step, p *backend.Prog) *step {
	inputs := len(p.Ins) + len(p.Params)
	op := p.Code[s.dst-inputs].Op
	if op != backend.GELU && op != backend.GELUGrad {
		return nil
	}
	for i := range steps {
		t := &steps[i]
		o := p.Code[t.dst-inputs].Op
		if t.a == s.a && t.second == none && o != op && (o == backend.GELU || o == backend.GELUGrad) {
			return t
		}
	}
	return nil
}

// trace finds when sources are read and results made.
func (c *program) trace() {
	c.lastRead = make([]int, len(c.Ins))
	for i, s := range c.steps {
		for _, v := range [...]int{s.a, s.b, s.c} {
			if v < len(c.Ins) {
				c.lastRead[v] = i
			}
		}
	}
	c.made = make([]int, len(c.Outs))
	for k, v := range c.Outs {
		c.made[k] = passes
		for i, s := range c.steps {
			if s.dst == int(v) || s.second == int(v) {
				c.made[k] = i
			}
		}
		if int(v) < len(c.Ins) {
			c.lastRead[v] = passes
		}
	}
}

// allocate gives every value a register.
func (c *program) allocate(inputs int) {
	c.register = make([]int, c.values)
	for v := range inputs {
		c.register[v] = v
	}
	c.registers = inputs
	last := c.lastUses()
	var free []int
	take := func() int {
		if n := len(free); n > 0 {
			r := free[n-1]
			free = free[:n-1]
			return r
		}
		c.registers++
		return c.registers - 1
	}
	for i, s := range c.steps {
		dying := s.lastOperands(i, inputs, last)
		// A kernel may write over an operand only element for element.
		for _, v := range dying {
			if c.widthOf(v) == c.widthOf(s.dst) {
				free = append(free, c.register[v])
			}
		}
		c.register[s.dst] = take()
		if s.second != none {
			c.register[s.second] = take()
		}
		for _, v := range dying {
			if c.widthOf(v) != c.widthOf(s.dst) {
				free = append(free, c.register[v])
			}
		}
		for _, v := range [...]int{s.dst, s.second} {
			if v != none && last[v] == i {
				free = append(free, c.register[v])
			}
		}
	}
}

// lastOperands returns the operands of step i that are no inputs and are not used after it, each once.
func (s *step) lastOperands(i, inputs int, last []int) (dying []int) {
	for k, v := range [...]int{s.a, s.b, s.c} {
		repeated := k > 0 && v == s.a || k > 1 && v == s.b
		if v >= inputs && last[v] == i && v != s.second && !repeated {
			dying = append(dying, v)
		}
	}
	return dying
}

func (c *program) widthOf(v int) int { return width(c.TypeOf(backend.Value(v))) }

// lastUses returns the last step that reads each value, the step that makes it if none does, or passes if it is stored.
func (c *program) lastUses() []int {
	last := make([]int, c.values)
	for i, s := range c.steps {
		last[s.a], last[s.b], last[s.c], last[s.dst] = i, i, i, i
	}
	for _, v := range c.Outs {
		last[v] = passes
	}
	return last
}
