//go:build unix

package simd

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// BenchmarkMap runs instructions on float32 values in [0.1, 3.1), one worker, for each implementation: off is package cpu's.
func BenchmarkMap(b *testing.B) {
	const f, n = backend.Float32, 4096
	type named struct {
		name string
		prog *backend.Prog
	}
	programs := []named{{"gelu and gelu_grad", program(b, backend.GELU, backend.GELUGrad)}}
	for _, op := range []backend.MapOp{backend.Rsqrt, backend.Exp, backend.Expm1, backend.Log, backend.Log1p, backend.Sin, backend.Cos,
		backend.Tanh, backend.Erf, backend.GELU, backend.GELUGrad, backend.Sigmoid, backend.Softplus, backend.Add, backend.Mul, backend.Div,
		backend.Max} {
		programs = append(programs, named{op.String(), program(b, op)})
	}
	for _, p := range programs {
		for _, i := range present() {
			b.Run(fmt.Sprintf("%s/%v/%v", p.name, f, i), func(b *testing.B) {
				dev, err := open(i, backend.Options{Workers: 1})
				require.NoError(b, err)
				s, err := dev.NewStream()
				require.NoError(b, err)
				cmd := backend.Cmd{Op: backend.Map, Prog: p.prog}
				for range p.prog.Ins {
					cmd.Src = append(cmd.Src, operand(b, dev, f, n))
				}
				for range p.prog.Outs {
					cmd.Dst = append(cmd.Dst, operand(b, dev, f, n))
				}
				x := unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(cmd.Src[0].Buf.Host))), n)
				for j := range x {
					x[j] = 0.1 + 3*float32(j)/n
				}
				cmds := []backend.Cmd{cmd}
				for b.Loop() {
					s.Exec(cmds)
				}
				require.NoError(b, s.Sync())
				b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e9, "G/s")
				require.NoError(b, s.Close())
			})
		}
	}
}

// program returns the program that stores each instruction of the same sources.
func program(tb testing.TB, ops ...backend.MapOp) *backend.Prog {
	const f = backend.Float32
	ins := make([]backend.DType, ops[0].Arity())
	for i := range ins {
		ins[i] = f
	}
	var code []backend.Instr
	var outs []backend.Value
	for k, op := range ops {
		code = append(code, backend.Instr{Op: op, DType: f, B: 1})
		outs = append(outs, backend.Value(len(ins)+k))
	}
	p, err := backend.NewProg(ins, nil, code, outs)
	require.NoError(tb, err)
	return p
}
