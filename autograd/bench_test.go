package autograd_test

import (
	"testing"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// What recording and pulling back cost beside the arithmetic: ten products forward, with and without a tape that records, and back.
func BenchmarkTape(b *testing.B) {
	s := newStream(b)
	w := tensor.Ones(s, backend.Float32, 8)
	chain := func(tape *autograd.Tape) *autograd.Var {
		x, y := tape.Leaf(w), tape.Leaf(w)
		for range 10 {
			y = autograd.Mul(x, y)
		}
		return y
	}
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Inference", func() { chain(autograd.NewInference(s)) }},
		{"Forward", func() { chain(autograd.NewTape(s)) }},
		{"ForwardBackward", func() { autograd.Backward(autograd.Sum(chain(autograd.NewTape(s)))) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Scope(c.f)
			}
		})
	}
}
