package cuda

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// roundings are the ways to round to an integer.
var roundings = map[backend.MapOp]string{backend.Floor: "rmi", backend.Ceil: "rpi", backend.Trunc: "rzi", backend.Round: "rni"}

// comparisons are the predicates of integers, and of floats where they differ: NaN is unequal to all.
var comparisons = map[backend.MapOp]struct{ integer, float string }{
	backend.Eq: {"eq", "eq"}, backend.Ne: {"ne", "neu"}, backend.Lt: {"lt", "lt"}, backend.Le: {"le", "le"},
}

// literal returns 0, 1 or another small integer as an operand of instructions on d.
func literal(d backend.DType, x int) string {
	switch heldAs(d).class {
	case singles:
		return fmt.Sprintf("0f%08X", immediate(backend.Float32, float64(x)))
	case doubles:
		return fmt.Sprintf("0d%016X", immediate(backend.Float64, float64(x)))
	}
	return fmt.Sprint(x)
}

// instr appends one instruction of a program on operands of type d and returns its result, as a register holds it. Of one that it does not know, which
// a program that passes checkInstructions has none of, it notes that.
func (a *assembly) instr(in backend.Instr, d backend.DType, x, y, z string) string {
	switch {
	case in.Op == backend.Cast:
		return a.cast(d, in.DType, x)
	case in.Op == backend.Where:
		return a.pick(in.DType, a.isTrue(x), y, z)
	case in.Op.Compares():
		return a.compare(in.Op, d, x, y)
	case !d.IsFloat():
		return a.integer(in.Op, d, x, y)
	}
	r, exact := a.float(in.Op, d, x, y)
	if !exact {
		r = a.round(d, r)
	}
	return r
}

// isTrue returns the predicate of a bool.
func (a *assembly) isTrue(x string) string { return a.do(predicates, "setp.ne.s32", x, 0) }

// pick returns yes where p is set, else no.
func (a *assembly) pick(d backend.DType, p string, yes, no any) string {
	h := heldAs(d)
	return a.do(h.class, "selp."+h.bits, yes, no, p)
}

// truth returns a predicate as a bool.
func (a *assembly) truth(p string) string { return a.pick(backend.Bool, p, 1, 0) }

func (a *assembly) compare(op backend.MapOp, d backend.DType, x, y string) string {
	known, ok := comparisons[op]
	a.unknown = a.unknown || !ok
	c := known.integer
	if d.IsFloat() {
		c = known.float
	}
	return a.truth(a.do(predicates, "setp."+c+"."+heldAs(d).number, x, y))
}

// float appends an instruction on floats. exact says that a half needs no rounding.
func (a *assembly) float(op backend.MapOp, d backend.DType, x, y string) (r string, exact bool) {
	h := heldAs(d)
	if op.IsFunction() {
		return a.call(h.class, op.String()+"_"+h.number, []string{x, y}[:op.Arity()]...), false
	}
	if mode, ok := roundings[op]; ok {
		return a.do(h.class, "cvt."+mode+"."+h.number+"."+h.number, x), true
	}
	switch op {
	case backend.Neg, backend.Abs:
		return a.do(h.class, op.String()+"."+h.number, x), true
	case backend.Sign:
		return a.sign(d, x), true
	case backend.Min, backend.Max:
		return a.extreme(op, d, x, y), true
	case backend.Sqrt:
		return a.do(h.class, "sqrt.rn."+h.number, x), false
	case backend.Rsqrt:
		return a.do(h.class, "rcp.rn."+h.number, a.do(h.class, "sqrt.rn."+h.number, x)), false
	case backend.Pow, backend.Mod:
		return a.call(h.class, op.String()+"_"+h.number, x, y), false
	case backend.Add, backend.Sub, backend.Mul, backend.Div:
		return a.do(h.class, op.String()+".rn."+h.number, x, y), false
	}
	a.unknown = true
	return x, true
}

// extreme returns the minimum or maximum of floats; there is no instruction on float64 that sees NaN.
func (a *assembly) extreme(op backend.MapOp, d backend.DType, x, y string) string {
	if d != backend.Float64 {
		return a.do(singles, op.String()+".NaN.f32", x, y)
	}
	number := a.do(doubles, op.String()+".f64", x, y)
	nan := a.do(doubles, "add.rn.f64", x, y)
	return a.pick(d, a.do(predicates, "setp.nan.f64", x, y), nan, number)
}

// sign returns −1, 0 or 1, or NaN.
func (a *assembly) sign(d backend.DType, x string) string {
	number, zero := heldAs(d).number, literal(d, 0)
	r := a.pick(d, a.do(predicates, "setp.gt."+number, x, zero), literal(d, 1), zero)
	r = a.pick(d, a.do(predicates, "setp.lt."+number, x, zero), literal(d, -1), r)
	if d.IsFloat() {
		r = a.pick(d, a.do(predicates, "setp.nan."+number, x, x), x, r)
	}
	return r
}

// integer appends an instruction on integers or bools. A uint8 wraps to its byte.
func (a *assembly) integer(op backend.MapOp, d backend.DType, x, y string) string {
	h := heldAs(d)
	switch op {
	case backend.Not:
		return a.do(words, "xor.b32", x, 1)
	case backend.And, backend.Or, backend.Xor:
		return a.do(h.class, op.String()+"."+h.bits, x, y)
	case backend.Min, backend.Max:
		return a.do(h.class, op.String()+"."+h.number, x, y)
	case backend.Sign:
		return a.sign(d, x)
	case backend.Div:
		return a.quotient(d, x, y)
	case backend.Mod:
		return a.modulo(d, x, y)
	case backend.Pow:
		if d == backend.Uint8 {
			return a.call(words, "pow_u8", x, y)
		}
		return a.call(h.class, "pow_"+h.number, x, y)
	case backend.Neg:
		return a.wrap(d, a.do(h.class, "neg."+h.number, x))
	case backend.Abs:
		if d == backend.Uint8 {
			return x
		}
		return a.do(h.class, "max."+h.number, x, a.do(h.class, "neg."+h.number, x)) // the least integer stays as it is
	case backend.Mul:
		return a.wrap(d, a.do(h.class, "mul.lo."+unsigned(d), x, y))
	case backend.Add, backend.Sub:
		return a.wrap(d, a.do(h.class, op.String()+"."+unsigned(d), x, y))
	}
	a.unknown = true
	return x
}

// unsigned returns the suffix of instructions on unsigned integers that wrap.
func unsigned(d backend.DType) string {
	if d == backend.Int64 {
		return "u64"
	}
	return "u32"
}

// wrap returns the low byte of a uint8, and others as they are.
func (a *assembly) wrap(d backend.DType, x string) string {
	if d != backend.Uint8 {
		return x
	}
	return a.do(words, "and.b32", x, 0xff)
}

// divisor returns 1 in place of 0 and −1, whose quotients are not what the contract says, or may not be.
func (a *assembly) divisor(d backend.DType, y string) (safe, isZero, isMinusOne string) {
	number := heldAs(d).number
	isZero = a.do(predicates, "setp.eq."+number, y, 0)
	isMinusOne = a.do(predicates, "setp.eq."+number, y, -1)
	return a.pick(d, isMinusOne, 1, a.pick(d, isZero, 1, y)), isZero, isMinusOne
}

// quotient returns x/y, truncated, and 0 for x/0.
func (a *assembly) quotient(d backend.DType, x, y string) string {
	h := heldAs(d)
	safe, isZero, isMinusOne := a.divisor(d, y)
	q := a.do(h.class, "div."+h.number, x, safe)
	q = a.pick(d, isMinusOne, a.do(h.class, "neg."+h.number, x), q)
	return a.pick(d, isZero, 0, q)
}

// modulo returns the remainder of x/y, plus y where their signs differ. That of a division by 1 is 0, as it is for 0 and −1.
func (a *assembly) modulo(d backend.DType, x, y string) string {
	h := heldAs(d)
	safe, _, _ := a.divisor(d, y)
	r := a.do(h.class, "rem."+h.number, x, safe)
	differ := a.do(predicates, "setp.lt."+h.number, a.do(h.class, "xor."+h.bits, r, y), 0)
	correction := a.pick(d, differ, y, 0)
	correction = a.pick(d, a.do(predicates, "setp.ne."+h.number, r, 0), correction, 0)
	return a.do(h.class, "add."+unsigned(d), r, correction)
}
