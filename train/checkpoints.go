package train

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

// BestName is the name of the file, in a run's directory, with the weights of the best bound.
const BestName = "best.safetensors"

const (
	checkpointStart = "checkpoint-"
	checkpointEnd   = ".safetensors"
)

// CheckpointName returns the name of a step's checkpoint in a run's directory.
func CheckpointName(step int) string {
	return fmt.Sprintf("%s%08d%s", checkpointStart, step, checkpointEnd)
}

// checkpointStep returns the step that a name says; false if it is not a checkpoint's.
func checkpointStep(name string) (int, bool) {
	digits, begins := strings.CutPrefix(name, checkpointStart)
	digits, ends := strings.CutSuffix(digits, checkpointEnd)
	step, err := strconv.Atoi(digits)
	return step, begins && ends && err == nil && name == CheckpointName(step)
}

// Checkpoints returns the paths of the checkpoints in a run's directory, the latest first. [BestName] is not among them.
// A directory that cannot be read is an error.
func Checkpoints(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("train: checkpoints: %w", err)
	}
	var steps []int
	for _, entry := range entries {
		if step, ok := checkpointStep(entry.Name()); ok {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	slices.Reverse(steps)
	paths := make([]string, len(steps))
	for i, step := range steps {
		paths[i] = filepath.Join(dir, CheckpointName(step))
	}
	return paths, nil
}

// Latest returns the latest checkpoint in a run's directory that is whole. damaged are the errors of later ones that are not: a file system that
// loses what it has confirmed can leave such. If there is none, the error is that of the latest, or one that wraps fs.ErrNotExist.
func Latest(dir string) (path string, damaged []error, err error) {
	paths, err := Checkpoints(dir)
	if err != nil {
		return "", nil, err
	}
	for _, path := range paths {
		err := checkWhole(path)
		if err == nil {
			return path, damaged, nil
		}
		damaged = append(damaged, err)
	}
	if len(damaged) > 0 {
		return "", nil, damaged[0]
	}
	return "", nil, fmt.Errorf("train: %s holds no checkpoint: %w; want the directory of a run", dir, fs.ErrNotExist)
}

func checkWhole(path string) error {
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	_, _, err = readConfig(path, f)
	return err
}

// keeper keeps the checkpoints of a run in a directory.
type keeper struct {
	dir   string
	keep  int
	saved string   // path of the latest, empty if there is none
	best  *float64 // the bound of the file with the best
}

// openKeeper takes over a directory: it removes what a killed process has left half written, and reads how good the best is. from is the checkpoint
// that the run was continued from, if any.
func openKeeper(dir string, keep int, from string) (*keeper, error) {
	isOurs := func(name string) bool {
		_, ok := checkpointStep(name)
		return ok || name == BestName
	}
	if err := atomicfile.Clean(dir, isOurs); err != nil {
		return nil, fmt.Errorf("train: checkpoints: %w", err)
	}
	k := &keeper{dir: dir, keep: keep, saved: from}
	f, err := safetensors.Open(filepath.Join(dir, BestName))
	if err != nil {
		return k, nil // there is none, or it is damaged: the next estimate replaces it
	}
	if b, err := readBound(f); err == nil && b != nil {
		k.best = &b.Bound.Value
	}
	return k, nil
}

// save writes the run's checkpoint, and then removes those that are too many.
func (k *keeper) save(e *Experiment) error {
	path := filepath.Join(k.dir, CheckpointName(e.Trainer.Step))
	if path == k.saved {
		return nil
	}
	if err := e.Save(path); err != nil {
		return k.explain(err)
	}
	k.saved = path
	if err := k.prune(e.Trainer.Step); err != nil {
		return k.explain(err)
	}
	return nil
}

// prune removes all but the latest checkpoints up to a step.
func (k *keeper) prune(step int) error {
	paths, err := Checkpoints(k.dir)
	if err != nil {
		return err
	}
	kept := 0
	for _, path := range paths {
		if at, _ := checkpointStep(filepath.Base(path)); at > step {
			continue
		}
		if kept++; kept <= k.keep {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("train: checkpoints: %w", err)
		}
	}
	return nil
}

// saveBest writes the run to BestName if its bound is better than that of the file.
func (k *keeper) saveBest(e *Experiment, b Bound) error {
	if !finite(b.Bound.Value) || k.best != nil && b.Bound.Value >= *k.best {
		return nil
	}
	if err := e.save(filepath.Join(k.dir, BestName), &b); err != nil {
		return k.explain(err)
	}
	k.best = &b.Bound.Value
	return nil
}

// vanished reports whether somebody has taken the directory away.
func (k *keeper) vanished() bool {
	_, err := os.Stat(k.dir)
	return errors.Is(err, fs.ErrNotExist)
}

// explain adds to the error of a run that fails what is left of it.
func (k *keeper) explain(err error) error {
	if k.vanished() {
		return fmt.Errorf("the run's directory has vanished: %w", err)
	}
	if k.saved == "" {
		return fmt.Errorf("%w; no checkpoint has been saved yet", err)
	}
	return fmt.Errorf("%w; the last good checkpoint is %s", err, k.saved)
}
