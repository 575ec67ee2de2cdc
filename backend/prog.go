package backend

import (
	"fmt"
	"slices"
	"strings"
)

//go:generate go run ../internal/instructions/generate ..

// MapOp is an instruction of an elementwise program.
type MapOp uint8

// The instructions on x and y, which are the operands A and B. Pow has the special cases of Go's math.Pow on floats and wraps on integers, where
// a negative exponent gives 0 but for a base of ±1; Atan2 has the sign of A and the special cases of Go's math.Atan2.
//
// This list is what package internal/instructions makes the functions of expr, tensor and autograd of: a comment here is documentation there.
const (
	NoMapOp  MapOp = iota
	Neg            // −x
	Abs            // |x|
	Sign           // −1, 0 or 1; NaN stays NaN, ±0 is 0
	Sqrt           // √x, NaN below 0
	Rsqrt          // 1/√x
	Exp            // eˣ
	Expm1          // eˣ − 1, accurate near 0
	Log            // ln x: −Inf at 0, NaN below
	Log1p          // ln(1 + x), accurate near 0
	Sin            // the sine of x in radians
	Cos            // the cosine of x in radians
	Tanh           // the hyperbolic tangent
	Erf            // the error function 2/√π ∫₀ˣ e^(−t²) dt
	GELU           // x·Φ(x), Φ the standard normal distribution function, in its exact (erf) form
	GELUGrad       // the derivative of GELU, Φ(x) + x·φ(x)
	Sigmoid        // 1/(1 + e⁻ˣ)
	Softplus       // ln(1 + eˣ), without overflow
	Floor          // the greatest integer that is at most x
	Ceil           // the least integer that is at least x
	Trunc          // x without its fraction
	Round          // the nearest integer, halves to even
	Not            // the negation of a Bool
	Cast           // x as another dtype
	Add            // x + y
	Sub            // x − y
	Mul            // x·y
	Div            // x/y
	Mod            // x − y·⌊x/y⌋, which has the sign of y
	Pow            // x to the power of y
	Atan2          // the angle of the point (y, x) in [−π, π], x being the ordinate
	Min            // the lesser of x and y, NaN if either is
	Max            // the greater of x and y, NaN if either is
	Eq             // x = y
	Ne             // x ≠ y
	Lt             // x < y
	Le             // x ≤ y
	And            // x ∧ y, bit by bit
	Or             // x ∨ y, bit by bit
	Xor            // the exclusive or, bit by bit
	Where          // B where A is true, else C
	numMapOps
)

// domain is the set of operand types that an instruction accepts.
type domain uint8

const (
	anyType domain = iota
	numbers        // integers and floats
	floats
	functions // floats, for a result within the tolerance of backend/backendtest
	bits1     // Bool
	bitwise
)

func (d domain) has(t DType) bool {
	switch d {
	case numbers:
		return t.IsInt() || t.IsFloat()
	case floats, functions:
		return t.IsFloat()
	case bits1:
		return t == Bool
	case bitwise:
		return t == Bool || t.IsInt()
	}
	return t != Invalid && t < numDTypes
}

var mapOps = [numMapOps]struct {
	name   string
	arity  int
	domain domain
}{
	NoMapOp:  {"none", 0, anyType},
	Neg:      {"neg", 1, numbers},
	Abs:      {"abs", 1, numbers},
	Sign:     {"sign", 1, numbers},
	Sqrt:     {"sqrt", 1, floats},
	Rsqrt:    {"rsqrt", 1, floats},
	Exp:      {"exp", 1, functions},
	Expm1:    {"expm1", 1, functions},
	Log:      {"log", 1, functions},
	Log1p:    {"log1p", 1, functions},
	Sin:      {"sin", 1, functions},
	Cos:      {"cos", 1, functions},
	Tanh:     {"tanh", 1, functions},
	Erf:      {"erf", 1, functions},
	GELU:     {"gelu", 1, functions},
	GELUGrad: {"gelu_grad", 1, functions},
	Sigmoid:  {"sigmoid", 1, functions},
	Softplus: {"softplus", 1, functions},
	Floor:    {"floor", 1, floats},
	Ceil:     {"ceil", 1, floats},
	Trunc:    {"trunc", 1, floats},
	Round:    {"round", 1, floats},
	Not:      {"not", 1, bits1},
	Cast:     {"cast", 1, anyType},
	Add:      {"add", 2, numbers},
	Sub:      {"sub", 2, numbers},
	Mul:      {"mul", 2, numbers},
	Div:      {"div", 2, numbers},
	Mod:      {"mod", 2, numbers},
	Pow:      {"pow", 2, numbers},
	Atan2:    {"atan2", 2, functions},
	Min:      {"min", 2, numbers},
	Max:      {"max", 2, numbers},
	Eq:       {"eq", 2, anyType},
	Ne:       {"ne", 2, anyType},
	Lt:       {"lt", 2, numbers},
	Le:       {"le", 2, numbers},
	And:      {"and", 2, bitwise},
	Or:       {"or", 2, bitwise},
	Xor:      {"xor", 2, bitwise},
	Where:    {"where", 3, anyType},
}

// MapOps returns every instruction.
func MapOps() []MapOp {
	ops := make([]MapOp, 0, numMapOps-1)
	for op := Neg; op < numMapOps; op++ {
		ops = append(ops, op)
	}
	return ops
}

// String returns the name of the instruction.
func (op MapOp) String() string {
	if op >= numMapOps {
		return "unknown"
	}
	return mapOps[op].name
}

// Arity returns the number of operands.
func (op MapOp) Arity() int { return mapOps[op].arity }

// Accepts reports whether the instruction takes operands of type d (for Where, as the two values to pick from).
func (op MapOp) Accepts(d DType) bool { return mapOps[op].domain.has(d) }

// IsFunction reports whether the instruction is a transcendental function: on floats only, right within the tolerance of backend/backendtest
// and not to the bit, and some ten times as dear as arithmetic.
func (op MapOp) IsFunction() bool { return mapOps[op].domain == functions }

// Compares reports whether the instruction compares two operands of one type into a Bool.
func (op MapOp) Compares() bool { return op >= Eq && op <= Le }

// Value numbers a value of a program: its sources first, then its parameters, then its instructions in order.
type Value uint16

// Instr computes one value. DType is the type of the result. Operands beyond the instruction's arity are ignored.
type Instr struct {
	Op      MapOp
	DType   DType
	A, B, C Value
}

// Prog is an elementwise program in static single assignment form, the same for every element. Parameters are numbers given by
// the command, not by the program, so one program serves x·2 and x·3. Build it with [NewProg]; it is immutable and a
// backend may cache what it makes of it by its address.
type Prog struct {
	Ins    []DType // type of each source
	Params []DType // type of each number in Cmd.Imm
	Code   []Instr
	Outs   []Value // what is stored to each destination
}

// NewProg checks the program: every operand is defined before it is used and has a type the instruction takes.
// The error names the first value that is wrong.
func NewProg(ins, params []DType, code []Instr, outs []Value) (*Prog, error) {
	p := &Prog{Ins: slices.Clone(ins), Params: slices.Clone(params), Code: slices.Clone(code), Outs: slices.Clone(outs)}
	for i, d := range append(append([]DType(nil), ins...), params...) {
		if d == Invalid || d >= numDTypes {
			return nil, fmt.Errorf("program: value %d has no dtype", i)
		}
	}
	base := len(ins) + len(params)
	for i, in := range code {
		if err := p.checkInstr(base+i, in); err != nil {
			return nil, err
		}
	}
	if len(outs) == 0 {
		return nil, fmt.Errorf("program: stores nothing")
	}
	for _, v := range outs {
		if int(v) >= base+len(code) {
			return nil, fmt.Errorf("program: stores value %d; it has %d", v, base+len(code))
		}
	}
	return p, nil
}

func (p *Prog) checkInstr(index int, in Instr) error {
	if in.Op == NoMapOp || in.Op >= numMapOps {
		return fmt.Errorf("program: value %d: unknown instruction %d", index, in.Op)
	}
	operands := []Value{in.A, in.B, in.C}[:in.Op.Arity()]
	for _, v := range operands {
		if int(v) >= index {
			return fmt.Errorf("program: value %d: %v uses value %d before it is defined", index, in.Op, v)
		}
	}
	if in.DType == Invalid || in.DType >= numDTypes {
		return fmt.Errorf("program: value %d: %v has no dtype", index, in.Op)
	}
	if in.Op == Where {
		if p.TypeOf(in.A) != Bool {
			return fmt.Errorf("program: value %d: where picks by %v; want bool", index, p.TypeOf(in.A))
		}
		operands = operands[1:]
	}
	for _, v := range operands {
		d := p.TypeOf(v)
		if !in.Op.Accepts(d) || d != p.TypeOf(operands[0]) {
			return fmt.Errorf("program: value %d: %v does not take %v, %v", index, in.Op, p.TypeOf(operands[0]), d)
		}
	}
	want := p.TypeOf(operands[0])
	switch {
	case in.Op == Cast:
		return nil
	case in.Op.Compares():
		want = Bool
	}
	if in.DType != want {
		return fmt.Errorf("program: value %d: %v of %v is %v, not %v", index, in.Op, p.TypeOf(operands[0]), want, in.DType)
	}
	return nil
}

// TypeOf returns the type of a value.
func (p *Prog) TypeOf(v Value) DType {
	i := int(v)
	if i < len(p.Ins) {
		return p.Ins[i]
	}
	if i -= len(p.Ins); i < len(p.Params) {
		return p.Params[i]
	}
	return p.Code[i-len(p.Params)].DType
}

// String prints the program on one line: s0:float32 s1:float32; v2 = mul(s0, s1); v3 = exp(v2) → v3.
func (p *Prog) String() string {
	var b strings.Builder
	for i, d := range p.Ins {
		fmt.Fprintf(&b, "s%d:%v ", i, d)
	}
	for i, d := range p.Params {
		fmt.Fprintf(&b, "p%d:%v ", len(p.Ins)+i, d)
	}
	for i, in := range p.Code {
		fmt.Fprintf(&b, "; v%d = %v(%s)", len(p.Ins)+len(p.Params)+i, in.Op, p.names([]Value{in.A, in.B, in.C}[:in.Op.Arity()]))
		if in.Op == Cast {
			fmt.Fprintf(&b, ":%v", in.DType)
		}
	}
	return strings.TrimPrefix(strings.Replace(b.String(), " ; ", "; ", 1), "; ") + " → " + p.names(p.Outs)
}

func (p *Prog) names(vs []Value) string {
	names := make([]string, len(vs))
	for i, v := range vs {
		prefix := "v"
		switch {
		case int(v) < len(p.Ins):
			prefix = "s"
		case int(v) < len(p.Ins)+len(p.Params):
			prefix = "p"
		}
		names[i] = fmt.Sprintf("%s%d", prefix, v)
	}
	return strings.Join(names, ", ")
}
