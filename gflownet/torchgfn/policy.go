package torchgfn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
)

// Policy is one policy of a file: its weights, and what their shapes say.
type Policy struct {
	Dim           int // of a state
	Net           diffusion.NetConfig
	LearnVariance bool
	DType         backend.DType

	weights []tensorio.Entry // under the names of diffusion's policies, module.…
}

// newPolicy reads the sizes of a network off its weights.
func newPolicy(weights []tensorio.Entry) (*Policy, error) {
	shapes := map[string][]int{}
	for _, e := range weights {
		shapes[strings.TrimPrefix(e.Name, "module.")] = e.Shape
	}
	p := &Policy{weights: weights, DType: weights[0].DType}
	last, err := lastLayer(shapes)
	if err != nil {
		return nil, err
	}
	outputs := 0
	for _, f := range []struct {
		name string
		dim  int
		size *int
	}{
		{"t_model.timestep_phase", 1, &p.Net.Harmonics},
		{"s_model.s_model.weight", 0, &p.Net.Embed},
		{"s_model.s_model.weight", 1, &p.Dim},
		{"joint_model.model.1.weight", 0, &p.Net.Hidden},
		{last, 0, &outputs},
	} {
		shape, ok := shapes[f.name]
		if !ok || len(shape) != 2 {
			return nil, fmt.Errorf("lacks %s, or it is no matrix: want the weights of a DiffusionPISGradNet", f.name)
		}
		*f.size = shape[f.dim]
	}
	switch outputs {
	case p.Dim:
	case p.Dim + 1:
		p.LearnVariance = true
	default:
		return nil, fmt.Errorf("gives %d outputs for states of %d coordinates; want %d, or %d with a learned variance", outputs, p.Dim, p.Dim, p.Dim+1)
	}
	// The sequence is an activation, a layer, an activation, the further hidden layers each with its own, and the last layer.
	p.Net.JointLayers, err = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(last, "joint_model.model."), ".weight"))
	p.Net.JointLayers -= 2
	return p, err
}

// checkWeights returns an error if the file's tensors are too few for the sizes read off them, as where a name claims many layers.
func (p *Policy) checkWeights() error {
	numbers := 0
	for _, e := range p.weights {
		numbers += len(e.Data) / e.DType.Size()
	}
	if err := p.config(Settings{}).CheckWeights(p.Dim, numbers); err != nil {
		return fmt.Errorf("is not as large as its names and shapes say: %w", err)
	}
	return nil
}

// lastLayer returns the name of the weight of a network's last layer: the only one of the sequence, after the first, that is no sequence itself.
func lastLayer(shapes map[string][]int) (name string, err error) {
	for n := range shapes {
		middle, ok := strings.CutPrefix(n, "joint_model.model.")
		middle, isWeight := strings.CutSuffix(middle, ".weight")
		if !ok || !isWeight || middle == "1" || strings.Contains(middle, ".") {
			continue
		}
		if k, err := strconv.Atoi(middle); err != nil || k < 3 || name != "" {
			return "", fmt.Errorf("has %s where one last layer, joint_model.model.3 or later, was expected", n)
		}
		name = n
	}
	if name == "" {
		return "", fmt.Errorf("lacks the last layer of joint_model.model: want the weights of a DiffusionPISGradNet")
	}
	return name, nil
}

// config returns the settings of the policy; those of the other direction say nothing.
func (p *Policy) config(st Settings) diffusion.PolicyConfig {
	return diffusion.PolicyConfig{
		Net: p.Net, LearnVariance: p.LearnVariance, Clip: st.Clip, LogVarRange: st.LogVarRange, ScaleRange: st.ScaleRange,
	}
}

// copyInto overwrites the weights of a policy.
func (p *Policy) copyInto(s *tensor.Stream, params, buffers []nn.Param) (err error) {
	s.Scope(func() {
		var src []nn.Param
		for _, e := range p.weights {
			src = append(src, nn.Param{Name: e.Name, Value: tensor.FromBytes(s, e.DType, e.Data, e.Shape...)})
		}
		err = nn.Copy(append(append([]nn.Param{}, params...), buffers...), src)
	})
	return err
}
