package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// checkpointInterval is how much work a crash may cost.
const checkpointInterval = time.Minute

// trainCmd trains, or continues to.
type trainCmd struct {
	settings

	Out    string `group:"Files:" placeholder:"DIR" help:"Directory to write to (default: runs/<name of the target or data>)."`
	Force  bool   `group:"Files:" help:"Replace a run that is in the directory."`
	Resume string `group:"Files:" placeholder:"DIR" help:"Continue the run in this directory, there unless --out is given."`

	EvalSamples int `group:"Running:" default:"${evalSamples}" help:"Samples in the final report and picture."`
	deviceFlags `group:"Running:"`
	Eager       bool `group:"Running:" help:"Run each step afresh instead of replaying a recorded one; the results are the same."`
	JSON        bool `group:"Running:" name:"json" help:"Print progress and the report as lines of JSON."`
}

// Run trains until the steps are done or ctx is, and then saves, draws and reports.
func (t *trainCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	open, err := t.opener(given(k))
	if err != nil {
		return err
	}
	return t.on(func(s *tensor.Stream) error {
		e, dir, past, err := open(s)
		if err != nil {
			return err
		}
		e.Trainer.Eager = t.Eager
		log, err := createMetrics(dir.metrics(), past)
		if err != nil {
			return err
		}
		r := &trainRun{Experiment: e, dir: dir, log: log, console: c, json: t.JSON, samples: t.EvalSamples}
		err = r.train(ctx)
		// Closing says again what a write has failed with; what was said first counts.
		if closing := log.close(); err == nil {
			err = closing
		}
		return err
	})
}

// opener checks everything that needs no device, and returns what begins or continues the run.
func (t *trainCmd) opener(given map[string]bool) (func(*tensor.Stream) (*train.Experiment, runDir, []metric, error), error) {
	if err := checkSamples("eval-samples", t.EvalSamples); err != nil {
		return nil, err
	}
	if t.Resume != "" {
		if err := checkResume(given); err != nil {
			return nil, err
		}
		if t.Steps != nil && *t.Steps < 1 {
			return nil, fmt.Errorf("steps is %d; want at least 1", *t.Steps)
		}
		return func(s *tensor.Stream) (*train.Experiment, runDir, []metric, error) { return t.resume(s, given) }, nil
	}
	config, err := t.config()
	if err != nil {
		return nil, err
	}
	return func(s *tensor.Stream) (*train.Experiment, runDir, []metric, error) {
		e, dir, err := t.begin(s, config)
		return e, dir, nil, err
	}, nil
}

// begin starts a new run in an empty place.
func (t *trainCmd) begin(s *tensor.Stream, config train.Config) (*train.Experiment, runDir, error) {
	dir := runDir(t.Out)
	if dir == "" {
		dir = defaultRunDir(config)
	}
	if !t.Force {
		if err := dir.checkFree(); err != nil {
			return nil, dir, err
		}
	}
	e, err := train.NewExperiment(s, config)
	if err != nil {
		return nil, dir, err
	}
	return e, dir, dir.create()
}

// resume opens the checkpoint of a run, and its metrics until then.
func (t *trainCmd) resume(s *tensor.Stream, given map[string]bool) (*train.Experiment, runDir, []metric, error) {
	path, err := findCheckpoint(t.Resume)
	if err != nil {
		return nil, "", nil, err
	}
	from := runDir(filepath.Dir(path))
	to, elsewhere, err := t.continueIn(from)
	if err != nil {
		return nil, "", nil, err
	}
	e, err := train.OpenExperiment(s, path, func(c *train.Config) {
		if t.Steps != nil {
			c.Steps = *t.Steps
		}
		if given["data"] {
			c.Data = t.Data
		}
	})
	if err != nil {
		return nil, "", nil, err
	}
	if e.Trainer.Step >= e.Config.Steps {
		return nil, "", nil, fmt.Errorf("%s has done %d of %d steps; give a larger total with --steps", from, e.Trainer.Step, e.Config.Steps)
	}
	past, err := readMetrics(from.metrics(), e.Trainer.Step)
	if err != nil {
		return nil, "", nil, err
	}
	if elsewhere {
		err = to.create()
	}
	return e, to, past, err
}

// continueIn returns where a run from that directory goes on, and whether that is another one, which must be free then.
func (t *trainCmd) continueIn(from runDir) (to runDir, elsewhere bool, err error) {
	if t.Out == "" {
		return from, false, nil
	}
	to = runDir(t.Out)
	a, errA := os.Stat(string(from))
	b, errB := os.Stat(string(to))
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return from, false, nil
	}
	if t.Force {
		return to, true, nil
	}
	return to, true, to.checkFree()
}
