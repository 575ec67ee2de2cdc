package backend

import "testing"

func TestNewProgNamesWhatIsWrong(t *testing.T) {
	f, b := Float32, Bool
	for _, tt := range []struct {
		ins, params []DType
		code        []Instr
		outs        []Value
		want        string
	}{
		{[]DType{Invalid}, nil, nil, []Value{0}, "program: value 0 has no dtype"},
		{[]DType{f}, []DType{numDTypes}, nil, []Value{0}, "program: value 1 has no dtype"},
		{[]DType{f}, nil, nil, nil, "program: stores nothing"},
		{[]DType{f}, nil, nil, []Value{1}, "program: stores value 1; it has 1"},
		{[]DType{f}, nil, []Instr{{DType: f}}, []Value{1}, "program: value 1: unknown instruction 0"},
		{[]DType{f}, nil, []Instr{{Op: 255, DType: f}}, []Value{1}, "program: value 1: unknown instruction 255"},
		{[]DType{f}, nil, []Instr{{Op: Neg, DType: f, A: 1}}, []Value{1}, "program: value 1: neg uses value 1 before it is defined"},
		{[]DType{f}, nil, []Instr{{Op: Neg}}, []Value{1}, "program: value 1: neg has no dtype"},
		{[]DType{b}, nil, []Instr{{Op: Neg, DType: b}}, []Value{1}, "program: value 1: neg does not take bool, bool"},
		{[]DType{f, Float64}, nil, []Instr{{Op: Add, DType: f, B: 1}}, []Value{2}, "program: value 2: add does not take float32, float64"},
		{[]DType{f}, nil, []Instr{{Op: Neg, DType: Float64}}, []Value{1}, "program: value 1: neg of float32 is float32, not float64"},
		{[]DType{f}, nil, []Instr{{Op: Lt, DType: f}}, []Value{1}, "program: value 1: lt of float32 is bool, not float32"},
		{[]DType{f}, nil, []Instr{{Op: Where, DType: f}}, []Value{1}, "program: value 1: where picks by float32; want bool"},
		{[]DType{b, f, Int32}, nil, []Instr{{Op: Where, DType: f, B: 1, C: 2}}, []Value{3}, "program: value 3: where does not take float32, int32"},
	} {
		if _, err := NewProg(tt.ins, tt.params, tt.code, tt.outs); err == nil || err.Error() != tt.want {
			t.Errorf("NewProg(%v, %v, %v, %v): %v; want %s", tt.ins, tt.params, tt.code, tt.outs, err, tt.want)
		}
	}
}

func TestProgramsPrintOnOneLine(t *testing.T) {
	p, err := NewProg([]DType{Float32}, []DType{Float32}, []Instr{
		{Op: Mul, DType: Float32, A: 0, B: 1},
		{Op: Cast, DType: Int32, A: 2},
	}, []Value{2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.String(), "s0:float32 p1:float32; v2 = mul(s0, p1); v3 = cast(v2):int32 → v2, v3"; got != want {
		t.Errorf("prints %q; want %q", got, want)
	}
	for v, want := range []DType{Float32, Float32, Float32, Int32} {
		if got := p.TypeOf(Value(v)); got != want {
			t.Errorf("value %d is %v; want %v", v, got, want)
		}
	}
}

func TestEveryInstructionHasANameAnArityAndATypeItTakes(t *testing.T) {
	names := map[string]bool{}
	for _, op := range MapOps() {
		takes := 0
		for _, d := range DTypes() {
			if op.Accepts(d) {
				takes++
			}
		}
		if op.String() == "" || names[op.String()] || op.Arity() < 1 || op.Arity() > 3 || takes == 0 {
			t.Errorf("instruction %d is %q of %d operands and takes %d types", op, op, op.Arity(), takes)
		}
		names[op.String()] = true
	}
}
