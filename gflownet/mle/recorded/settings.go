package recorded

import (
	"encoding/json"
	"fmt"

	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
)

// settings are the metadata of a case.
type settings struct {
	dim           int
	process       diffusion.Process
	learnVariance bool
	pb            string // none, mean, mean+variance
	pbScaleRange  float64
	exploration   float64
	reduction     gflownet.Reduction
	net           network
}

type network struct {
	Harmonics   int     `json:"harmonics_dim"`
	TimeEmbed   int     `json:"t_emb_dim"`
	StateEmbed  int     `json:"s_emb_dim"`
	Hidden      int     `json:"hidden_dim"`
	JointLayers int     `json:"joint_layers"`
	ZeroInit    bool    `json:"zero_init"`
	Clipping    bool    `json:"clipping"`
	Clip        float64 `json:"gfn_clip"`
	LogVarRange float64 `json:"log_var_range"`
}

// policy returns the settings of a policy with this network.
func (n network) policy(learnVariance bool, scaleRange float64) diffusion.PolicyConfig {
	c := diffusion.PolicyConfig{
		Net: diffusion.NetConfig{
			Harmonics: n.Harmonics, Embed: n.StateEmbed, Hidden: n.Hidden, JointLayers: n.JointLayers, ZeroInit: n.ZeroInit,
		},
		LearnVariance: learnVariance,
		LogVarRange:   n.LogVarRange,
		ScaleRange:    scaleRange,
	}
	if n.Clipping {
		c.Clip = n.Clip
	}
	return c
}

func parseSettings(metadata map[string]string) (s settings, err error) {
	for _, field := range []struct {
		key   string
		value any
	}{
		{"s_dim", &s.dim},
		{"num_steps", &s.process.NumSteps},
		{"sigma", &s.process.Sigma},
		{"t_scale", &s.process.TScale},
		{"learn_variance", &s.learnVariance},
		{"pb_scale_range", &s.pbScaleRange},
		{"exploration_std", &s.exploration},
		{"net", &s.net},
	} {
		text, ok := metadata[field.key]
		if !ok {
			return s, fmt.Errorf("the metadata lacks %s; want a recorded case", field.key)
		}
		if err := json.Unmarshal([]byte(text), field.value); err != nil {
			return s, fmt.Errorf("metadata %s is %q: %w", field.key, text, err)
		}
	}
	if s.reduction, err = gflownet.ParseReduction(metadata["reduction"]); err != nil {
		return s, err
	}
	if s.net.TimeEmbed != s.net.StateEmbed {
		return s, fmt.Errorf("t_emb_dim is %d and s_emb_dim %d; they must be equal", s.net.TimeEmbed, s.net.StateEmbed)
	}
	switch s.pb = metadata["pb"]; s.pb {
	case "none", "mean", "mean+variance":
		return s, nil
	}
	return s, fmt.Errorf("metadata pb is %q; want none, mean or mean+variance", s.pb)
}
