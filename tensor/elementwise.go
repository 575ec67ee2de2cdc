package tensor

import (
	"slices"
	"sync/atomic"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/expr"
)

// commonOperands is how many operands a program may have before listing them costs an allocation: an optimiser's update has ten.
const commonOperands = 12

// Map runs an elementwise program on operands broadcast together, and returns what it stores. imm are the program's
// parameters. Operand types must be the program's.
func Map(p *backend.Prog, imm []float64, xs ...*Tensor) []*Tensor {
	s := checkMap("map", p, imm, xs)
	shape := broadcast("map", xs...)
	outs := make([]*Tensor, len(p.Outs))
	for i, v := range p.Outs {
		outs[i] = s.alloc("map", p.TypeOf(v), shape)
	}
	s.mapInto(p, imm, outs, xs)
	return outs
}

// MapInto runs an elementwise program on operands broadcast together, and overwrites outs, which all have the resulting shape. An
// output may also be a source, element for element, but no output may overlap another.
func MapInto(outs []*Tensor, p *backend.Prog, imm []float64, xs ...*Tensor) {
	all := append(append(make([]*Tensor, 0, commonOperands), outs...), xs...)
	s := streamOf("map into", all...)
	checkMap("map into", p, imm, xs)
	if len(outs) != len(p.Outs) {
		Fail("map into", all, "the program stores %d values into %d tensors", len(p.Outs), len(outs))
	}
	shape := broadcast("map into", all...)
	for i, t := range outs {
		if t.block.frozen || t.DType() != p.TypeOf(p.Outs[i]) || !slices.Equal(t.Shape(), shape) {
			Fail("map into", all, "output %d wants %v%s, not frozen", i, p.TypeOf(p.Outs[i]), shapeText(shape))
		}
		if t.repeats() {
			Fail("map into", all, "output %d repeats elements of a broadcast; Clone it first", i)
		}
		for j, x := range xs {
			if t.view.MayOverlap(&x.view) && !t.view.SameElements(&x.view) {
				Fail("map into", all, "output %d overlaps operand %d, and is not the same elements; Clone the operand", i, j)
			}
		}
		for j := range i {
			if t.view.MayOverlap(&outs[j].view) {
				Fail("map into", all, "outputs %d and %d overlap", j, i)
			}
		}
	}
	s.mapInto(p, imm, outs, xs)
}

func checkMap(op string, p *backend.Prog, imm []float64, xs []*Tensor) *Stream {
	if len(xs) != len(p.Ins) || len(imm) != len(p.Params) {
		Fail(op, xs, "the program takes %d tensors and %d parameters, not %d and %d", len(p.Ins), len(p.Params), len(xs), len(imm))
	}
	for i, x := range xs {
		if x.DType() != p.Ins[i] {
			Fail(op, xs, "the program takes %v as operand %d", p.Ins[i], i)
		}
	}
	return streamOf(op, xs...)
}

func (s *Stream) mapInto(p *backend.Prog, imm []float64, outs, xs []*Tensor) {
	c := backend.Cmd{Op: backend.Map, Prog: p, Imm: append(s.imm[:0], imm...), Dst: s.dst[:0], Src: s.src[:0]}
	for _, t := range outs {
		c.Dst = append(c.Dst, t.view)
	}
	for _, x := range xs {
		c.Src = append(c.Src, stretch(x.view, outs[0].Shape()))
	}
	s.exec(c, append(append(make([]*Tensor, 0, commonOperands), outs...), xs...)...)
}

// NewProg returns a checked elementwise program; it panics if the program is malformed. Programs are cached by backends by address: make
// each one once.
func NewProg(ins, params []backend.DType, code []backend.Instr, outs ...backend.Value) *backend.Prog {
	return mustProg(ins, params, code, outs)
}

func mustProg(ins, params []backend.DType, code []backend.Instr, outs []backend.Value) *backend.Prog {
	p, err := backend.NewProg(ins, params, code, outs)
	if err != nil {
		panic(&Error{Op: "program", Err: err})
	}
	return p
}

// Programs of one instruction, by instruction and operand types, made when first wanted. The first index is 0 for operands that are
// all tensors, 1 where the last is a parameter, 2 where the first is.
var singles [3][256][backend.Float64 + 1][backend.Float64 + 1]atomic.Pointer[backend.Prog]

const (
	tensorsOnly = iota
	scalarLast
	scalarFirst
)

// single returns the program op(x, y) of operands of types a and b (a twice for one operand), computed in type at.
func single(op backend.MapOp, form int, a, b, at backend.DType) *backend.Prog {
	slot := &singles[form][op][a][b]
	if p := slot.Load(); p != nil {
		return p
	}
	p := newSingle(op, form, a, b, at)
	slot.Store(p)
	return p
}

func newSingle(op backend.MapOp, form int, a, b, at backend.DType) *backend.Prog {
	var ins, params []backend.DType
	first, second := backend.Value(0), backend.Value(1)
	switch {
	case op.Arity() == 1:
		ins = []backend.DType{a}
	case form == tensorsOnly:
		ins = []backend.DType{a, b}
	case form == scalarLast:
		ins, params = []backend.DType{a}, []backend.DType{b}
	default:
		ins, params = []backend.DType{b}, []backend.DType{a}
		first, second = 1, 0
	}
	var code []backend.Instr
	next := backend.Value(len(ins) + len(params))
	as := func(v backend.Value, d backend.DType) backend.Value {
		if d == at {
			return v
		}
		code = append(code, backend.Instr{Op: backend.Cast, DType: at, A: v})
		next++
		return next - 1
	}
	in := backend.Instr{Op: op, DType: at, A: as(first, a)}
	if op.Arity() == 2 {
		in.B = as(second, b)
	}
	if op.Compares() {
		in.DType = backend.Bool
	}
	return mustProg(ins, params, append(code, in), []backend.Value{next})
}

// unary evaluates op in type at.
func unary(op backend.MapOp, at backend.DType, x *Tensor) *Tensor {
	s := streamOf(op.String(), x)
	if !op.Accepts(at) {
		Fail(op.String(), []*Tensor{x}, "not defined for %v", at)
	}
	out := s.alloc(op.String(), at, x.Shape())
	s.run1(backend.Cmd{Op: backend.Map, Prog: single(op, tensorsOnly, x.DType(), x.DType(), at)}, out, x)
	return out
}

// binary evaluates op in type at.
func binary(op backend.MapOp, at backend.DType, x, y *Tensor) *Tensor {
	s := streamOf(op.String(), x, y)
	if !op.Accepts(at) {
		Fail(op.String(), []*Tensor{x, y}, "not defined for %v", at)
	}
	var memory [backend.MaxRank]int
	shape := x.Shape()
	if !x.SameShape(y) {
		shape = broadcastInto(&memory, op.String(), x, y)
	}
	p := single(op, tensorsOnly, x.DType(), y.DType(), at)
	out := s.alloc(op.String(), p.TypeOf(p.Outs[0]), shape)
	s.dst[0] = out.view
	stretchInto(&s.src[0], x, shape)
	stretchInto(&s.src[1], y, shape)
	s.exec(backend.Cmd{Op: backend.Map, Prog: p, Dst: s.dst[:1], Src: s.src[:2]}, out, x, y)
	return out
}

// scalar evaluates op between x and a number, on the side that form says.
func scalar(op backend.MapOp, form int, x *Tensor, value float64) *Tensor {
	s := streamOf(op.String(), x)
	at := scalarType(x.DType(), value)
	switch {
	case op == backend.Div || op == backend.Pow && value < 0:
		at = inexact(at)
	case at.IsInt() && !holds(at, value) && op.Compares():
		at = backend.Float64
	case at.IsInt() && !holds(at, value) && op != backend.Min && op != backend.Max:
		Fail(op.String(), []*Tensor{x}, "%v is out of the range of %v; Cast the tensor", value, at)
	}
	if !op.Accepts(at) {
		Fail(op.String(), []*Tensor{x}, "not defined for %v", at)
	}
	p := scalarProg(op, form, x.DType(), at)
	out := s.alloc(op.String(), p.TypeOf(p.Outs[0]), x.Shape())
	s.imm[0], s.dst[0], s.src[0] = value, out.view, x.view
	s.exec(backend.Cmd{Op: backend.Map, Prog: p, Imm: s.imm[:1], Dst: s.dst[:1], Src: s.src[:1]}, out, x)
	return out
}

func scalarProg(op backend.MapOp, form int, d, at backend.DType) *backend.Prog {
	if form == scalarFirst {
		return single(op, form, at, d, at)
	}
	return single(op, form, d, at, at)
}

// Square returns x².
func Square(x *Tensor) *Tensor { return Mul(x, x) }

// Reciprocal returns 1/x; of integers as float64.
func Reciprocal(x *Tensor) *Tensor { return DivFrom(1, x) }

// GELUWithGrad returns GELU and its derivative, which share most of their work.
func GELUWithGrad(x *Tensor) (y, dy *Tensor) {
	if !x.IsFloat() {
		Fail("gelu", []*Tensor{x}, "wants floats")
	}
	both := Map(geluBoth[x.DType()], nil, x)
	return both[0], both[1]
}

var geluBoth = func() (progs [backend.Float64 + 1]*backend.Prog) {
	for _, d := range backend.DTypes() {
		if d.IsFloat() {
			progs[d] = NewProg([]backend.DType{d}, nil,
				[]backend.Instr{{Op: backend.GELU, DType: d}, {Op: backend.GELUGrad, DType: d}}, 1, 2)
		}
	}
	return progs
}()

// Add returns x + y.
func Add(x, y *Tensor) *Tensor { return binary(backend.Add, Promote(x.DType(), y.DType()), x, y) }

// Sub returns x − y.
func Sub(x, y *Tensor) *Tensor { return binary(backend.Sub, Promote(x.DType(), y.DType()), x, y) }

// Mul returns x·y, element by element.
func Mul(x, y *Tensor) *Tensor { return binary(backend.Mul, Promote(x.DType(), y.DType()), x, y) }

// Div returns x/y; integers are divided as float64.
func Div(x, y *Tensor) *Tensor {
	return binary(backend.Div, inexact(Promote(x.DType(), y.DType())), x, y)
}

// FloorDiv returns ⌊x/y⌋, found from the exact remainder. Division by 0 gives 0 for integers, and ±Inf or NaN for floats. With y = ±Inf it
// is the rounded quotient's floor, ±0.
func FloorDiv(x, y *Tensor) *Tensor {
	f, at := expr.FloorDiv, Promote(x.DType(), y.DType())
	if at.IsInt() {
		f = floorDivInts
	}
	if at == backend.Bool {
		Fail(f.Name(), []*Tensor{x, y}, "not defined for %v", at)
	}
	return applyAt(f, at, []*Tensor{x, y})
}

var floorDivInts = expr.New2("floor_div", func(x, y expr.Expr) expr.Expr { return x.Sub(x.Mod(y)).Div(y) })

// Mod returns x − y·⌊x/y⌋, which has the sign of y.
func Mod(x, y *Tensor) *Tensor { return binary(backend.Mod, Promote(x.DType(), y.DType()), x, y) }

// Pow returns x to the power of y.
func Pow(x, y *Tensor) *Tensor { return binary(backend.Pow, Promote(x.DType(), y.DType()), x, y) }

// Minimum returns the lesser of x and y, NaN if either is.
func Minimum(x, y *Tensor) *Tensor { return binary(backend.Min, Promote(x.DType(), y.DType()), x, y) }

// Maximum returns the greater of x and y, NaN if either is.
func Maximum(x, y *Tensor) *Tensor { return binary(backend.Max, Promote(x.DType(), y.DType()), x, y) }

// AddScalar returns x + c.
func AddScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Add, scalarLast, x, c) }

// SubFrom returns c − x.
func SubFrom(c float64, x *Tensor) *Tensor { return scalar(backend.Sub, scalarFirst, x, c) }

// MulScalar returns c·x.
func MulScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Mul, scalarLast, x, c) }

// DivScalar returns x/c.
func DivScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Div, scalarLast, x, c) }

// DivFrom returns c/x.
func DivFrom(c float64, x *Tensor) *Tensor { return scalar(backend.Div, scalarFirst, x, c) }

// PowScalar returns x to the power of c.
func PowScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Pow, scalarLast, x, c) }

// ModScalar returns x − c·⌊x/c⌋, which has the sign of c.
func ModScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Mod, scalarLast, x, c) }

// MinimumScalar returns the lesser of x and c, NaN if either is.
func MinimumScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Min, scalarLast, x, c) }

// MaximumScalar returns the greater of x and c, NaN if either is.
func MaximumScalar(x *Tensor, c float64) *Tensor { return scalar(backend.Max, scalarLast, x, c) }

// Clamp returns x limited to [lo, hi]; NaN stays NaN.
func Clamp(x *Tensor, lo, hi float64) *Tensor {
	return MinimumScalar(MaximumScalar(x, lo), hi)
}

// Where returns x where cond is true, else y.
func Where(cond, x, y *Tensor) *Tensor {
	if cond.DType() != backend.Bool {
		Fail("where", []*Tensor{cond, x, y}, "wants a bool condition")
	}
	s := streamOf("where", cond, x, y)
	d := Promote(x.DType(), y.DType())
	return Map(wherePrograms[d], nil, cond, Cast(s.Use(x), d), Cast(s.Use(y), d))[0]
}

var wherePrograms = func() (progs [backend.Float64 + 1]*backend.Prog) {
	for _, d := range backend.DTypes() {
		progs[d] = NewProg([]backend.DType{backend.Bool, d, d}, nil,
			[]backend.Instr{{Op: backend.Where, DType: d, A: 0, B: 1, C: 2}}, 3)
	}
	return progs
}()

// Cast returns x as another dtype by the rules of package backend, or x itself if it has it.
func Cast(x *Tensor, d backend.DType) *Tensor {
	if x.DType() == d {
		x.live("cast")
		return x
	}
	return duplicate("cast", x, d)
}

// Contiguous returns x itself if its elements lie in row-major order, else a copy where they do.
func Contiguous(x *Tensor) *Tensor {
	if x.view.IsContiguous() {
		x.live("contiguous")
		return x
	}
	return Clone(x)
}

// Clone returns a row-major copy.
func Clone(x *Tensor) *Tensor { return duplicate("clone", x, x.DType()) }

func duplicate(op string, x *Tensor, d backend.DType) *Tensor {
	s := streamOf(op, x)
	out := s.alloc(op, d, x.Shape())
	s.run1(backend.Cmd{Op: backend.Copy}, out, x)
	return out
}

// CopyInto overwrites dst with x broadcast to its shape and cast to its dtype. They may overlap: dst gets what x held before.
func CopyInto(dst, x *Tensor) {
	s := streamOf("copy into", dst, x)
	if dst.block.frozen {
		Fail("copy into", []*Tensor{dst, x}, "the destination is frozen")
	}
	if dst.repeats() {
		Fail("copy into", []*Tensor{dst, x}, "the destination repeats elements of a broadcast; Clone it first")
	}
	if !slices.Equal(broadcast("copy into", dst, x), dst.Shape()) {
		Fail("copy into", []*Tensor{dst, x}, "the source does not broadcast to the destination")
	}
	if dst.view.MayOverlap(&x.view) {
		s.Scope(func() { s.copyInto(dst, Clone(s.Use(x))) })
		return
	}
	s.copyInto(dst, x)
}

func (s *Stream) copyInto(dst, x *Tensor) {
	s.dst[0], s.src[0] = dst.view, stretch(x.view, dst.Shape())
	s.exec(backend.Cmd{Op: backend.Copy, Dst: s.dst[:1], Src: s.src[:1]}, dst, x)
}
