package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/weir-ml/weir/cmd/weir/plot"
	"github.com/weir-ml/weir/train"
)

// metric is a line of metrics.jsonl.
type metric struct {
	Step    int     `json:"step"`
	Loss    float64 `json:"loss"`
	Norm    float64 `json:"grad_norm"` // of the gradients, before clipping
	Seconds float64 `json:"seconds"`   // of training so far, interruptions left out
}

// metricsLog appends the metrics of a run to its file. It does not keep them: a run may last millions of steps.
type metricsLog struct {
	last    metric // zero before the first
	file    *os.File
	buffer  *bufio.Writer
	start   time.Time
	before  float64 // seconds of training until start
	flushed time.Time
}

// readMetrics returns the lines of a file up to a step. Later ones were written after the checkpoint and are done again.
func readMetrics(path string, step int) ([]metric, error) {
	return readLines(path, func(m metric) bool { return m.Step <= step })
}

// createMetrics writes past to a new file, or over the run's own one, and opens it to append.
func createMetrics(path string, past []metric) (*metricsLog, error) {
	if err := writeLines(path, past); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	log := &metricsLog{file: f, buffer: bufio.NewWriter(f), start: time.Now()}
	if len(past) > 0 {
		log.last = past[len(past)-1]
		log.before = log.last.Seconds
	}
	return log, nil
}

// add appends a step. It reaches the file within about a second of steps.
func (l *metricsLog) add(p train.Progress) (metric, error) {
	now := time.Now()
	m := metric{Step: p.Step, Loss: p.Loss, Norm: p.GradNorm, Seconds: l.before + now.Sub(l.start).Seconds()}
	l.last = m
	if err := writeJSON(l.buffer, m); err != nil {
		return m, err
	}
	if now.Sub(l.flushed) < time.Second {
		return m, nil
	}
	l.flushed = now
	return m, l.buffer.Flush()
}

// flush writes what is buffered: the steps before a checkpoint must not be lost where it is kept.
func (l *metricsLog) flush() error {
	if err := l.buffer.Flush(); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// curve returns the losses for a plot, from the file.
func (l *metricsLog) curve() (plot.Curve, error) {
	var c plot.Curve
	if err := l.flush(); err != nil {
		return c, err
	}
	past, err := readMetrics(l.file.Name(), l.last.Step)
	for _, m := range past {
		c.Steps = append(c.Steps, m.Step)
		c.Losses = append(c.Losses, m.Loss)
	}
	return c, err
}

// close writes what is buffered and closes the file.
func (l *metricsLog) close() error { return errors.Join(l.buffer.Flush(), l.file.Close()) }
