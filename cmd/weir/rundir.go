package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/train"
)

// runDir is the directory that a run writes to.
type runDir string

func (d runDir) file(name string) string { return filepath.Join(string(d), name) }

func (d runDir) config() string  { return d.file("config.yaml") }
func (d runDir) best() string    { return d.file(train.BestName) }
func (d runDir) metrics() string { return d.file("metrics.jsonl") }
func (d runDir) bounds() string  { return d.file("bounds.jsonl") }
func (d runDir) loss() string    { return d.file("loss.png") }
func (d runDir) bound() string   { return d.file("bound.png") }
func (d runDir) samples() string { return d.file("samples.png") }

// files are what a run writes there beside checkpoints.
func (d runDir) files() []string {
	return []string{d.config(), d.best(), d.metrics(), d.bounds(), d.loss(), d.bound(), d.samples()}
}

// checkpoints returns the checkpoints there, none if there is no such directory.
func (d runDir) checkpoints() ([]string, error) {
	paths, err := train.Checkpoints(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return paths, err
}

// defaultRunDir returns runs/<target, or name of the data without its extension>.
func defaultRunDir(c train.Config) runDir {
	// Some file systems take no colon.
	name := strings.NewReplacer(":", "-", ",", "-", "=", "").Replace(c.Target)
	if name == "" {
		base := filepath.Base(c.Data)
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	return runDir(filepath.Join("runs", name))
}

// checkRunOutput returns an error if the file of --out cannot be written, or is one of the run that a checkpoint belongs to.
func checkRunOutput(out, checkpoint string) error {
	dir := runDir(filepath.Dir(checkpoint))
	checkpoints, err := dir.checkpoints()
	if err != nil {
		return err
	}
	return checkOutputs([]output{{"out", out}}, slices.Concat(checkpoints, dir.files(), []string{checkpoint})...)
}

// checkFree returns an error if a run's files are there already.
func (d runDir) checkFree() error {
	checkpoints, err := d.checkpoints()
	switch {
	case err != nil:
		return fmt.Errorf("output directory: %w", err)
	case len(checkpoints) > 0:
		return fmt.Errorf("%s holds a run already; continue it with --resume %s, replace it with --force, or choose another --out", d, d)
	}
	for _, path := range d.files() {
		_, err := os.Lstat(path)
		switch {
		case err == nil:
			return fmt.Errorf("%s holds a run without a checkpoint (%s); replace it with --force, or choose another --out", d, filepath.Base(path))
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("output directory: %w", err)
		}
	}
	return nil
}

// checkLatest returns an error if whole checkpoints later than path are there: the run cannot go on from path beside them.
func (d runDir) checkLatest(path string) error {
	latest, _, err := train.Latest(string(d))
	if err != nil || filepath.Base(latest) == filepath.Base(path) {
		return err
	}
	return fmt.Errorf("%s holds a later checkpoint, %s; to go on from %s, choose another directory with --out", d, filepath.Base(latest), filepath.Base(path))
}

// create makes the directory, without the files of an earlier run, and locks it.
func (d runDir) create() (*train.DirLock, error) {
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return nil, fmt.Errorf("output directory: %w", err)
	}
	lock, err := train.LockDir(string(d))
	if err != nil {
		return nil, err
	}
	if err := d.empty(); err != nil {
		return nil, errors.Join(err, lock.Release())
	}
	return lock, nil
}

// empty removes the files of an earlier run.
func (d runDir) empty() error {
	checkpoints, err := d.checkpoints()
	if err != nil {
		return fmt.Errorf("output directory: %w", err)
	}
	for _, path := range append(checkpoints, d.files()...) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("output directory: %w", err)
		}
	}
	return nil
}

// clean removes what a killed process has left half written, checkpoints excepted, which the run itself looks after.
func (d runDir) clean() error {
	return atomicfile.Clean(string(d), func(name string) bool { return slices.Contains(d.files(), d.file(name)) })
}

// runOf returns the directory of a run that is given by that or by a checkpoint in it.
func runOf(path string) (runDir, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("no run to open: %w", err)
	case info.IsDir():
		return runDir(path), nil
	}
	return runDir(filepath.Dir(path)), nil
}

// findCheckpoint returns the latest whole checkpoint of the run in dir, which may also be a checkpoint itself. It tells of later ones that are
// damaged.
func findCheckpoint(c *console, dir string) (string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("no run to open: %w", err)
	}
	if !info.IsDir() {
		return dir, nil
	}
	path, damaged, err := train.Latest(dir)
	if err != nil {
		return "", err
	}
	for _, err := range damaged {
		c.note("%v; going back to %s", err, path)
	}
	return path, nil
}
