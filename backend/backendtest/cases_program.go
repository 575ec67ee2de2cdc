package backendtest

import (
	"bytes"

	"github.com/weir-ml/weir/backend"
)

// builder writes a program value by value.
type builder struct {
	ins, params []backend.DType
	code        []backend.Instr
}

func (b *builder) typeOf(v backend.Value) backend.DType {
	p := backend.Prog{Ins: b.ins, Params: b.params, Code: b.code}
	return p.TypeOf(v)
}

// emit appends an instruction, whose type follows from its operands.
func (b *builder) emit(op backend.MapOp, operands ...backend.Value) backend.Value {
	d := b.typeOf(operands[len(operands)-1])
	if op.Compares() {
		d = backend.Bool
	}
	return b.append(op, d, operands)
}

func (b *builder) cast(v backend.Value, d backend.DType) backend.Value {
	return b.append(backend.Cast, d, []backend.Value{v})
}

func (b *builder) append(op backend.MapOp, d backend.DType, operands []backend.Value) backend.Value {
	in := backend.Instr{Op: op, DType: d}
	for k, to := range []*backend.Value{&in.A, &in.B, &in.C}[:len(operands)] {
		*to = operands[k]
	}
	b.code = append(b.code, in)
	return backend.Value(len(b.ins) + len(b.params) + len(b.code) - 1)
}

func (b *builder) prog(outs ...backend.Value) *backend.Prog {
	return mustProg(b.ins, b.params, b.code, outs...)
}

// programCases runs programs of several instructions, outputs and parameters.
func programCases(s *suite) {
	programs := writtenPrograms()
	for range 60 {
		programs = append(programs, s.randomProgram(exactOps(), 1+s.rng.IntN(24)))
	}
	for _, p := range programs {
		for _, dims := range [][]int{{}, {0, 3}, {5, 13}} {
			for _, l := range destinations() {
				s.check(s.mapCommand(p, dims, l, l, anything))
			}
		}
		s.check(s.mapCommand(p, []int{2600}, contiguous, contiguous, anything))
		s.check(s.mapCommand(p, []int{4, 7}, contiguous, layouts[6], normals))
	}
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		s.checkSwap(d)
		s.checkParameters(d)
	}
	for range 40 {
		s.checkFusion(s.randomProgram(backend.MapOps(), 12))
	}
}

func writtenPrograms() []*backend.Prog {
	var ps []*backend.Prog
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		ps = append(ps, mulAdd(d), adam(d), clipAndCount(d),
			mustProg([]backend.DType{d}, nil, nil, 0, 0),                   // one source stored twice
			mustProg([]backend.DType{d, d}, []backend.DType{d}, nil, 2, 1)) // a parameter and a source, one source unused
	}
	for _, d := range backend.DTypes() {
		ps = append(ps, mustProg(nil, []backend.DType{d}, nil, 0)) // fill
	}
	return ps
}

// mulAdd is x·y + z and x·y − z: a contracted product differs in the last place or, when it cancels, in all.
func mulAdd(d backend.DType) *backend.Prog {
	b := &builder{ins: []backend.DType{d, d, d}}
	product := b.emit(backend.Mul, 0, 1)
	rounded := b.emit(backend.Mul, 0, 1)
	return b.prog(b.emit(backend.Add, product, 2), b.emit(backend.Sub, 2, product), b.emit(backend.Sub, product, rounded))
}

// adam is the optimizer's step: three outputs, seven parameters.
func adam(d backend.DType) *backend.Prog {
	b := &builder{ins: []backend.DType{d, d, d, d}, params: []backend.DType{d, d, d, d, d, d}}
	const param, grad, m, v, beta1, rest1, beta2, rest2, rate, eps = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	m1 := b.emit(backend.Add, b.emit(backend.Mul, m, beta1), b.emit(backend.Mul, grad, rest1))
	v1 := b.emit(backend.Add, b.emit(backend.Mul, v, beta2), b.emit(backend.Mul, b.emit(backend.Mul, grad, grad), rest2))
	root := b.emit(backend.Add, b.emit(backend.Sqrt, v1), eps)
	return b.prog(b.emit(backend.Sub, param, b.emit(backend.Div, b.emit(backend.Mul, m1, rate), root)), m1, v1)
}

// clipAndCount mixes types: floats, booleans and integers.
func clipAndCount(d backend.DType) *backend.Prog {
	b := &builder{ins: []backend.DType{d, d, backend.Int64}, params: []backend.DType{d, backend.Int64}}
	inside := b.emit(backend.And, b.emit(backend.Lt, 0, 1), b.emit(backend.Ne, 0, 3))
	clipped := b.emit(backend.Where, inside, 0, 1)
	count := b.emit(backend.Add, 2, b.emit(backend.Mul, b.cast(inside, backend.Int64), 4))
	return b.prog(clipped, count, inside, b.cast(clipped, backend.Int32))
}

// checkSwap exchanges two buffers in place: each element is read before it is written, for all outputs.
func (s *suite) checkSwap(d backend.DType) {
	b := &builder{ins: []backend.DType{d, d}}
	sum := b.emit(backend.Add, 0, 1)
	for _, p := range []*backend.Prog{b.prog(1, 0), b.prog(sum, 0), b.prog(1, sum)} {
		for _, l := range destinations() {
			for _, dims := range [][]int{{3, 5}, {2000}} {
				c := s.mapCommand(p, dims, l, l, anything)
				c.Dst = []backend.View{c.Src[0], c.Src[1]}
				s.check(c)
			}
		}
	}
}

// checkParameters runs one program with one number and then another.
func (s *suite) checkParameters(d backend.DType) {
	b := &builder{ins: []backend.DType{d}, params: []backend.DType{d}}
	p := b.prog(b.emit(backend.Mul, 0, 1))
	for _, x := range []float64{2, 3, -0.5, 0, 0.1, 1e-8} {
		c := s.mapCommand(p, []int{20}, contiguous, contiguous, normals)
		c.Imm = []float64{x}
		s.check(c)
	}
}

// checkFusion compares a program with its instructions run one by one: a fused chain equals its parts, bit for bit.
func (s *suite) checkFusion(p *backend.Prog) {
	dims := []int{1500}
	fused := s.mapCommand(p, dims, contiguous, contiguous, anything)
	values := append([]backend.View(nil), fused.Src...)
	var parts []*backend.Cmd
	for k, d := range p.Params {
		fill := mustProg(nil, []backend.DType{d}, nil, 0)
		c := s.mapCommand(fill, dims, contiguous, contiguous, anything)
		c.Imm = []float64{fused.Imm[k]}
		parts, values = append(parts, c), append(values, c.Dst[0])
	}
	for _, in := range p.Code {
		t := typedInstr{op: in.Op, computes: in.DType}
		c := &backend.Cmd{Op: backend.Map}
		for _, v := range []backend.Value{in.A, in.B, in.C}[:in.Op.Arity()] {
			t.ins, c.Src = append(t.ins, p.TypeOf(v)), append(c.Src, values[v])
		}
		c.Prog = t.prog()
		c.Dst = []backend.View{s.operand(in.DType, dims, contiguous, nil)}
		parts, values = append(parts, c), append(values, c.Dst[0])
	}
	if s.next(sizeOf(fused)) {
		s.each(func() { s.comparePieces(fused, parts, values) })
	}
}

// comparePieces runs a program at once, and as parts that leave each of its values in a view.
func (s *suite) comparePieces(fused *backend.Cmd, parts []*backend.Cmd, values []backend.View) {
	whole, err := s.execute(fused)
	if err != nil {
		s.failf("%s\n\tfails: %v", describe(fused), err)
		return
	}
	pieces, err := s.execute(append(parts, fused)...) // with fused, so that sources that no part reads are there too
	if err != nil {
		s.failf("%s\n\tfails one instruction at a time: %v", describe(fused), err)
		return
	}
	for k, v := range fused.Prog.Outs {
		s.expectSame(fused, "the program differs from its instructions one by one", k, whole[fused.Dst[k].Buf], pieces[values[v].Buf])
	}
}

// expectSame compares the bits of destination k of a command with others; all NaNs are equal.
func (s *suite) expectSame(c *backend.Cmd, what string, k int, got, want []byte) {
	if bytes.Equal(got, want) {
		return
	}
	v := &c.Dst[k]
	first, wrong := -1, 0
	at := elements(v)
	for n := range at {
		g, w := load(got, v.DType, at[n]), load(want, v.DType, at[n])
		if !exact(w).accepts(v.DType, g) {
			if wrong++; first < 0 {
				first = n
			}
		}
	}
	if wrong == 0 {
		return
	}
	g, w := load(got, v.DType, at[first]), load(want, v.DType, at[first])
	s.failf("%s\n\t%s: destination %d%v: %s and %s; %d of %d elements differ",
		describe(c), what, k, coordinates(v, first), g.format(v.DType), w.format(v.DType), wrong, len(at))
}

// exactOps returns the instructions whose results have no room. Programs may end in others, but compute nothing from them.
func exactOps() []backend.MapOp {
	var ops []backend.MapOp
	for _, op := range backend.MapOps() {
		if _, listed := inexact[op]; !listed {
			ops = append(ops, op)
		}
	}
	return ops
}

// randomProgram draws a program of n instructions, of several types, sources, parameters and outputs.
func (s *suite) randomProgram(ops []backend.MapOp, n int) *backend.Prog {
	types := backend.DTypes()
	b := &builder{}
	for range 1 + s.rng.IntN(4) {
		b.ins = append(b.ins, types[s.rng.IntN(len(types))])
	}
	for range s.rng.IntN(3) {
		b.params = append(b.params, types[s.rng.IntN(len(types))])
	}
	for len(b.code) < n {
		s.randomInstr(b, ops)
	}
	last := len(b.ins) + len(b.params) + len(b.code) - 1
	outs := []backend.Value{backend.Value(last)}
	for range s.rng.IntN(3) {
		outs = append(outs, backend.Value(s.rng.IntN(last+1)))
	}
	return b.prog(outs...)
}

// randomInstr appends an instruction on a random value and others of its type, or a cast where the drawn one does not fit.
func (s *suite) randomInstr(b *builder, ops []backend.MapOp) {
	count := len(b.ins) + len(b.params) + len(b.code)
	op, x := ops[s.rng.IntN(len(ops))], backend.Value(s.rng.IntN(count))
	d := b.typeOf(x)
	types := backend.DTypes()
	if op == backend.Cast || !op.Accepts(d) || s.anyLacks(op, d) {
		b.cast(x, types[s.rng.IntN(len(types))])
		return
	}
	operands := make([]backend.Value, op.Arity())
	for k := range operands {
		operands[k] = s.valueOf(b, d, x)
	}
	if op == backend.Where {
		pick := s.valueOf(b, backend.Bool, x)
		if b.typeOf(pick) != backend.Bool {
			pick = b.cast(x, backend.Bool)
		}
		operands[0] = pick
	}
	b.emit(op, operands...)
}

// valueOf returns a random value of type d among a few tried, else x.
func (s *suite) valueOf(b *builder, d backend.DType, x backend.Value) backend.Value {
	count := len(b.ins) + len(b.params) + len(b.code)
	for range 6 {
		if v := backend.Value(s.rng.IntN(count)); b.typeOf(v) == d {
			return v
		}
	}
	return x
}
