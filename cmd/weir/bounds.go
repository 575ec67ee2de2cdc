package main

import (
	"github.com/weir-ml/weir/cmd/weir/plot"
	"github.com/weir-ml/weir/train"
)

// boundsLog keeps the held-out bounds of a run and their file.
type boundsLog struct {
	path string
	past []train.Bound
}

// readBounds returns the lines of a file up to a step: later ones are of steps that no checkpoint has.
func readBounds(path string, step int) ([]train.Bound, error) {
	return readLines(path, func(b train.Bound) bool { return b.Step <= step })
}

// add writes the file anew: it is short, and so it is always whole.
func (l *boundsLog) add(b train.Bound) error {
	l.past = append(l.past, b)
	return writeLines(l.path, l.past)
}

// curve returns the bounds for a plot.
func (l *boundsLog) curve() (c plot.Curve, errors []float64) {
	for _, b := range l.past {
		c.Steps = append(c.Steps, b.Step)
		c.Losses = append(c.Losses, b.Bound.Value)
		errors = append(errors, b.Bound.SE)
	}
	return c, errors
}
