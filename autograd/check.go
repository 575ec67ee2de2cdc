package autograd

import (
	"cmp"
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
// result of several elements is first multiplied with fixed weights and summed. An error of the computation, misuse among them, is returned too.
func (c Check) CheckGrad(f func(xs []*Var) *Var, inputs ...*tensor.Tensor) error {
	return c.compare(func(xs []*Var) *Var { return weighted(f(xs)) }, inputs)
}

// CheckGradGrad does the same for the gradients of f, that is, for its second derivatives. Its errors are those of CheckGrad.
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

// CheckGrad is Check{}.CheckGrad. It returns the first disagreement as an error.
func CheckGrad(f func(xs []*Var) *Var, inputs ...*tensor.Tensor) error {
	return Check{}.CheckGrad(f, inputs...)
}

// CheckGradGrad is Check{}.CheckGradGrad. It returns the first disagreement as an error.
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

// scalar is a function of several inputs whose value has one element.
type scalar func(xs []*Var) *Var

func (c Check) compare(f scalar, inputs []*tensor.Tensor) (err error) {
	defer tensor.Catch(&err)
	c = c.withDefaults()
	p, err := newPoint(inputs)
	if err != nil {
		return err
	}
	grads, err := p.gradients(f)
	if err != nil {
		return err
	}
	for i, values := range p.values {
		for j := range values {
			want, err := p.slope(f, &values[j], c.Step)
			if err != nil {
				return err
			}
			if got := grads[i][j]; !(math.Abs(got-want) <= c.Atol+c.Rtol*math.Abs(want)) {
				return fmt.Errorf("autograd: derivative by element %d of input %d is %.10g; central differences give %.10g", j, i, got, want)
			}
		}
	}
	return nil
}

// point is where a function is evaluated: the elements of each input, on the host, and their shape.
type point struct {
	stream *tensor.Stream
	values [][]float64
	shapes [][]int
}

func newPoint(inputs []*tensor.Tensor) (*point, error) {
	if len(inputs) == 0 {
		tensor.Fail("check gradient", nil, "wants at least one input")
	}
	p := &point{stream: inputs[0].Stream()}
	for _, x := range inputs {
		if x.DType() != backend.Float64 {
			tensor.Fail("check gradient", inputs, "wants float64 inputs")
		}
		values, err := x.Float64s()
		if err != nil {
			return nil, err
		}
		p.values = append(p.values, values)
		p.shapes = append(p.shapes, x.Shape())
	}
	return p, nil
}

// leaves returns the inputs on a fresh tape.
func (p *point) leaves() []*Var {
	tape := NewTape(p.stream)
	xs := make([]*Var, len(p.values))
	for i, values := range p.values {
		xs[i] = tape.Leaf(tensor.FromSlice(p.stream, values, p.shapes[i]...))
	}
	return xs
}

func (p *point) gradients(f scalar) (grads [][]float64, err error) {
	p.stream.Scope(func() {
		xs := p.leaves()
		grads = make([][]float64, len(xs))
		for i, g := range Grad(f(xs), xs, GradOptions{}) {
			if grads[i], err = g.value.Float64s(); err != nil {
				return
			}
		}
	})
	return grads, err
}

func (p *point) value(f scalar) (v float64, err error) {
	p.stream.Scope(func() { v, err = f(p.leaves()).value.Item() })
	return v, err
}

// slope returns the central difference of f by one element of the point.
func (p *point) slope(f scalar, x *float64, step float64) (float64, error) {
	at := *x
	defer func() { *x = at }()
	h := step * max(1, math.Abs(at))
	*x = at + h
	up, err := p.value(f)
	if err != nil {
		return 0, err
	}
	*x = at - h
	down, err := p.value(f)
	return (up - down) / (2 * h), err
}

func (c Check) withDefaults() Check {
	c.Step = cmp.Or(c.Step, 1e-5)
	c.Atol = cmp.Or(c.Atol, 1e-7)
	c.Rtol = cmp.Or(c.Rtol, 1e-6)
	return c
}
