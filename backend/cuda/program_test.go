package cuda

import (
	"fmt"
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
		case !op.Accepts(d):
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
	assembler := ptx.Assembler()
	if assembler == "" {
		t.Skip("ptxas is not installed")
	}
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
