package torchgfn

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// Write writes the policies of a sampler to a safetensors file under the names of MLEDiffusion, pf.module.… and pb.module.…, with notes as further
// metadata. What torchgfn 2.4.1 cannot do is an error: another time grid than the uniform one, a variance for each coordinate, scaled outputs,
// multiplicative corrections, and a forward and a backward policy of different limits.
func Write(path string, sampler *diffusion.Sampler, notes map[string]string) (err error) {
	defer tensor.Catch(&err)
	if err := write(path, sampler, notes); err != nil {
		return fmt.Errorf("torchgfn: %w", err)
	}
	return nil
}

func write(path string, sampler *diffusion.Sampler, notes map[string]string) error {
	if err := expressible(sampler); err != nil {
		return err
	}
	settings, err := json.Marshal(settingsOf(sampler))
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	f := &safetensors.File{Metadata: map[string]string{}}
	maps.Copy(f.Metadata, notes)
	f.Metadata[settingsKey] = string(settings)
	for _, p := range append(append([]nn.Param{}, sampler.Params()...), sampler.Buffers()...) {
		data, err := p.Value.Bytes()
		if err != nil {
			return err
		}
		f.Entries = append(f.Entries, tensorio.Entry{Name: p.Name, DType: p.Value.DType(), Shape: p.Value.Shape(), Data: data})
	}
	return safetensors.WriteFile(path, f)
}

// expressible returns an error that names what torchgfn lacks.
func expressible(sampler *diffusion.Sampler) error {
	pf, pb := sampler.PF, sampler.PB
	many := pf.Dim() > 1 // in one dimension a variance for each coordinate is one for all
	switch {
	case pf.Grid != diffusion.Grid{}:
		return fmt.Errorf("the time grid is %v; torchgfn 2.4.1 has only the uniform one", pf.Grid)
	case pf.Config.Diagonal && many, pb.Config.Diagonal && many:
		return fmt.Errorf("a variance is learned for each coordinate; torchgfn 2.4.1 has only one for all")
	case pf.Config.Scaled:
		return fmt.Errorf("the outputs of the forward policy are scaled; torchgfn 2.4.1 takes them as they are")
	case pb.Learned() && pb.Config.Form != diffusion.Additive:
		return fmt.Errorf("the backward policy is %v; torchgfn 2.4.1 has only the additive form", pb.Config.Form)
	case pb.Learned() && (pf.Config.Clip != pb.Config.Clip || pf.Config.LogVarRange != pb.Config.LogVarRange):
		return fmt.Errorf("the policies have different limits, clip %v and %v, log-var-range %v and %v; the file has one of each",
			pf.Config.Clip, pb.Config.Clip, pf.Config.LogVarRange, pb.Config.LogVarRange)
	}
	return nil
}

func settingsOf(sampler *diffusion.Sampler) Settings {
	c := sampler.PF.Config
	st := Settings{Process: sampler.PF.Process, Clip: c.Clip, LogVarRange: c.LogVarRange}
	if sampler.PB.Learned() {
		st.ScaleRange = sampler.PB.Config.ScaleRange
	}
	return st
}
