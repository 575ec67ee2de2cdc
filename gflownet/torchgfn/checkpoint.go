package torchgfn

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
	"github.com/weir-ml/weir/tensorio/torchpt"
)

// settingsKey is the metadata that holds the settings in files that Write wrote.
const settingsKey = "weir.torchgfn"

// Settings decide a policy beside its weights. In torchgfn they are arguments of constructors, and not in its files.
type Settings struct {
	Process     diffusion.Process `json:"process"`                 // num_steps, sigma and t_scale
	Clip        float64           `json:"clip,omitempty"`          // gfn_clip where clipping is on, else 0
	LogVarRange float64           `json:"log_var_range,omitempty"` // 0 is 4, the default of both
	ScaleRange  float64           `json:"scale_range,omitempty"`   // pb_scale_range; 0 is 0.1, the default of both
}

// Checkpoint is what a file holds of a GFlowNet.
type Checkpoint struct {
	Forward  *Policy
	Backward *Policy   // nil for the fixed bridge
	Step     int       // training steps done; 0 if the file does not say
	Settings *Settings // nil unless Write wrote the file

	path string
}

// Open reads a file: safetensors if its name ends so, else PyTorch's. A file that cannot be read, or has no policies, is an error.
func Open(path string) (*Checkpoint, error) {
	c, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("torchgfn: %w", err)
	}
	return c, nil
}

func open(path string) (*Checkpoint, error) {
	c := &Checkpoint{path: path}
	var entries []tensorio.Entry
	if filepath.Ext(path) == ".safetensors" {
		f, err := safetensors.Open(path)
		if err != nil {
			return nil, err
		}
		if text, ok := f.Metadata[settingsKey]; ok {
			c.Settings = new(Settings)
			if err := json.Unmarshal([]byte(text), c.Settings); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", path, settingsKey, err)
			}
		}
		entries = f.Entries
	} else {
		f, err := torchpt.Open(path)
		if err != nil {
			return nil, err
		}
		if step, ok := f.Values["step"].(int64); ok && step > 0 {
			c.Step = int(step)
		}
		entries = f.Entries
	}
	if err := c.sort(entries); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// sort finds the weights of both policies among the tensors of a file.
func (c *Checkpoint) sort(entries []tensorio.Entry) (err error) {
	forward, backward := under(entries, "pf_state_dict.", "pf."), under(entries, "pb_state_dict.", "pb.")
	if len(forward) == 0 {
		forward = under(entries, "")
	}
	if len(forward) == 0 {
		return fmt.Errorf("holds no forward policy; want a dict with pf_state_dict, or the state dict of a GFlowNet, an estimator or its module")
	}
	if c.Forward, err = newPolicy(forward); err != nil {
		return fmt.Errorf("the forward policy %w", err)
	}
	if err := c.Forward.checkWeights(); err != nil {
		return fmt.Errorf("the forward policy %w", err)
	}
	if len(backward) == 0 {
		return nil
	}
	if c.Backward, err = newPolicy(backward); err != nil {
		return fmt.Errorf("the backward policy %w", err)
	}
	if c.Forward.Dim != c.Backward.Dim {
		return fmt.Errorf("the policies disagree: forward in %d dimensions, backward in %d", c.Forward.Dim, c.Backward.Dim)
	}
	if err := c.Backward.checkWeights(); err != nil {
		return fmt.Errorf("the backward policy %w", err)
	}
	return nil
}

// under returns the tensors of networks below the first of the prefixes that has any, renamed to module.…; a bare module's names lack that.
func under(entries []tensorio.Entry, prefixes ...string) []tensorio.Entry {
	for _, prefix := range prefixes {
		var found []tensorio.Entry
		for _, e := range entries {
			name, ok := strings.CutPrefix(e.Name, prefix)
			name = strings.TrimPrefix(name, "module.")
			part, _, _ := strings.Cut(name, ".")
			if ok && (part == "t_model" || part == "s_model" || part == "joint_model") {
				e.Name = "module." + name
				found = append(found, e)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// Policies returns the policies as a sampler that computes in dtype d, or in that of the forward policy's weights if d is backend.Invalid.
// Settings that do not fit the file are an error.
func (c *Checkpoint) Policies(s *tensor.Stream, d backend.DType, st Settings) (sampler *diffusion.Sampler, err error) {
	defer tensor.Catch(&err)
	if sampler, err = c.policies(s, d, st); err != nil {
		return nil, fmt.Errorf("torchgfn: %s: %w", c.path, err)
	}
	return sampler, nil
}

func (c *Checkpoint) policies(s *tensor.Stream, d backend.DType, st Settings) (*diffusion.Sampler, error) {
	if d == backend.Invalid {
		d = c.Forward.DType
	}
	rng := tensor.NewRNG(s, 0) // for weights that are overwritten
	defer rng.Release()
	pf, err := diffusion.NewForward(rng, d, c.Forward.Dim, st.Process, c.Forward.config(st))
	if err != nil {
		return nil, err
	}
	pb := diffusion.NewBridge(st.Process, c.Forward.Dim)
	if c.Backward != nil {
		if pb, err = diffusion.NewBackward(rng, d, c.Forward.Dim, st.Process, c.Backward.config(st)); err != nil {
			return nil, err
		}
	}
	sampler, err := diffusion.NewSampler(pf, pb)
	if err != nil {
		return nil, err
	}
	return sampler, c.CopyInto(s, sampler)
}

// CopyInto overwrites the weights of a sampler's policies, which must be of the file's sizes, cast to their dtype. Anything else is an error.
func (c *Checkpoint) CopyInto(s *tensor.Stream, sampler *diffusion.Sampler) (err error) {
	defer tensor.Catch(&err)
	if sampler.PB.Learned() != (c.Backward != nil) {
		return fmt.Errorf("the backward policy is learned in one of file and sampler, and the fixed bridge in the other")
	}
	if err := c.Forward.copyInto(s, sampler.PF.Params(), sampler.PF.Buffers()); err != nil {
		return fmt.Errorf("the forward policy: %w", err)
	}
	if c.Backward == nil {
		return nil
	}
	if err := c.Backward.copyInto(s, sampler.PB.Params(), sampler.PB.Buffers()); err != nil {
		return fmt.Errorf("the backward policy: %w", err)
	}
	return nil
}
