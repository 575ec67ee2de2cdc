package cuda

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// Elementwise programs become text in PTX, the assembly language that the driver compiles for its GPU. One module holds one entry and the
// functions it calls. The text keeps to a subset of PTX 7.0 for sm_80, so that the emulated driver of testdata can interpret it:
//
//	.version 7.0
//	.target sm_80
//	.address_size 64
//	…                                          functions and constants, copied from kernels/functions.ptx: the interpreter skips to the entry
//	.visible .entry map(
//		.param .align 8 .b8 p[N],
//		.param .b64 failed
//	)
//	{
//		.reg .pred %p<N>;                      then .b16 %h, .b32 %r, .b64 %rd, .f32 %f, .f64 %fd; registers count from 0
//		one instruction or label a line
//	}
//
// All branches go forward and threads share nothing, so lanes can run one after the other. A register is written once on any path. The
// instructions are, D being a register, A, B and C registers or, where noted, literals (decimal, perhaps negative, 0fXXXXXXXX for f32, 0dXXXXXXXXXXXXXXXX for f64):
//
//	mov.u32 D, S;                              S one of %ctaid.x, %ctaid.y, %ntid.x, %tid.x
//	mov.b64 D, p;                              the address of the parameters; offsets are added to it as to any number
//	ld.param.b64 D, [failed];                  the second parameter, of which kernels/gpu.h says what it means
//	mov.b32 D, A;                              between any of %r and %f, bits unchanged
//	ld.param.T D, [A+n];                       T one of b32, b64, f32, f64; n decimal, ≥ 0
//	ld.global.T D, [A+n];                      T one of u8 (to %r, zero-extended), b16, b32, b64, f32, f64
//	ld.global.v2.T {D, D}, [A+n];              likewise, and v4
//	st.global.T [A+n], D;                      likewise; u8 stores the low byte of a %r
//	st.global.v2.T [A+n], {D, D};              likewise, and v4
//	add.u32 sub.u32 mul.lo.u32 mul.hi.u32      and add.u64 sub.u64 mul.lo.u64; B may be a literal
//	mad.lo.u32 mad.lo.u64 mad.wide.u32         D = A·B + C; wide: A, B of 32 bits (B may be a literal), C and D of 64
//	div.s32 rem.s32 div.s64 rem.s64            toward zero; B is never 0 nor −1
//	and.b32 or.b32 xor.b32 shl.b32 shr.u32     and and.b64 or.b64 xor.b64; B may be a literal
//	neg.s32 neg.s64 min.s32 max.s32 min.s64 max.s64
//	add.rn.T sub.rn.T mul.rn.T div.rn.T        T one of f32, f64, here and below; rounded to nearest even, subnormals kept, never contracted
//	neg.T abs.T sqrt.rn.T rcp.rn.T
//	min.NaN.f32 max.NaN.f32                    NaN if an operand is NaN; −0 is less than +0
//	min.f64 max.f64                            of numbers only matters: −0 is less than +0
//	setp.C.T D, A, B;                          C one of eq, ne, lt, le, gt, T one of s32, s64; ge.u32; C one of eq, neu, lt, le, gt, nan, T a float
//	selp.T D, A, B, P;                         A if P else B; T one of b32, b64, f32, f64; A and B may be literals
//	cvt.R.T.T D, A;                            R one of rmi, rpi, rzi, rni: rounds to an integer down, up, toward zero, to even
//	cvt.rzi.I.T D, A;                          I one of s32, s64; saturates; what NaN gives is not used
//	cvt.rn.T.I D, A;                           rounded to nearest even
//	cvt.rn.f32.f64  cvt.f64.f32
//	cvt.rn.f16.f32 cvt.rn.bf16.f32 D, A;       to %h, rounded to nearest even
//	cvt.f32.f16 D, A;  cvt.u32.u16 D, A;       from %h
//	cvt.u32.u64 cvt.u64.u32 cvt.s64.s32 D, A;  truncated; zero-extended; sign-extended
//	call.uni (D), name, (A, B);                one result, one or two arguments; the name is that of a FUNCTION of kernels/functions.cu
//	@P bra label;  bra label;  label:  ret;
const ptxHeader = ".version 7.0\n.target sm_80\n.address_size 64\n"

// register is a class of PTX registers; its value is their prefix.
type register string

const (
	predicates register = "%p"
	halfWords  register = "%h"
	words      register = "%r"
	longs      register = "%rd"
	singles    register = "%f"
	doubles    register = "%fd"
)

// registers are the classes in the order of their declarations, with the types they are declared as.
var registers = []struct {
	class register
	kind  string
}{{predicates, "pred"}, {halfWords, "b16"}, {words, "b32"}, {longs, "b64"}, {singles, "f32"}, {doubles, "f64"}}

// assembly is the body of an entry that is being written.
type assembly struct {
	strings.Builder
	used    map[register]int
	calls   map[string]bool // functions
	unknown bool            // an instruction was not known
}

func newAssembly() *assembly {
	return &assembly{used: map[register]int{}, calls: map[string]bool{}}
}

// new returns a register that nothing has used.
func (a *assembly) new(class register) string {
	n := a.used[class]
	a.used[class]++
	return fmt.Sprintf("%s%d", class, n)
}

// line appends one instruction.
func (a *assembly) line(format string, args ...any) {
	a.WriteByte('\t')
	fmt.Fprintf(a, format, args...)
	a.WriteString(";\n")
}

// label marks the place that a branch goes to.
func (a *assembly) label(name string) { a.WriteString(name + ":\n") }

// do appends an instruction on operands and returns its result, in a new register.
func (a *assembly) do(class register, instruction string, operands ...any) string {
	d := a.new(class)
	a.WriteString("\t" + instruction + " " + d)
	for _, o := range operands {
		fmt.Fprintf(a, ", %v", o)
	}
	a.WriteString(";\n")
	return d
}

// call appends a call of one of the functions of kernels/functions.cu.
func (a *assembly) call(class register, function string, arguments ...string) string {
	a.calls[function] = true
	d := a.new(class)
	a.line("call.uni (%s), %s, (%s)", d, function, strings.Join(arguments, ", "))
	return d
}

// entry returns the entry with a parameter of so many bytes.
func (a *assembly) entry(name string, parameterBytes int) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".visible .entry %s(\n\t.param .align 8 .b8 p[%d],\n\t.param .b64 failed\n)\n{\n", name, parameterBytes)
	for _, r := range registers {
		if n := a.used[r.class]; n > 0 {
			fmt.Fprintf(&b, "\t.reg .%s %s<%d>;\n", r.kind, r.class, n)
		}
	}
	b.WriteString(a.String())
	b.WriteString("}\n")
	return b.String()
}

// held is how the registers of a dtype hold its values: bool and uint8 zero-extended in 32 bits, the halves as the float32 of the same value.
type held struct {
	class  register
	bits   string // suffix of instructions on bits
	number string // suffix of instructions on numbers: integers are signed, a uint8 being a small one
}

func heldAs(d backend.DType) held {
	switch d {
	case backend.Int64:
		return held{longs, "b64", "s64"}
	case backend.Float64:
		return held{doubles, "f64", "f64"}
	case backend.Bool, backend.Uint8, backend.Int32:
		return held{words, "b32", "s32"}
	}
	return held{singles, "f32", "f32"}
}
