package cuda

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

// everyInstruction returns a program of all instructions on a type, each with a result of its own.
func everyInstruction(t *testing.T, d backend.DType) *backend.Prog {
	t.Helper()
	ins := []backend.DType{d, d, backend.Bool}
	var code []backend.Instr
	for _, op := range backend.MapOps() {
		switch {
		case !op.Accepts(d) || lacking()[typed{op, d, resultsOf(op, d)[0]}]:
		case op == backend.Cast:
			for _, to := range backend.DTypes() {
				code = append(code, backend.Instr{Op: op, DType: to})
			}
		case op == backend.Where:
			code = append(code, backend.Instr{Op: op, DType: d, A: 2, B: 0, C: 1})
		case op.Compares():
			code = append(code, backend.Instr{Op: op, DType: backend.Bool, A: 0, B: 1})
		default:
			code = append(code, backend.Instr{Op: op, DType: d, A: 0, B: 1})
		}
	}
	var outs []backend.Value
	for i := range code {
		outs = append(outs, backend.Value(len(ins)+i))
	}
	p, err := backend.NewProg(ins, nil, code, outs)
	require.NoError(t, err)
	return p
}

// TestProgramsAssemble gives NVIDIA's assembler every instruction on every type, in kernels of each kind.
func TestProgramsAssemble(t *testing.T) {
	assembler := ptx.NeedAssembler(t)
	for _, d := range backend.DTypes() {
		p := everyInstruction(t, d)
		operands := len(p.Outs) + len(p.Ins)
		for _, s := range []shape{
			{width: 1, axes: 3, segments: 2, strides: strings.Repeat("x", operands)},
			{width: 2, axes: 1, segments: 1, strides: strings.Repeat("d", operands-2) + "sd", indirect: true},
		} {
			text := write(p, s)
			_, err := ptx.Assemble(assembler, ptx.Arch, text)
			require.NoError(t, err, "%v\n%s", p, text)
		}
	}
}

var update = flag.Bool("update", false, "write testdata/programs anew")

// TestKernelsRead shows the text of a few kernels: what testdata/programs holds.
func TestKernelsRead(t *testing.T) {
	h, f, u := backend.Float16, backend.Float32, backend.Uint8
	program := func(ins, params []backend.DType, code []backend.Instr, outs ...backend.Value) *backend.Prog {
		p, err := backend.NewProg(ins, params, code, outs)
		require.NoError(t, err)
		return p
	}
	scale := program([]backend.DType{f}, []backend.DType{f}, []backend.Instr{{Op: backend.Mul, DType: f, A: 0, B: 1}}, 2)
	swap := program([]backend.DType{f, h}, nil, []backend.Instr{{Op: backend.Cast, DType: h, A: 0}, {Op: backend.Cast, DType: f, A: 1}}, 3, 2)
	divide := program([]backend.DType{u, u}, nil, []backend.Instr{{Op: backend.Div, DType: u, A: 0, B: 1}}, 2)
	for _, test := range []struct {
		name  string
		prog  *backend.Prog
		shape shape
	}{
		{"scale", scale, shape{width: 4, axes: 1, strides: "dd", segments: 1}},
		{"scale_segments", scale, shape{width: 1, axes: 1, strides: "xx", segments: 8}},
		{"swap_rows", swap, shape{width: 2, axes: 2, strides: "ddsd", segments: 1}},
		{"divide_strided", divide, shape{width: 1, axes: 3, strides: "xxx", segments: 1, indirect: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, text := filepath.Join("testdata", "programs", test.name+".ptx"), write(test.prog, test.shape)
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), text)
		})
	}
}

func TestProgramsBringTheFunctionsThatTheyCall(t *testing.T) {
	sine := textOf(t, backend.Sin)
	require.Contains(t, sine, ".func  (.param .b32 func_retval0) sin_f32(")
	require.Contains(t, sine, ".func  (.param .b64 func_retval0) sin_f64(", "large arguments go to float64")
	require.Contains(t, sine, "two_over_pi_bits")
	exp := textOf(t, backend.Exp)
	require.Contains(t, exp, " exp_f32(")
	require.NotContains(t, exp, "expm1_f32")
	require.NotContains(t, exp, "two_over_pi_bits")
	require.NotContains(t, exp, ".visible .func")
	require.NotContains(t, textOf(t, backend.Sqrt), ".func")
}

// textOf returns the text of a function of float32.
func textOf(t *testing.T, op backend.MapOp) string {
	t.Helper()
	p, err := backend.NewProg([]backend.DType{backend.Float32}, nil, []backend.Instr{{Op: op, DType: backend.Float32}}, []backend.Value{1})
	require.NoError(t, err)
	return write(p, shape{width: 4, axes: 1, strides: "dd", segments: 1})
}

func TestDivisorsDivide(t *testing.T) {
	for _, d := range []uint32{1, 2, 3, 5, 7, 10, 64, 100, 641, 1 << 20, 1<<20 + 1, 1<<30 - 1, 1 << 30, 1<<31 - 1} {
		factor, shift := divisorOf(d)
		for _, n := range []uint32{0, 1, 2, 3, d - 1, d, d + 1, 2*d - 1, 2 * d, 12345678, 1<<31 - 2, 1<<31 - 1} {
			if n < 1<<31 {
				q := (uint32(uint64(n)*uint64(factor)>>32) + n) >> shift
				require.Equal(t, n/d, q, fmt.Sprintf("%d/%d", n, d))
			}
		}
	}
}
