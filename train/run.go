package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Watch says how a run is kept and watched. The zero value keeps nothing.
type Watch struct {
	Dir             string // an existing directory for checkpoints; none are kept if it is empty
	Keep            int    // how many of the latest checkpoints stay, beside the best; 0 stands for 3
	CheckpointEvery int    // steps between checkpoints; 0 stands for about a minute

	Lock *DirLock // of Dir, if the caller has locked it; else Run does

	OnStep     func(Progress) error // called after each step
	OnBound    func(Bound) error    // called after each estimate of the held-out bound
	BeforeSave func() error         // called before a checkpoint is written: what belongs to its steps can be written first
}

const (
	defaultKeep        = 3
	checkpointInterval = time.Minute
)

// ErrNoProgress is returned by a run that has ended because its held-out bound has not become better for Config.Patience estimates.
var ErrNoProgress = errors.New("the held-out bound no longer improves")

// Run trains until the configured number of steps is done, and estimates the held-out bound every Config.BoundEvery steps and at the end. A run
// of which Config.Patience estimates in a row have found nothing better ends with [ErrNoProgress].
//
// With a directory, checkpoints are saved every so often, and however the run ends, unless it has diverged: then the error wraps [ErrDiverged] and
// names the last good checkpoint. Each is written to a temporary file, flushed to the disk and renamed, so a crash at any moment costs no more than
// the steps since. The directory is locked meanwhile: another run in it is an error. The weights of the best bound are saved too, as [BestName]. A checkpoint that cannot be saved ends the run; those before it stay
// as they are. ctx and callbacks end it between two steps.
func (e *Experiment) Run(ctx context.Context, w Watch) (err error) {
	if err := e.checkKnown("run"); err != nil {
		return err
	}
	r := &watchedRun{Experiment: e, Watch: w, saved: time.Now()}
	if w.Dir != "" {
		if w.Lock == nil {
			own, err := LockDir(w.Dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, own.Release()) }()
		}
		if r.keeper, err = openKeeper(w.Dir, cmp.Or(w.Keep, defaultKeep), e.opened); err != nil {
			return err
		}
	}
	err = e.stale()
	if err == nil {
		err = e.Trainer.Run(ctx, e.Config.Steps, func(p Progress) error { return r.afterStep(ctx, p) })
	}
	return r.end(ctx, err)
}

// watchedRun is a run in progress.
type watchedRun struct {
	*Experiment
	Watch
	keeper *keeper // nil if nothing is kept
	saved  time.Time
}

// savingError marks the error of a checkpoint that could not be saved, which is not tried again.
type savingError struct{ error }

func (e savingError) Unwrap() error { return e.error }

func (r *watchedRun) afterStep(ctx context.Context, p Progress) error {
	if r.OnStep != nil {
		if err := r.OnStep(p); err != nil {
			return err
		}
	}
	if p.Step%r.Config.BoundEvery == 0 {
		// Not cut short: a run that continues at this step would not make up for it.
		if err := r.measure(context.WithoutCancel(ctx), true); err != nil {
			return err
		}
	}
	if r.due(p.Step) {
		if err := r.save(); err != nil {
			return err
		}
	}
	return r.stale()
}

// due reports whether it is time for a checkpoint.
func (r *watchedRun) due(step int) bool {
	if r.CheckpointEvery > 0 {
		return step%r.CheckpointEvery == 0
	}
	return time.Since(r.saved) >= checkpointInterval
}

// measure estimates the bound. Only a regular estimate may decide how the run goes on.
func (r *watchedRun) measure(ctx context.Context, regular bool) error {
	b, err := r.HeldOutBound(ctx)
	if err != nil {
		return err
	}
	if regular {
		r.bounds.note(b)
	}
	if r.OnBound != nil {
		if err := r.OnBound(b); err != nil {
			return err
		}
	}
	if r.keeper == nil {
		return nil
	}
	if err := r.keeper.saveBest(r.Experiment, b); err != nil {
		return savingError{err}
	}
	return nil
}

// stale returns ErrNoProgress if patience has run out.
func (e *Experiment) stale() error {
	best, patience := e.bounds.best, e.Config.Patience
	if patience == 0 || best == nil || e.Trainer.Step-best.Step < patience*e.Config.BoundEvery {
		return nil
	}
	return fmt.Errorf("train: %w: it was best at step %d", ErrNoProgress, best.Step)
}

func (r *watchedRun) save() error {
	if r.keeper == nil {
		return nil
	}
	if r.BeforeSave != nil {
		if err := r.BeforeSave(); err != nil {
			return err
		}
	}
	r.saved = time.Now()
	if err := r.keeper.save(r.Experiment); err != nil {
		return savingError{err}
	}
	return nil
}

// end saves what was trained, unless it is spoilt or cannot be, and returns what the run has ended with.
func (r *watchedRun) end(ctx context.Context, err error) error {
	ordinary := err == nil || ctx.Err() != nil && errors.Is(err, ctx.Err()) || errors.Is(err, ErrNoProgress)
	var unsaved savingError
	switch {
	case errors.As(err, &unsaved):
		return unsaved.error
	case r.keeper == nil:
	case errors.Is(err, ErrDiverged), !ordinary && r.keeper.vanished():
		return r.keeper.explain(err)
	}
	failed := r.save()
	if errors.As(failed, &unsaved) {
		failed = unsaved.error
	}
	switch {
	case failed != nil && ordinary:
		return failed
	case failed != nil && strings.Contains(failed.Error(), err.Error()):
		return failed // a device that has failed says so again
	case failed != nil:
		return fmt.Errorf("%w; and then: %w", err, failed)
	}
	if err == nil && r.Trainer.Step%r.Config.BoundEvery != 0 {
		return r.measure(ctx, false)
	}
	return err
}
