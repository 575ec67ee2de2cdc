//go:build unix

package simd

import (
	"fmt"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// benchmarkMap runs a program on n elements of values in [0.1, 3.1).
func benchmarkMap(b *testing.B, i implementation, workers int, p *backend.Prog, n int) {
	benchmarkMapOf(b, i, workers, p, n, func(k int) float64 { return 0.1 + 3*float64(k)/float64(n) })
}

// benchmarkMapOf runs a program on n elements, the k-th of which is value(k).
func benchmarkMapOf(b *testing.B, i implementation, workers int, p *backend.Prog, n int, value func(k int) float64) {
	dev, err := open(i, backend.Options{Workers: workers})
	require.NoError(b, err)
	s, err := dev.NewStream()
	require.NoError(b, err)
	cmd := backend.Cmd{Op: backend.Map, Prog: p}
	for _, d := range p.Ins {
		cmd.Src = append(cmd.Src, operand(b, dev, d, n))
	}
	for _, v := range p.Outs {
		cmd.Dst = append(cmd.Dst, operand(b, dev, p.TypeOf(v), n))
	}
	for k := range n {
		x := value(k)
		if memory := cmd.Src[0].Buf.Host; p.Ins[0] == backend.Float64 {
			unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(memory))), n)[k] = x
		} else {
			unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(memory))), n)[k] = float32(x)
		}
	}
	cmds := []backend.Cmd{cmd}
	b.ReportAllocs()
	for b.Loop() {
		s.Exec(cmds)
	}
	require.NoError(b, s.Sync())
	b.ReportMetric(float64(b.N)*float64(n)/b.Elapsed().Seconds()/1e9, "G/s")
	require.NoError(b, s.Close())
}

// BenchmarkMap runs instructions in the L1 cache, one worker, for each implementation: off is package cpu's.
func BenchmarkMap(b *testing.B) {
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		for _, op := range []backend.MapOp{backend.Rsqrt, backend.Exp, backend.Expm1, backend.Log, backend.Log1p, backend.Sin, backend.Cos,
			backend.Tanh, backend.Erf, backend.GELU, backend.GELUGrad, backend.Sigmoid, backend.Softplus, backend.Pow, backend.Add, backend.Mul,
			backend.Div, backend.Max} {
			for _, i := range present() {
				b.Run(fmt.Sprintf("%v/%v/%v", op, d, i), func(b *testing.B) { benchmarkMap(b, i, 1, program(b, d, op), 16384/d.Size()) })
			}
		}
		for _, i := range present() {
			b.Run(fmt.Sprintf("gelu and gelu_grad/%v/%v", d, i), func(b *testing.B) {
				benchmarkMap(b, i, 1, program(b, d, backend.GELU, backend.GELUGrad), 16384/d.Size())
			})
		}
	}
}

// BenchmarkSaturated runs functions where their exponentials are 0, which is not to take longer than elsewhere: the processor's help with
// results that underflow takes it twenty times as long.
func BenchmarkSaturated(b *testing.B) {
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		for _, op := range []backend.MapOp{backend.Exp, backend.Expm1, backend.Tanh, backend.GELU, backend.GELUGrad, backend.Sigmoid,
			backend.Softplus} {
			for _, x := range []float64{-1, -1000} {
				for _, i := range present() {
					b.Run(fmt.Sprintf("%v/%v/%v/%v", op, d, x, i), func(b *testing.B) {
						benchmarkMapOf(b, i, 1, program(b, d, op), 16384/d.Size(), func(int) float64 { return x })
					})
				}
			}
		}
	}
}

// BenchmarkWorkers runs what a layer of 64 runs on one worker and on two: two are never to be slower.
func BenchmarkWorkers(b *testing.B) {
	for _, op := range []backend.MapOp{backend.Add, backend.GELU} {
		for _, rows := range []int{500, 5000} {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%v/float32/%dx64/%d", op, rows, workers), func(b *testing.B) {
					benchmarkMap(b, present()[0], workers, program(b, backend.Float32, op), 64*rows)
				})
			}
		}
	}
}

// program returns the program that stores each instruction of the same sources.
func program(tb testing.TB, d backend.DType, ops ...backend.MapOp) *backend.Prog {
	ins := make([]backend.DType, ops[0].Arity())
	for i := range ins {
		ins[i] = d
	}
	var code []backend.Instr
	var outs []backend.Value
	for k, op := range ops {
		code = append(code, backend.Instr{Op: op, DType: d, B: 1})
		outs = append(outs, backend.Value(len(ins)+k))
	}
	p, err := backend.NewProg(ins, nil, code, outs)
	require.NoError(tb, err)
	return p
}
