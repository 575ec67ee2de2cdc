package diffusion

import (
	"cmp"
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

const log2Pi = 1.8378770664093454835606594728112

// PolicyConfig are the settings of a policy's network. A zero field stands for the default noted with it.
type PolicyConfig struct {
	Net           NetConfig `json:"net"`
	LearnVariance bool      `json:"learn_variance"`     // one more output, shared by all coordinates, or
	Diagonal      bool      `json:"diagonal,omitempty"` // one for each of them
	Scaled        bool      `json:"scaled,omitempty"`   // forward only: the network's outputs are in units of the process
	Clip          float64   `json:"clip"`               // limit on the network's raw drift; 0 is none
	LogVarRange   float64   `json:"log_var_range"`      // limit on the log standard deviation; 4
	ScaleRange    float64   `json:"scale_range"`        // backward only: c, the size of corrections; 0.1
	Form          Form      `json:"form,omitzero"`      // backward only: how corrections enter
}

// Form says how a learned backward policy corrects the bridge; see [Backward].
type Form int

// The forms. The zero value is that of torchgfn.
const (
	Additive Form = iota
	Multiplicative
)

var formNames = [...]string{"additive", "multiplicative"}

// String returns the form's name.
func (f Form) String() string {
	if f < 0 || int(f) >= len(formNames) {
		return "unknown"
	}
	return formNames[f]
}

// MarshalText returns the form's name.
func (f Form) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText takes the form's name.
func (f *Form) UnmarshalText(name []byte) error {
	for i, n := range formNames {
		if n == string(name) {
			*f = Form(i)
			return nil
		}
	}
	return fmt.Errorf("diffusion: unknown form %q; want additive or multiplicative", name)
}

// WithDefaults returns c with the default in every field that is 0 and has one.
func (c PolicyConfig) WithDefaults() PolicyConfig {
	c.Net = c.Net.WithDefaults()
	c.LogVarRange = cmp.Or(c.LogVarRange, 4)
	c.ScaleRange = cmp.Or(c.ScaleRange, 0.1)
	return c
}

func (c PolicyConfig) check(p Process, d backend.DType, dim int) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := c.Net.Check(); err != nil {
		return err
	}
	if dim < 1 {
		return fmt.Errorf("diffusion: the dimension is %d; want at least 1", dim)
	}
	if !d.IsFloat() {
		return fmt.Errorf("diffusion: cannot train in %v; want a float dtype", d)
	}
	for _, f := range []struct {
		name  string
		value float64
		ok    bool
	}{
		{"clip", c.Clip, c.Clip >= 0},
		{"log-var-range", c.LogVarRange, c.LogVarRange > 0},
		{"scale-range", c.ScaleRange, c.ScaleRange > 0},
	} {
		if !f.ok || math.IsInf(f.value, 0) {
			return fmt.Errorf("diffusion: %s is %v; want a positive number", f.name, f.value)
		}
	}
	return c.checkForm()
}

// checkForm returns an error for settings that contradict each other.
func (c PolicyConfig) checkForm() error {
	switch {
	case c.Diagonal && !c.LearnVariance:
		return fmt.Errorf("diffusion: a diagonal variance is one that is learned; set LearnVariance too")
	case c.Form != Additive && c.Form != Multiplicative:
		return fmt.Errorf("diffusion: the form is %d; want Additive or Multiplicative", int(c.Form))
	case c.Form == Multiplicative && c.LearnVariance && c.ScaleRange >= 1:
		return fmt.Errorf("diffusion: scale-range is %v; want less than 1, so that 1 + c·tanh leaves a variance", c.ScaleRange)
	}
	return nil
}

// outputs returns how many numbers the network gives for a point of that dimension.
func (c PolicyConfig) outputs(dim int) int {
	switch {
	case c.Diagonal:
		return 2 * dim
	case c.LearnVariance:
		return dim + 1
	}
	return dim
}

// CheckWeights returns an error if n numbers are too few for the network of a policy in dim dimensions, those that are not trained included: so a file
// that claims more than it holds is refused before memory is taken for the claim. A size out of range is an error too.
func (c PolicyConfig) CheckWeights(dim, n int) error {
	c = c.WithDefaults()
	if err := c.Net.Check(); err != nil {
		return err
	}
	if want := c.Net.weights(dim, c.outputs(dim)); want > n {
		return fmt.Errorf("diffusion: a network of %+v in %d dimensions has %d weights; there are %d", c.Net, dim, want, n)
	}
	return nil
}

// split separates a network's output into the first dim columns and, if the variance is learned, the others.
func (c PolicyConfig) split(out *autograd.Var, dim int) (mean, spread *autograd.Var) {
	if !c.LearnVariance {
		return out, nil
	}
	return autograd.Slice(out, -1, 0, dim), autograd.Slice(out, -1, dim, c.outputs(dim))
}

// checkPaths panics unless states are (B, N+1, dim).
func (p Process) checkPaths(op string, states *tensor.Tensor, dim int) {
	if states.Rank() != 3 || states.Dim(1) != p.NumSteps+1 || states.Dim(2) != dim {
		tensor.Fail(op, []*tensor.Tensor{states}, "wants trajectories (B, %d, %d)", p.NumSteps+1, dim)
	}
}
