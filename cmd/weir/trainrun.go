package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/weir-ml/weir/cmd/weir/plot"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// trainRun is a run in progress.
type trainRun struct {
	*train.Experiment
	dir     runDir
	from    runDir         // where it began
	opened  string         // the checkpoint that it goes on from, if any
	lock    *train.DirLock // of dir
	log     *metricsLog
	bounds  boundsLog
	console *console
	json    bool
	samples int // in the report and the picture
	keep    int // checkpoints
	every   int // steps between two; 0 is about a minute

	past struct { // of the run that is continued
		metrics []metric
		bounds  []train.Bound
	}
}

// train runs the steps that are left. However it ends, what was trained is saved, unless it is spoilt.
func (r *trainRun) train(ctx context.Context) error {
	err := r.steps(ctx)
	switch {
	case errors.Is(err, train.ErrNoProgress):
		r.console.note("%v, of which the weights are in %s", err, r.dir.best())
		return r.keptAnyhow(r.finish(ctx))
	case err == nil:
		return r.keptAnyhow(r.finish(ctx))
	case interrupted(ctx, err):
		return r.endEarly()
	}
	return err
}

// keptAnyhow adds to the error of a report or a picture that no training is lost by it.
func (r *trainRun) keptAnyhow(err error) error {
	if err == nil || errors.Is(err, errSaved) {
		return err
	}
	return fmt.Errorf("%w; the run itself is saved: weir eval --from %s reports on it", err, r.dir)
}

// steps trains and saves.
func (r *trainRun) steps(ctx context.Context) error {
	shown := newProgress(r.console, r.json, r.Trainer.Step+1, r.Config.Steps)
	defer shown.end()
	return r.Run(ctx, train.Watch{
		Dir: string(r.dir), Lock: r.lock, Keep: r.keep, CheckpointEvery: r.every,
		OnStep: func(p train.Progress) error {
			m, err := r.log.add(p)
			if err != nil {
				return fmt.Errorf("metrics: %w", err)
			}
			return shown.step(m)
		},
		OnBound:    r.bounds.add,
		BeforeSave: r.log.flush,
	})
}

// endEarly reports a run that was asked to end, and is saved.
func (r *trainRun) endEarly() error {
	if err := r.drawCurves(); err != nil {
		return err
	}
	if r.json {
		err := writeJSON(r.console.out, struct {
			Interrupted bool   `json:"interrupted"`
			Step        int    `json:"step"`
			Out         string `json:"out"`
		}{true, r.Trainer.Step, string(r.dir)})
		if err != nil {
			return err
		}
	}
	next := "continue with: weir train --resume"
	if r.Trainer.Step == r.Config.Steps {
		next = "for the report: weir eval --from"
	}
	fmt.Fprintf(r.console.err, "weir: interrupted at step %d of %d and saved; %s %s\n", r.Trainer.Step, r.Config.Steps, next, r.dir)
	return errSaved
}

// finish evaluates and draws a complete run.
func (r *trainRun) finish(ctx context.Context) error {
	if err := r.drawCurves(); err != nil {
		return err
	}
	report, err := r.Evaluate(ctx, train.Evaluation{Seed: evaluationSeed(r.Config), Samples: r.samples, Batch: evaluationBatch})
	if err == nil {
		err = r.drawSamples(ctx)
	}
	if interrupted(ctx, err) {
		return r.endEarly() // the checkpoint is complete; eval reports what is left out here
	}
	if err != nil {
		return err
	}
	if r.json {
		return writeJSON(r.console.out, struct {
			Done    bool         `json:"done"`
			Out     string       `json:"out"`
			Seconds float64      `json:"seconds"`
			Report  train.Report `json:"report"`
		}{true, string(r.dir), r.log.last.Seconds, report})
	}
	return r.summarize(report)
}

func (r *trainRun) summarize(report train.Report) error {
	duration := time.Duration(r.log.last.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	_, err := fmt.Fprintf(r.console.out, "%s: %d steps in %v, %d parameters\n\n", r.name(), r.Trainer.Step, duration, r.Parameters())
	if err != nil {
		return err
	}
	if err := printReport(r.console.out, report); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.console.out, "\nIn %s: %s, %s, metrics.jsonl, loss.png, bound.png, samples.png\n",
		r.dir, train.CheckpointName(r.Trainer.Step), train.BestName)
	return err
}

// name returns what is learned, as titles have it.
func (r *trainRun) name() string {
	if r.Config.Target != "" {
		return r.Config.Target
	}
	return filepath.Base(r.Config.Data)
}

// drawCurves draws what there is of the loss and the bound.
func (r *trainRun) drawCurves() error {
	losses, err := r.log.curve()
	if err != nil {
		return err
	}
	if len(losses.Steps) > 0 {
		if err := plot.Loss(r.dir.loss(), r.name(), losses); err != nil {
			return err
		}
	}
	if len(r.bounds.past) == 0 {
		return nil
	}
	curve, errors := r.bounds.curve()
	return plot.Bound(r.dir.bound(), r.name(), curve, errors)
}

// drawSamples compares samples of the model with the target's density, its samples, or the held-out rows.
func (r *trainRun) drawSamples(ctx context.Context) error {
	rng := tensor.NewRNG(r.Stream(), evaluationSeed(r.Config))
	defer rng.Release()
	model := r.Model()
	defer r.UseAverages()()
	samples, err := model.Draw(ctx, rng, r.samples, evaluationBatch)
	if err != nil {
		return err
	}
	truth, err := r.Truth(rng, r.samples)
	if err != nil {
		return err
	}
	c := plot.Comparison{
		Title:   fmt.Sprintf("%s after %d steps", r.name(), r.Trainer.Step),
		Columns: model.Columns, Model: samples, Target: truth,
	}
	if r.Target != nil {
		c.LogDensity = r.LogDensity
	}
	return plot.Samples(r.dir.samples(), c)
}
