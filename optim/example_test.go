package optim_test

import (
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
)

// Rosenbrock's valley has its lowest point at (1, 1).
func Example() {
	dev, err := tensor.Open("cpu", backend.Options{})
	if err != nil {
		panic(err)
	}
	s, err := dev.NewStream()
	if err != nil {
		panic(err)
	}
	x, y := tensor.Full(s, backend.Float64, -1), tensor.Full(s, backend.Float64, 2)
	adam, err := optim.NewAdam([]nn.Param{{Name: "x", Value: x}, {Name: "y", Value: y}}, optim.AdamConfig{LR: 0.1})
	if err != nil {
		panic(err)
	}
	for range 4000 {
		s.Scope(func() {
			tape := autograd.NewTape(s)
			x, y := tape.Leaf(x), tape.Leaf(y)
			across := autograd.SubFrom(1, x)
			down := autograd.Sub(y, autograd.Mul(x, x))
			loss := autograd.Add(autograd.Mul(across, across), autograd.MulScalar(autograd.Mul(down, down), 100))
			adam.Step(autograd.Backward(loss))
		})
	}
	a, err := x.Item()
	if err != nil {
		panic(err)
	}
	b, err := y.Item()
	if err != nil {
		panic(err)
	}
	fmt.Printf("%.2f %.2f\n", a, b)
	// Output: 1.00 1.00
}
