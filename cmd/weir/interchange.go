package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/torchgfn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// importCmd makes a run of a checkpoint of torchgfn, which eval, sample and train --resume then take like any other.
type importCmd struct {
	File   string `arg:"" placeholder:"FILE" help:"What torch.save wrote (.pt), or safetensors: the tutorial's checkpoint or a state dict."`
	Out    string `required:"" placeholder:"DIR" help:"Directory of the new run."`
	Force  bool   `help:"Replace a run that is in the directory."`
	Target string `placeholder:"${target}" default:"${target}" help:"What the policies were trained on: ${targets}; or none, if it is not among them: such a run samples and exports."`

	NumSteps     int     `placeholder:"N" help:"Steps of the process (torchgfn's num_steps), which torchgfn's files do not hold."`
	Sigma        float64 `placeholder:"S" help:"Its diffusion coefficient (sigma), which they do not hold either."`
	TScale       float64 `default:"1" help:"What its forward variance is multiplied with (t_scale)."`
	PBScaleRange float64 `name:"pb-scale-range" default:"0.1" help:"Range of the learned backward policy (pb_scale_range)."`
	LogVarRange  float64 `default:"4" help:"Range of the learned log-variance (log_var_range)."`
	Clip         float64 `help:"Limit of the network's output (gfn_clip), where clipping is on."`

	LR    float64 `name:"lr" default:"${lr}" help:"Learning rate of train --resume."`
	Batch int     `default:"${batch}" help:"Samples a step of train --resume."`
	deviceFlags
}

// Run writes the run's checkpoint.
func (m *importCmd) Run(c *console) error {
	dir := runDir(m.Out)
	if !m.Force {
		if err := dir.checkFree(); err != nil {
			return err
		}
	}
	file, err := torchgfn.Open(m.File)
	if err != nil {
		return err
	}
	return m.on(func(s *tensor.Stream) error {
		e, err := train.Import(s, m.config(), file)
		if err != nil {
			return fmt.Errorf("%s: %w", m.File, err)
		}
		lock, err := dir.create()
		if err != nil {
			return err
		}
		if err := errors.Join(e.Save(dir.file(train.CheckpointName(e.Trainer.Step))), lock.Release()); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.out, "%s: step %d of a sampler %s with %d parameters, in %s\n",
			m.File, e.Trainer.Step, learned(e.Config), e.Parameters(), dir)
		return err
	})
}

// noTarget stands for one that is not known.
const noTarget = "none"

// learned says what a run has learned.
func learned(c train.Config) string {
	if c.Target == "" {
		return fmt.Sprintf("in %d dimensions", c.Dim)
	}
	return "of " + c.Target
}

func (m *importCmd) config() train.Config {
	target := m.Target
	if target == noTarget {
		target = ""
	}
	return train.Config{
		Target: target, Process: diffusion.Process{NumSteps: m.NumSteps, Sigma: m.Sigma, TScale: m.TScale},
		PBScaleRange: m.PBScaleRange, LogVarRange: m.LogVarRange, Clip: m.Clip, LR: m.LR, Batch: m.Batch,
	}
}

// exportCmd writes a run's policies for torchgfn.
type exportCmd struct {
	From string `required:"" placeholder:"DIR" help:"Directory of the run."`
	Out  string `required:"" placeholder:"FILE.safetensors" help:"File to write."`
	deviceFlags
}

// Run writes the file, whole or not at all.
func (x *exportCmd) Run(c *console) error {
	if ext := filepath.Ext(x.Out); ext != ".safetensors" {
		return usageError{fmt.Errorf("--out is %s; want a name that ends in .safetensors", x.Out)}
	}
	return x.on(func(s *tensor.Stream) error {
		path, err := findCheckpoint(c, x.From)
		if err != nil {
			return err
		}
		if err := checkRunOutput(x.Out, path); err != nil {
			return err
		}
		model, err := train.OpenModel(s, path)
		if err != nil {
			return err
		}
		return model.Export(x.Out)
	})
}
