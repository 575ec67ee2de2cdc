package main

import (
	"context"
	"fmt"
	"io"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// sampleCmd writes samples of a run's sampler.
type sampleCmd struct {
	From  string  `required:"" placeholder:"DIR" help:"Directory of the run, for its latest checkpoint, or one of the checkpoints in it."`
	N     int     `name:"samples" short:"n" default:"1000" help:"How many."`
	Out   string  `required:"" placeholder:"FILE" help:"File to write: .csv, whose first line names the columns, .npy or .safetensors; - for CSV to stdout."`
	Seed  *uint64 `placeholder:"N" help:"Decides the samples (default: the run's seed + 1)."`
	Batch int     `default:"${evalBatch}" help:"Samples that are drawn, and held in memory, at a time; the samples do not depend on it."`

	OmitLastStep bool `help:"Take N−1 steps, as torchgfn 2.4.1's sampler does, instead of the N that are trained."`
	deviceFlags
}

// Run writes the samples, to a file all of them or none.
func (m *sampleCmd) Run(ctx context.Context, c *console) error {
	switch {
	case m.N < 1:
		return usageError{fmt.Errorf("--samples is %d; want at least 1", m.N)}
	case m.Batch < 1:
		return usageError{fmt.Errorf("--batch is %d; want at least 1", m.Batch)}
	}
	format, err := findFormat("out", m.Out)
	if err != nil {
		return err
	}
	return m.on(func(s *tensor.Stream) error {
		path, err := findCheckpoint(c, m.From)
		if err != nil {
			return err
		}
		if err := checkRunOutput(m.Out, path); err != nil {
			return err
		}
		model, err := train.OpenModel(s, path)
		if err != nil {
			return err
		}
		model.Sampler.OmitLastStep = m.OmitLastStep
		seed := evaluationSeed(model.Config)
		if m.Seed != nil {
			seed = *m.Seed
		}
		rng := tensor.NewRNG(s, seed)
		defer rng.Release()
		write := func(w io.Writer) error { return m.write(ctx, w, format, model, rng) }
		if m.Out == "-" {
			return write(c.out)
		}
		return atomicfile.Write(m.Out, write)
	})
}

// write writes the samples as they are drawn.
func (m *sampleCmd) write(ctx context.Context, w io.Writer, f format, model *train.Model, rng *tensor.RNG) error {
	rows, err := f(w, model.Columns, m.N, precision(model))
	if err != nil {
		return err
	}
	if err := model.DrawEach(ctx, rng, m.N, m.Batch, rows.write); err != nil {
		return err
	}
	return rows.end()
}

// precision returns the dtype of samples. In the data's own units it is float64 at any dtype of the weights: a column may be narrow and far from 0.
func precision(m *train.Model) backend.DType {
	if m.Standardize == nil {
		return m.Config.DType.DType
	}
	return backend.Float64
}
