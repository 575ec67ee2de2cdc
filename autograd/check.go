package autograd

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Check compares derivatives with central differences. The zero value has the defaults noted with each field.
type Check struct {
	Step float64 // h in (f(x+h) − f(x−h))/2h, relative to max(1, |x|); 1e-5
	Atol float64 // absolute tolerance; 1e-7
	Rtol float64 // relative tolerance; 1e-6
}

// CheckGrad compares the gradients of f at inputs, which are float64, with central differences, and returns the first that disagrees. A
// result of several elements is first multiplied with fixed weights and summed.
func (c Check) CheckGrad(f func(xs []*Var) *Var, inputs ...*tensor.Tensor) error {
	return c.compare(func(xs []*Var) *Var { return weighted(f(xs)) }, inputs)
}

// CheckGradGrad does the same for the gradients of f, that is, for its second derivatives.
func (c Check) CheckGradGrad(f func(xs []*Var) *Var, inputs ...*tensor.Tensor) error {
	return c.compare(func(xs []*Var) *Var {
		grads := Grad(weighted(f(xs)), xs, GradOptions{CreateGraph: true})
		total := weighted(grads[0])
		for i, g := range grads[1:] {
			total = Add(total, MulScalar(weighted(g), 1+0.1*float64(i+1)))
		}
		return total
	}, inputs)
}

// CheckGrad is Check{}.CheckGrad.
func CheckGrad(f func(xs []*Var) *Var, inputs ...*tensor.Tensor) error {
	return Check{}.CheckGrad(f, inputs...)
}

// CheckGradGrad is Check{}.CheckGradGrad.
func CheckGradGrad(f func(xs []*Var) *Var, inputs ...*tensor.Tensor) error {
	return Check{}.CheckGradGrad(f, inputs...)
}

// weighted returns Σ yᵢ·wᵢ for weights that no symmetry of f hides.
func weighted(y *Var) *Var {
	weights := make([]float64, y.value.Len())
	for i := range weights {
		weights[i] = 0.5 + math.Mod(float64(i+1)*math.Phi, 1)
	}
	w := tensor.FromSlice(y.tape.stream, weights, y.Shape()...)
	return Sum(Mul(y, y.tape.Const(w)))
}

func (c Check) compare(f func(xs []*Var) *Var, inputs []*tensor.Tensor) (err error) {
	defer tensor.Catch(&err)
	c = c.withDefaults()
	s := inputs[0].Stream()
	points := make([][]float64, len(inputs))
	for i, x := range inputs {
		if x.DType() != backend.Float64 {
			tensor.Fail("check gradient", inputs, "wants float64 inputs")
		}
		if points[i], err = x.Float64s(); err != nil {
			return err
		}
	}
	at := func(use func(y *Var, xs []*Var)) {
		s.Scope(func() {
			tape := NewTape(s)
			xs := make([]*Var, len(inputs))
			for i, p := range points {
				xs[i] = tape.Leaf(tensor.FromSlice(s, p, inputs[i].Shape()...))
			}
			use(f(xs), xs)
		})
	}
	grads := make([][]float64, len(inputs))
	at(func(y *Var, xs []*Var) {
		for i, g := range Grad(y, xs, GradOptions{}) {
			if grads[i], err = g.value.Float64s(); err != nil {
				return
			}
		}
	})
	value := func() (v float64) {
		at(func(y *Var, _ []*Var) {
			var failure error
			if v, failure = y.value.Item(); failure != nil {
				err = failure
			}
		})
		return v
	}
	for i, p := range points {
		for j, x := range p {
			h := c.Step * max(1, math.Abs(x))
			p[j] = x + h
			up := value()
			p[j] = x - h
			down := value()
			p[j] = x
			if err != nil {
				return err
			}
			want := (up - down) / (2 * h)
			if got := grads[i][j]; !(math.Abs(got-want) <= c.Atol+c.Rtol*math.Abs(want)) {
				return fmt.Errorf("autograd: derivative by element %d of input %d is %.10g; central differences give %.10g", j, i, got, want)
			}
		}
	}
	return nil
}

func (c Check) withDefaults() Check {
	if c.Step == 0 {
		c.Step = 1e-5
	}
	if c.Atol == 0 {
		c.Atol = 1e-7
	}
	if c.Rtol == 0 {
		c.Rtol = 1e-6
	}
	return c
}
