package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how training goes.
type progress interface {
	// step is called after each step.
	step(m metric) error
	// end is called once, after the last.
	end()
}

// newProgress returns JSON lines on stdout, a bar if stderr is a terminal, or else plain lines on stderr. Steps first to last, both
// included, will be done.
func newProgress(c *console, asJSON bool, first, last int) progress {
	pace := pace{first: first, last: last, start: time.Now()}
	switch {
	case asJSON:
		return &jsonLines{pace: pace, out: c.out}
	case isTerminal(c.err):
		return newBar(pace, c.err)
	}
	return &plainLines{pace: pace, out: c.err}
}

// isTerminal reports whether w is a terminal that can move its cursor.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// pace measures speed and decides when to print.
type pace struct {
	first, last int
	start       time.Time
	printed     time.Time
}

// due reports whether to print after this step: the first, the last, and some at least interval apart.
func (p *pace) due(step int, interval time.Duration) bool {
	now := time.Now()
	if step != p.first && step != p.last && now.Sub(p.printed) < interval {
		return false
	}
	p.printed = now
	return true
}

// rate returns steps per second so far, and the time that those left will take.
func (p *pace) rate(step int) (perSecond float64, left time.Duration) {
	perStep := time.Since(p.start) / time.Duration(step-p.first+1)
	perStep = max(perStep, 1)
	return float64(time.Second) / float64(perStep), perStep * time.Duration(p.last-step)
}

// jsonLines prints {"step":…} lines, at most one a second.
type jsonLines struct {
	pace
	out io.Writer
}

func (j *jsonLines) step(m metric) error {
	if !j.due(m.Step, time.Second) {
		return nil
	}
	rate, _ := j.rate(m.Step)
	return writeJSON(j.out, struct {
		metric
		Steps int     `json:"steps"`
		Rate  float64 `json:"steps_per_second"`
	}{m, j.last, rate})
}

func (j *jsonLines) end() {}

// plainLines prints a line every few seconds. That nobody reads them is no reason to stop training.
type plainLines struct {
	pace
	out io.Writer
}

func (l *plainLines) step(m metric) error {
	if l.due(m.Step, 5*time.Second) {
		rate, left := l.rate(m.Step)
		fmt.Fprintf(l.out, "step %d/%d  loss %.3f  %.3g steps/s  %v left\n", m.Step, l.last, m.Loss, rate, left.Round(time.Second))
	}
	return nil
}

func (l *plainLines) end() {}

// bar is a progress bar.
type bar struct {
	pace
	bar *progressbar.ProgressBar
	out io.Writer
}

func newBar(p pace, w io.Writer) *bar {
	return &bar{p, progressbar.NewOptions(p.last-p.first+1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(16), // the line fits in 80 columns
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("steps"),
		progressbar.OptionSetPredictTime(true),
	), w}
}

func (b *bar) step(m metric) error {
	if b.due(m.Step, 100*time.Millisecond) {
		b.bar.Describe(fmt.Sprintf("step %d/%d  loss %.3f", m.Step, b.last, m.Loss))
		_ = b.bar.Set(m.Step - b.first + 1) // a terminal that is gone is no reason to stop training
	}
	return nil
}

func (b *bar) end() { fmt.Fprintln(b.out) }
