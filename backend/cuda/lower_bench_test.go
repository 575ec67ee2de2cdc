package cuda

import (
	"testing"

	"github.com/weir-ml/weir/backend"
)

// remembering is a paper machine that keeps modules by their keys, as a device does.
type remembering struct {
	paper
	modules map[any]*module
}

func (r *remembering) cached(key any, text func() string) *module {
	m := r.modules[key]
	if m == nil {
		m = &module{text: text()}
		r.modules[key] = m
	}
	return m
}

// BenchmarkLower measures what a command costs before the driver sees it.
func BenchmarkLower(b *testing.B) {
	machine := &remembering{modules: map[any]*module{}}
	batch := &batch{on: machine}
	code := []backend.Instr{{Op: backend.Mul, DType: backend.Float32, A: 0, B: 2}, {Op: backend.Add, DType: backend.Float32, A: 1, B: 3}}
	prog, err := backend.NewProg([]backend.DType{backend.Float32, backend.Float32}, []backend.DType{backend.Float32}, code, []backend.Value{4})
	if err != nil {
		b.Fatal(err)
	}
	buffer := func() *backend.Buffer {
		return &backend.Buffer{Addr: uintptr(len(machine.modules)+1) << 30, Size: 1 << 20}
	}
	rows := backend.Contiguous(buffer(), backend.Float32, 500, 64)
	row := backend.View{Buf: buffer(), DType: backend.Float32, Rank: 2, Dims: rows.Dims, Strides: [backend.MaxRank]int{0, 1}}
	transposed := backend.View{Buf: buffer(), DType: backend.Float32, Rank: 2, Dims: rows.Dims, Strides: [backend.MaxRank]int{1, 500}}
	for _, c := range []struct {
		name string
		cmd  backend.Cmd
	}{
		{"Map/flat", backend.Cmd{Op: backend.Map, Prog: prog, Imm: []float64{2}, Dst: []backend.View{rows}, Src: []backend.View{rows, rows}}},
		{"Map/rows", backend.Cmd{Op: backend.Map, Prog: prog, Imm: []float64{2}, Dst: []backend.View{rows}, Src: []backend.View{rows, row}}},
		{"Copy/transposed", backend.Cmd{Op: backend.Copy, Dst: []backend.View{rows}, Src: []backend.View{transposed}}},
	} {
		cmds := []backend.Cmd{c.cmd}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				batch.reset()
				batch.lower(cmds)
			}
			if batch.err != nil {
				b.Fatal(batch.err)
			}
		})
	}
}
