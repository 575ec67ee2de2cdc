package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/alecthomas/kong"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// trainCmd trains, or continues to.
type trainCmd struct {
	Config configFile `placeholder:"FILE.yaml" help:"Settings, by the names of these flags; those on the command line count more. A run writes its own to config.yaml."`
	settings

	Out    string `group:"Files:" placeholder:"DIR" help:"Directory to write to (default: runs/<name of the target or data>)."`
	Force  bool   `group:"Files:" help:"Replace a run that is in the directory."`
	Resume string `group:"Files:" placeholder:"DIR" help:"Continue the run in this directory, there unless --out is given."`

	CheckpointEvery *int `group:"Files:" placeholder:"N" help:"Steps between checkpoints (default: about a minute)."`
	Keep            int  `group:"Files:" default:"3" help:"Latest checkpoints that stay, beside the one of the best held-out bound."`

	EvalSamples  int `group:"Running:" default:"${evalSamples}" help:"Samples in the final report and picture."`
	deviceFlags  `group:"Running:"`
	productFlags `group:"Running:"`
	Eager        bool `group:"Running:" help:"Run each step afresh instead of replaying a recorded one; the results are the same."`
	JSON         bool `group:"Running:" name:"json" help:"Print progress and the report as lines of JSON."`
}

// Run trains until the steps are done or ctx is, and then saves, draws and reports.
func (t *trainCmd) Run(ctx context.Context, k *kong.Context, c *console) error {
	open, err := t.opener(given(k))
	if err != nil {
		return err
	}
	return t.in(t.productFlags, func(s *tensor.Stream) (err error) {
		r, err := open(s, c)
		if err != nil {
			return err
		}
		defer func() { err = cmp.Or(err, r.lock.Release()) }()
		if err := r.dir.clean(); err != nil {
			return err
		}
		if err := t.writeConfig(k, r); err != nil {
			return err
		}
		if r.log, err = createMetrics(r.dir.metrics(), r.past.metrics); err != nil {
			return err
		}
		r.past.metrics = nil
		if r.Data != nil && r.Trainer.Step == 0 {
			for _, remark := range r.Data.Remarks {
				c.note("%s: %s", r.Config.Data, remark)
			}
		}
		r.bounds = boundsLog{path: r.dir.bounds(), past: r.past.bounds}
		r.Trainer.Eager = t.Eager
		err = withAdvice(r.train(ctx))
		// Closing says again what a write has failed with; what was said first counts.
		if closing := r.log.close(); err == nil {
			err = closing
		}
		return err
	})
}

// withAdvice says what to do where memory does not suffice.
func withAdvice(err error) error {
	if errors.Is(err, backend.ErrOutOfMemory) {
		return fmt.Errorf("%w; --micro-batch N takes the memory of N samples at a time", err)
	}
	return err
}

// writeConfig leaves the settings in the run's directory.
func (t *trainCmd) writeConfig(k *kong.Context, r *trainRun) error {
	if t.Resume != "" {
		return continueSettings(r.from.config(), r.dir.config(), r.Config)
	}
	return writeSettings(r.dir.config(), k, r.Config)
}

// opener begins or continues a run.
type opener func(s *tensor.Stream, c *console) (*trainRun, error)

// opener checks everything that needs no device.
func (t *trainCmd) opener(given map[string]bool) (opener, error) {
	if err := checkSamples("eval-samples", t.EvalSamples); err != nil {
		return nil, err
	}
	switch {
	case t.Keep < 1:
		return nil, usageError{fmt.Errorf("--keep is %d; want at least 1", t.Keep)}
	case t.CheckpointEvery != nil && *t.CheckpointEvery < 1:
		return nil, usageError{fmt.Errorf("--checkpoint-every is %d; want at least 1", *t.CheckpointEvery)}
	}
	if t.Resume != "" {
		if err := checkResume(given); err != nil {
			return nil, err
		}
		if t.Steps != nil && *t.Steps < 1 {
			return nil, usageError{fmt.Errorf("--steps is %d; want at least 1", *t.Steps)}
		}
		return func(s *tensor.Stream, c *console) (*trainRun, error) { return t.resume(s, c, given) }, nil
	}
	config, err := t.config()
	switch {
	case err != nil && t.Config == "":
		return nil, usageError{err}
	case err != nil: // which may be the file's
		return nil, err
	}
	return func(s *tensor.Stream, c *console) (*trainRun, error) { return t.begin(s, c, config) }, nil
}

// begin starts a new run in an empty place.
func (t *trainCmd) begin(s *tensor.Stream, c *console, config train.Config) (*trainRun, error) {
	dir := runDir(t.Out)
	if dir == "" {
		dir = defaultRunDir(config)
	}
	if !t.Force {
		if err := dir.checkFree(); err != nil {
			return nil, err
		}
	}
	e, err := train.NewExperiment(s, config)
	if err != nil {
		return nil, err
	}
	r := t.newRun(e, dir, c)
	r.lock, err = dir.create()
	return r, err
}

func (t *trainCmd) newRun(e *train.Experiment, dir runDir, c *console) *trainRun {
	r := &trainRun{Experiment: e, dir: dir, from: dir, console: c, json: t.JSON, samples: t.EvalSamples, keep: t.Keep}
	if t.CheckpointEvery != nil {
		r.every = *t.CheckpointEvery
	}
	return r
}

// resume continues a run, in its directory or another.
func (t *trainCmd) resume(s *tensor.Stream, c *console, given map[string]bool) (*trainRun, error) {
	from, err := runOf(t.Resume)
	if err != nil {
		return nil, err
	}
	to, elsewhere, err := t.continueIn(from)
	if err != nil {
		return nil, err
	}
	if elsewhere {
		r, err := t.reopen(s, c, given)
		if err != nil {
			return nil, err
		}
		r.dir = to
		r.lock, err = to.create()
		return r, err
	}
	// Locked before it is read: what is read must be the last that was written.
	lock, err := train.LockDir(string(from))
	if err != nil {
		return nil, err
	}
	r, err := t.reopen(s, c, given)
	if err == nil {
		err = from.checkLatest(r.opened)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	r.lock = lock
	return r, nil
}

// reopen opens the checkpoint of a run, and its metrics and bounds until then.
func (t *trainCmd) reopen(s *tensor.Stream, c *console, given map[string]bool) (*trainRun, error) {
	e, path, err := openRun(c, s, t.Resume, func(c *train.Config) {
		if t.Steps != nil {
			c.Steps = *t.Steps
		}
		if given["data"] {
			c.Data = t.Data
		}
		if given["patience"] {
			c.Patience = t.Patience
		}
	})
	if err != nil {
		return nil, err
	}
	from := runDir(filepath.Dir(path))
	if e.Trainer.Step >= e.Config.Steps {
		return nil, fmt.Errorf("%s has done %d of %d steps; give a larger total with --steps, or see weir eval", from, e.Trainer.Step, e.Config.Steps)
	}
	r := t.newRun(e, from, c)
	r.opened = path
	if r.past.metrics, err = readMetrics(from.metrics(), e.Trainer.Step); err != nil {
		return nil, err
	}
	r.past.bounds, err = readBounds(from.bounds(), e.Trainer.Step)
	return r, err
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
