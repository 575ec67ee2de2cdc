package bench

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// length is that of an array.
type length struct {
	name  string
	bytes int
}

// memoryCases have operands of 16 KiB, which the first cache holds, to some that few caches do.
func memoryCases(o Options) []benchCase {
	lengths := []length{{"4KiB", 4 << 10}, {"64KiB", 64 << 10}, {"1MiB", 1 << 20}, {"64MiB", 64 << 20}}
	if o.Size == Small {
		lengths = lengths[:2]
	}
	if o.Size == Huge {
		lengths = lengths[2:]
		lengths = append(lengths, length{"1GiB", 1 << 30})
	}
	var cases []benchCase
	for _, d := range o.DTypes {
		for _, l := range lengths {
			n := l.bytes / d.Size()
			cases = append(cases, triadCase(d, l.name, n), copyCase(d, l.name, n), fillCase(d, l.name, n))
		}
	}
	return cases
}

func triadCase(d backend.DType, size string, n int) benchCase {
	p := program([]backend.DType{d, d}, []backend.DType{d},
		backend.Instr{Op: backend.Mul, DType: d, A: 1, B: 2}, backend.Instr{Op: backend.Add, DType: d, A: 0, B: 3})
	return command(fmt.Sprintf("memory/triad/%v/%s", d, size), d, 2*float64(n), 0, func(m *memory) backend.Cmd {
		return backend.Cmd{Op: backend.Map, Prog: p, Imm: []float64{1.5}, Dst: []backend.View{m.result(d, n)},
			Src: []backend.View{m.source(d, n), m.source(d, n)}}
	})
}

func copyCase(d backend.DType, size string, n int) benchCase {
	return command(fmt.Sprintf("memory/copy/%v/%s", d, size), d, 0, 0, func(m *memory) backend.Cmd {
		return backend.Cmd{Op: backend.Copy, Dst: []backend.View{m.result(d, n)}, Src: []backend.View{m.source(d, n)}}
	})
}

func fillCase(d backend.DType, size string, n int) benchCase {
	return command(fmt.Sprintf("memory/fill/%v/%s", d, size), d, 0, 0, func(m *memory) backend.Cmd {
		return backend.Cmd{Op: backend.Copy, Dst: []backend.View{m.result(d, n)}, Src: []backend.View{repeated(m.source(d, 1), 0, n)}}
	})
}
