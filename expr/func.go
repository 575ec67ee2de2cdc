package expr

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
)

// MaxIns is the greatest number of operands of a function.
const MaxIns = 15

// Func is a function of elements with its parameters, if it has any, given. Functions of package tensor and autograd apply it.
type Func struct {
	*definition
	values []float64 // of the parameters; nil if they are yet to be given
	imm    []float64 // of the program, if there are parameters
}

// definition is what all Funcs share that differ in their parameters only.
type definition struct {
	name        string
	ins, params int
	graph       *graph // the inputs are its first nodes
	outs        []id

	lowered  func() *lowered
	programs atomic.Pointer[map[signature]*backend.Prog]
	grads    []atomic.Pointer[gradient] // by result and operand; nil where not derived yet
	mu       sync.Mutex                 // guards writes of both
}

// New returns the function that f builds of its operands, with one result. The name stands in errors.
func New(name string, ins int, f func(x []Expr) Expr) *Func {
	return NewParams(name, ins, 0, func(x, _ []Expr) []Expr { return []Expr{f(x)} })
}

// New1 returns a function of one operand. f may be a method: New1("silu", Expr.SiLU).
func New1(name string, f func(x Expr) Expr) *Func {
	return New(name, 1, func(x []Expr) Expr { return f(x[0]) })
}

// New2 returns a function of two operands.
func New2(name string, f func(x, y Expr) Expr) *Func {
	return New(name, 2, func(x []Expr) Expr { return f(x[0], x[1]) })
}

// Of returns the function that an instruction of one or two numbers is.
func Of(op backend.MapOp) *Func {
	return New(op.String(), op.Arity(), func(x []Expr) Expr {
		if len(x) == 1 {
			return x[0].unary(op)
		}
		return x[0].binary(op, x[1])
	})
}

// NewParams returns the function that f builds of its operands x and parameters p, with any number of results. Apply it with its parameters
// given by With. It panics if f returns nothing, or what does not belong to the function.
func NewParams(name string, ins, params int, f func(x, p []Expr) []Expr) *Func {
	if ins < 1 || ins > MaxIns {
		panic(fmt.Sprintf("expr: %s: takes %d operands; want 1 to %d", name, ins, MaxIns))
	}
	d := &definition{name: name, ins: ins, params: params, graph: newGraph(name)}
	x, p := make([]Expr, ins), make([]Expr, params)
	for i := range x {
		x[i] = d.graph.input(i)
	}
	for i := range p {
		p[i] = d.graph.parameter(i)
	}
	for i, y := range f(x, p) {
		if y.graph != d.graph {
			panic(fmt.Sprintf("expr: %s: result %d is not of this function; use the expressions that it was given", name, i))
		}
		d.outs = append(d.outs, y.id)
	}
	if len(d.outs) == 0 {
		panic(fmt.Sprintf("expr: %s: has no result", name))
	}
	d.init()
	return &Func{definition: d}
}

func (d *definition) init() {
	d.lowered = sync.OnceValue(d.lower)
	d.grads = make([]atomic.Pointer[gradient], len(d.outs)*d.ins)
}

// With returns the function with its parameters given. It shares everything else, programs included.
func (f *Func) With(values ...float64) *Func {
	if len(values) != f.params {
		panic(fmt.Sprintf("expr: %s: takes %d parameters, not %d", f.name, f.params, len(values)))
	}
	return f.with(append([]float64(nil), values...))
}

func (d *definition) with(values []float64) *Func {
	if d.params == 0 {
		return &Func{definition: d}
	}
	l := d.lowered()
	imm := make([]float64, 0, len(l.params)+len(l.constants))
	for _, p := range l.params {
		imm = append(imm, values[p])
	}
	return &Func{d, values, append(imm, l.constants...)}
}

// Name returns the name.
func (f *Func) Name() string { return f.name }

// NumIn returns the number of operands.
func (f *Func) NumIn() int { return f.ins }

// NumOut returns the number of results.
func (f *Func) NumOut() int { return len(f.outs) }

// Ready reports whether the function has its parameters.
func (f *Func) Ready() bool { return len(f.values) == f.params }

// Sources returns the numbers of the operands that the results depend on: the sources of the program. The caller must not change them.
func (f *Func) Sources() []int { return f.lowered().ins }

// Imm returns the parameters of the program. The caller must not change them.
func (f *Func) Imm() []float64 {
	if f.params == 0 {
		return f.lowered().constants
	}
	return f.imm
}

// Passes returns the number of the operand that is the one result, as it is, and whether there is one.
func (f *Func) Passes() (operand int, ok bool) {
	n := &f.graph.nodes[f.outs[0]]
	return n.index, len(f.outs) == 1 && n.kind == input
}

// Grad returns the function that pulls a gradient of result out back to operand in. Its operands are that gradient, the operands of f and
// all results of f, in this order; its result is the operand's gradient. It is nil if the result does not change with the operand.
func (f *Func) Grad(out, in int) *Func {
	if out < 0 || out >= len(f.outs) || in < 0 || in >= f.ins {
		panic(fmt.Sprintf("expr: %s: has no result %d or operand %d", f.name, out, in))
	}
	g := f.gradient(out, in)
	if f.params == 0 || g.definition == nil {
		return g.whole
	}
	if !f.Ready() {
		return &Func{definition: g.definition}
	}
	return g.with(f.values)
}

// gradient is a derivative: a definition, or nil, and the Func where it has no parameters.
type gradient struct {
	*definition
	whole *Func
}

func (d *definition) gradient(out, in int) *gradient {
	slot := &d.grads[out*d.ins+in]
	if g := slot.Load(); g != nil {
		return g
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if g := slot.Load(); g != nil {
		return g
	}
	g := &gradient{definition: d.derive(out, in)}
	if g.definition != nil {
		g.init()
		if d.params == 0 {
			g.whole = &Func{definition: g.definition}
		}
	}
	slot.Store(g)
	return g
}

// String prints the name and the program in float32.
func (f *Func) String() string {
	types := make([]backend.DType, f.ins)
	for i := range types {
		types[i] = backend.Float32
	}
	return fmt.Sprintf("%s: %v", f.name, f.Program(backend.Float32, types))
}
