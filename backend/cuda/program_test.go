package cuda

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

// everyInstruction returns a program for each instruction on each type that it takes.
func everyInstruction(t *testing.T) []*backend.Prog {
	t.Helper()
	var all []*backend.Prog
	one := func(op backend.MapOp, d, to backend.DType) {
		ins := make([]backend.DType, op.Arity())
		for i := range ins {
			ins[i] = d
		}
		if op == backend.Where {
			ins[0] = backend.Bool
		}
		code := []backend.Instr{{Op: op, DType: to, A: 0, B: 1, C: 2}}
		p, err := backend.NewProg(ins, nil, code, []backend.Value{backend.Value(len(ins))})
		require.NoError(t, err)
		all = append(all, p)
	}
	for _, op := range backend.MapOps() {
		for _, d := range backend.DTypes() {
			switch {
			case !op.Accepts(d):
			case op == backend.Cast:
				for _, to := range backend.DTypes() {
					one(op, d, to)
				}
			case op.Compares():
				one(op, d, backend.Bool)
			default:
				one(op, d, d)
			}
		}
	}
	return all
}

func TestEveryInstructionAssembles(t *testing.T) {
	assembler := ptx.Assembler()
	if assembler == "" {
		t.Skip("ptxas is not installed")
	}
	for _, p := range everyInstruction(t) {
		operands := len(p.Outs) + len(p.Ins)
		s := shape{width: 1, axes: 2, segments: 1, strides: "xxxxxx"[:operands]}
		if p.Code[0].Op%2 == 0 {
			s = shape{width: 4, axes: 1, segments: 3, strides: "ddsddd"[:operands]}
		}
		text := write(p, s)
		_, err := ptx.Assemble(assembler, ptx.Arch, text)
		require.NoError(t, err, "%v\n%s", p, text)
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
