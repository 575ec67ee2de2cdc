package diffusion

import (
	"cmp"
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// NetConfig is the size of a PISGradNet. A zero field stands for the default noted with it.
type NetConfig struct {
	Harmonics   int  `json:"harmonics"`    // frequencies of the time encoding; 64
	Embed       int  `json:"embed"`        // width of the state and time embeddings; 64
	Hidden      int  `json:"hidden"`       // width of the hidden layers; 64
	JointLayers int  `json:"joint_layers"` // hidden layers; 2
	ZeroInit    bool `json:"zero_init"`    // start with an output of (almost) 0
}

// WithDefaults returns c with the default in every field that is 0.
func (c NetConfig) WithDefaults() NetConfig {
	c.Harmonics = cmp.Or(c.Harmonics, 64)
	c.Embed = cmp.Or(c.Embed, 64)
	c.Hidden = cmp.Or(c.Hidden, 64)
	c.JointLayers = cmp.Or(c.JointLayers, 2)
	return c
}

// Check returns an error that names a size out of range. A zero is one: defaults are filled in before.
func (c NetConfig) Check() error {
	for _, f := range []struct {
		name       string
		value, max int
	}{
		{"harmonics", c.Harmonics, 1 << 20}, {"embed", c.Embed, 1 << 20}, {"hidden", c.Hidden, 1 << 20}, {"layers", c.JointLayers, 1000},
	} {
		if f.value < 1 || f.value > f.max {
			return fmt.Errorf("diffusion: %s is %d; want 1 to %d", f.name, f.value, f.max)
		}
	}
	return nil
}

// weights returns how many numbers a network from in to out has, those that are not trained included. c is complete and checked.
func (c NetConfig) weights(in, out int) int {
	linear := func(in, out int) int { return (in + 1) * out }
	return 2*c.Harmonics + linear(2*c.Harmonics, c.Hidden) + linear(c.Hidden, c.Embed) + linear(in, c.Embed) +
		linear(c.Embed, c.Hidden) + (c.JointLayers-1)*linear(c.Hidden, c.Hidden) + linear(c.Hidden, out)
}

// PISGradNet is the network of the path integral sampler (Zhang and Chen, arXiv:2111.15141) in the form that torchgfn uses: the state by
// one linear layer and the time by sines and cosines and two linear layers are embedded, added, and passed through GELU layers.
type PISGradNet struct {
	Phase     *tensor.Tensor // (1, harmonics), learned
	Frequency *tensor.Tensor // (1, harmonics), fixed
	Time      nn.Sequential  // from the encoding to the embedding
	State     *nn.Linear
	Joint     nn.Sequential // from both embeddings to the output
}

// NewPISGradNet returns a network from (…, T, in) to (…, T, out) with fresh weights, as a loss of one's own may want for the flow through a state.
// A size out of range, or a dtype that is no float, is an error.
func NewPISGradNet(rng *tensor.RNG, d backend.DType, in, out int, c NetConfig) (n *PISGradNet, err error) {
	defer tensor.Catch(&err)
	c = c.WithDefaults()
	if err := c.Check(); err != nil {
		return nil, err
	}
	if in < 1 || out < 1 {
		return nil, fmt.Errorf("diffusion: a network from %d to %d numbers; want at least 1 each", in, out)
	}
	if !d.IsFloat() {
		return nil, fmt.Errorf("diffusion: cannot train in %v; want a float dtype", d)
	}
	return newPISGradNet(rng, d, in, out, c), nil
}

// newPISGradNet returns a network from (…, in) to (…, out). c is complete and checked.
func newPISGradNet(rng *tensor.RNG, d backend.DType, in, out int, c NetConfig) *PISGradNet {
	s := rng.Stream()
	net := &PISGradNet{
		Phase:     rng.Normal(d, 1, c.Harmonics),
		Frequency: tensor.Reshape(tensor.Linspace(s, d, 0.1, 100, c.Harmonics), 1, c.Harmonics),
		State:     nn.NewLinear(rng, d, in, c.Embed),
	}
	net.Time = nn.NewMLP(rng, d, nn.GELU, 2*c.Harmonics, c.Hidden, c.Embed)
	net.Joint = nn.Sequential{nn.GELU, nn.NewLinear(rng, d, c.Embed, c.Hidden), nn.GELU}
	for range c.JointLayers - 1 {
		net.Joint = append(net.Joint, nn.Sequential{nn.NewLinear(rng, d, c.Hidden, c.Hidden), nn.GELU})
	}
	last := nn.NewLinear(rng, d, c.Hidden, out)
	if c.ZeroInit {
		nn.Fill(last.Weight, 1e-8)
		nn.Fill(last.Bias, 0)
	}
	net.Joint = append(net.Joint, last)
	return net
}

// Out returns the last layer.
func (n *PISGradNet) Out() *nn.Linear { return n.Joint[len(n.Joint)-1].(*nn.Linear) }

// Forward maps states (…, T, in) at times (T) to (…, T, out). Each time is embedded once, whatever the batch.
func (n *PISGradNet) Forward(states *autograd.Var, times *tensor.Tensor) *autograd.Var {
	return n.Joint.Forward(autograd.Add(n.State.Forward(states), n.embedTime(states.Tape(), times)))
}

// embedTime returns the embedding (T, embed) of times (T).
func (n *PISGradNet) embedTime(tape *autograd.Tape, times *tensor.Tensor) *autograd.Var {
	angle := tape.Const(tensor.Mul(tensor.Unsqueeze(times, 1), n.Frequency))
	phase := autograd.Add(angle, tape.Leaf(n.Phase))
	return n.Time.Forward(autograd.Concat(1, autograd.Sin(phase), autograd.Cos(phase)))
}

// Params returns the parameters under torchgfn's names.
func (n *PISGradNet) Params() []nn.Param {
	params := []nn.Param{{Name: "t_model.timestep_phase", Value: n.Phase}}
	params = append(params, nn.Prefix("t_model.t_model", n.Time.Params())...)
	params = append(params, nn.Prefix("s_model.s_model", n.State.Params())...)
	return append(params, nn.Prefix("joint_model.model", n.Joint.Params())...)
}

// Buffers returns what is saved with the parameters but not trained.
func (n *PISGradNet) Buffers() []nn.Param {
	return []nn.Param{{Name: "t_model.pe", Value: n.Frequency}}
}
