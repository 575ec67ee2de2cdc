package train

import (
	"encoding/json"
	"fmt"

	"github.com/weir-ml/weir/gflownet/torchgfn"
	"github.com/weir-ml/weir/tensor"
)

// Import returns a run of a torchgfn checkpoint's weights at its step, with a fresh optimiser. Of c it takes what the file does not say: the target, the
// process unless Export wrote the file, the ranges, and how to train on. Without a target, which may be none that this package knows, the run has the
// file's dimension: it can sample, and be saved and exported, but neither measured nor trained on. The networks and what they learn are the file's.
// Settings that do not fit the file are an error.
func Import(s *tensor.Stream, c Config, file *torchgfn.Checkpoint) (e *Experiment, err error) {
	defer tensor.Catch(&err)
	if c, err = c.of(file); err != nil {
		return nil, fmt.Errorf("train: import: %w", err)
	}
	if e, err = NewExperiment(s, c); err != nil {
		return nil, err
	}
	if got := e.Loss.PF.Dim(); got != file.Forward.Dim {
		return nil, fmt.Errorf("train: import: the file's states have %d coordinates, and those of target %s %d; name its own, or none", file.Forward.Dim, c.Target, got)
	}
	if err := file.CopyInto(s, e.Sampler); err != nil {
		return nil, fmt.Errorf("train: import: %w", err)
	}
	e.Trainer.Step = file.Step
	return e, nil
}

// of returns c with what the file says.
func (c Config) of(file *torchgfn.Checkpoint) (Config, error) {
	if st := file.Settings; st != nil {
		c.Process, c.Clip, c.LogVarRange, c.PBScaleRange = st.Process, st.Clip, st.LogVarRange, st.ScaleRange
	}
	switch {
	case c.Process.NumSteps == 0 || c.Process.Sigma == 0:
		return c, fmt.Errorf("the file says neither num-steps nor sigma; want both, and t-scale if it is not 1")
	case c.Data != "":
		return c, fmt.Errorf("torchgfn's files do not say how data was scaled; want a target")
	case file.Backward != nil && file.Backward.Net != file.Forward.Net:
		return c, fmt.Errorf("the networks of the policies differ, forward %+v, backward %+v; a run has one size", file.Forward.Net, file.Backward.Net)
	}
	if c.Target == "" {
		c.Dim = file.Forward.Dim
	}
	c.Net, c.LearnVariance, c.LearnPB = file.Forward.Net, file.Forward.LearnVariance, FixedBridge
	switch {
	case file.Backward == nil:
	case file.Backward.LearnVariance:
		c.LearnPB = LearnPBMeanVariance
	default:
		c.LearnPB = LearnPBMean
	}
	c.DType.DType = file.Forward.DType
	c.Steps = max(c.Steps, file.Step, 1)
	return c, nil
}

// Export writes the policies to a file that torchgfn loads; see [torchgfn.Write]. The scale of data, in whose units the policies do not speak, stands in
// the file's metadata. A file that cannot be written is an error.
func (m *Model) Export(path string) error {
	var notes map[string]string
	if m.Standardize != nil {
		text, err := json.Marshal(scale{m.Columns, *m.Standardize})
		if err != nil {
			return fmt.Errorf("train: scale of the data: %w", err)
		}
		notes = map[string]string{dataKey: string(text)}
	}
	return torchgfn.Write(path, m.Sampler, notes)
}
