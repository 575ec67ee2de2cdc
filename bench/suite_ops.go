package bench

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// sizes of the operations: those of a layer's activations in a training step of 500 samples and 100 steps.
type sizes struct{ samples, steps, width int }

func (o Options) sizes() sizes {
	if o.Size == Small {
		return sizes{5, 10, 64}
	}
	return sizes{500, 100, 64}
}

// shapeName prints 500x100x64.
func shapeName(dims ...int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(dims), "[]"), " ", "x")
}

func opsCases(o Options) []benchCase {
	var cases []benchCase
	for _, d := range o.DTypes {
		cases = append(cases, mapCases(o.sizes(), d)...)
		cases = append(cases, copyCases(o.sizes(), d)...)
		cases = append(cases, reduceCases(o.sizes(), d)...)
		cases = append(cases, alongCases(o.sizes(), d)...)
	}
	return cases
}

// mapCases has every instruction in a program of its own, and chains that a training step has.
func mapCases(z sizes, d backend.DType) []benchCase {
	var cases []benchCase
	for _, op := range backend.MapOps() {
		cases = append(cases, instructionCase(z, d, op))
	}
	return append(cases, chainCases(z, d)...)
}

// instructionCase times an instruction on d or, if it does not take floats, on booleans.
func instructionCase(z sizes, d backend.DType, op backend.MapOp) benchCase {
	in := d
	if !op.Accepts(d) {
		in = backend.Bool
	}
	ins := []backend.DType{in, in, in}[:op.Arity()]
	out := in
	switch {
	case op == backend.Where:
		ins = []backend.DType{backend.Bool, in, in}
	case op == backend.Cast:
		out = backend.Float64
		if d == backend.Float64 {
			out = backend.Float32
		}
	case op.Compares():
		out = backend.Bool
	}
	p := program(ins, nil, backend.Instr{Op: op, DType: out, A: 0, B: 1, C: 2})
	name := fmt.Sprintf("ops/%v/%v/%s", op, in, shapeName(z.samples, z.steps, z.width))
	if op == backend.Cast {
		name = fmt.Sprintf("ops/%v/%v,%v/%s", op, in, out, shapeName(z.samples, z.steps, z.width))
	}
	flops := 0.0
	if isArithmetic(op) {
		flops = float64(z.samples * z.steps * z.width)
	}
	return command(name, in, flops, 0, func(m *memory) backend.Cmd {
		c := backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{m.result(out, z.samples, z.steps, z.width)}}
		for _, d := range ins {
			if wantsPositive(op) {
				c.Src = append(c.Src, m.positive(d, z.samples, z.steps, z.width))
			} else {
				c.Src = append(c.Src, m.source(d, z.samples, z.steps, z.width))
			}
		}
		return c
	})
}

// isArithmetic reports whether the instruction is one floating-point operation: for what a function takes there is no such number.
func isArithmetic(op backend.MapOp) bool {
	switch op {
	case backend.Add, backend.Sub, backend.Mul, backend.Div, backend.Sqrt:
		return true
	}
	return false
}

func wantsPositive(op backend.MapOp) bool {
	switch op {
	case backend.Log, backend.Log1p, backend.Sqrt, backend.Rsqrt, backend.Pow, backend.Div, backend.Mod:
		return true
	}
	return false
}

// program returns a program that stores its last value.
func program(ins, params []backend.DType, code ...backend.Instr) *backend.Prog {
	p, err := backend.NewProg(ins, params, code, []backend.Value{backend.Value(len(ins) + len(params) + len(code) - 1)})
	if err != nil {
		panic(err) // the programs are those of this package
	}
	return p
}

// chainCases are a bias with GELU, whose bias is broadcast, and GELU with its derivative.
func chainCases(z sizes, d backend.DType) []benchCase {
	n := z.samples * z.steps
	bias := program([]backend.DType{d, d}, nil,
		backend.Instr{Op: backend.Add, DType: d, A: 0, B: 1}, backend.Instr{Op: backend.GELU, DType: d, A: 2})
	pair, err := backend.NewProg([]backend.DType{d}, nil,
		[]backend.Instr{{Op: backend.GELU, DType: d}, {Op: backend.GELUGrad, DType: d}}, []backend.Value{1, 2})
	if err != nil {
		panic(err)
	}
	return []benchCase{
		command(fmt.Sprintf("ops/bias_gelu/%v/%s", d, shapeName(n, z.width)), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Map, Prog: bias, Dst: []backend.View{m.result(d, n, z.width)},
				Src: []backend.View{m.source(d, n, z.width), repeated(m.source(d, 1, z.width), 0, n)}}
		}),
		command(fmt.Sprintf("ops/gelu_pair/%v/%s", d, shapeName(n, z.width)), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Map, Prog: pair, Dst: []backend.View{m.result(d, n, z.width), m.result(d, n, z.width)},
				Src: []backend.View{m.source(d, n, z.width)}}
		}),
	}
}

func copyCases(z sizes, d backend.DType) []benchCase {
	rows := z.samples * z.steps
	return []benchCase{
		command(fmt.Sprintf("ops/copy/%v/%s", d, shapeName(rows, z.width)), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Copy, Dst: []backend.View{m.result(d, rows, z.width)}, Src: []backend.View{m.source(d, rows, z.width)}}
		}),
		command(fmt.Sprintf("ops/copy_transposed/%v/%s", d, shapeName(z.width, rows)), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{
				Op: backend.Copy, Dst: []backend.View{m.result(d, z.width, rows)}, Src: []backend.View{transposed(m.source(d, rows, z.width))},
			}
		}),
	}
}

// reduceCases has every reduction along rows, some along columns and of all, too.
func reduceCases(z sizes, d backend.DType) []benchCase {
	rows := z.samples * z.steps
	reduce := func(name string, op backend.ReduceOp, dims, to []int) benchCase {
		n := 1
		for _, x := range dims {
			n *= x
		}
		flops, out := 0.0, d
		switch {
		case op == backend.ReduceSum || op == backend.ReduceProd:
			flops = float64(n)
		case op.IsArg():
			out = backend.Int64
		}
		return command(fmt.Sprintf("ops/%s/%v/%s", name, d, shapeName(dims...)), d, flops, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Reduce, ReduceOp: op, Dst: []backend.View{m.result(out, to...)}, Src: []backend.View{m.source(d, dims...)}}
		})
	}
	var cases []benchCase
	for _, op := range []backend.ReduceOp{
		backend.ReduceSum, backend.ReduceProd, backend.ReduceMax, backend.ReduceMin, backend.ReduceArgMax, backend.ReduceArgMin,
	} {
		cases = append(cases, reduce(op.String()+"_rows", op, []int{rows, z.width}, []int{rows, 1}))
	}
	return append(cases,
		reduce("sum_columns", backend.ReduceSum, []int{rows, z.width}, []int{1, z.width}),
		reduce("sum_steps", backend.ReduceSum, []int{z.samples, z.steps, z.width}, []int{z.samples, 1, z.width}),
		reduce("argmax_columns", backend.ReduceArgMax, []int{rows, z.width}, []int{1, z.width}),
		reduce("sum_all", backend.ReduceSum, []int{rows, z.width}, []int{1, 1}),
		reduce("max_all", backend.ReduceMax, []int{rows, z.width}, []int{1, 1}))
}

// alongCases are the operations along an axis.
func alongCases(z sizes, d backend.DType) []benchCase {
	const tableRows = 1000
	rows := z.samples * z.steps
	return []benchCase{
		command(fmt.Sprintf("ops/gather/%v/%s", d, shapeName(rows, z.width)), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Gather, Dst: []backend.View{m.result(d, rows, z.width)},
				Src: []backend.View{m.source(d, tableRows, z.width), rowIndices(m, tableRows, rows, z.width)}}
		}),
		command(fmt.Sprintf("ops/scatter_add/%v/%s", d, shapeName(rows, z.width)), d, float64(rows*z.width), 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.ScatterAdd, Dst: []backend.View{m.result(d, tableRows, z.width)},
				Src: []backend.View{m.source(d, rows, z.width), rowIndices(m, tableRows, rows, z.width)}}
		}),
		command(fmt.Sprintf("ops/scan/%v/%s", d, shapeName(z.samples, z.steps, z.width)), d, float64(rows*z.width), 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Scan, Axis: 1, Dst: []backend.View{m.result(d, z.samples, z.steps, z.width)},
				Src: []backend.View{m.source(d, z.samples, z.steps, z.width)}}
		}),
		command(fmt.Sprintf("ops/sort/%v/%s", d, shapeName(z.samples, tableRows)), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{
				Op: backend.Sort, Axis: 1, Src: []backend.View{m.source(d, z.samples, tableRows)},
				Dst: []backend.View{m.result(d, z.samples, tableRows), m.result(backend.Int64, z.samples, tableRows)},
			}
		}),
	}
}

// rowIndices picks whole rows: one index each, repeated along the row.
func rowIndices(m *memory, limit, rows, width int) backend.View {
	return repeated(m.indices(limit, rows, 1), 1, width)
}
