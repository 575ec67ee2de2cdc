package bench

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// randomCases draw a million numbers, or a thousand million.
func randomCases(o Options) []benchCase {
	n := 1 << 20
	if o.Size == Small {
		n = 1 << 13
	}
	if o.Size == Huge {
		n = 1e9
	}
	draw := func(kind backend.RandomKind, d backend.DType) benchCase {
		return command(fmt.Sprintf("random/%v/%v/%d", kind, d, n), d, 0, 0, func(m *memory) backend.Cmd {
			return backend.Cmd{Op: backend.Random, RandomKind: kind, Dst: []backend.View{m.result(d, n)}, Src: []backend.View{m.state()}}
		})
	}
	cases := []benchCase{draw(backend.Bits, backend.Int32)}
	for _, d := range o.DTypes {
		cases = append(cases, draw(backend.Uniform, d), draw(backend.Normal, d))
	}
	return cases
}
