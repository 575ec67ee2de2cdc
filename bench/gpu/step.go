//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// step is a process to run.
type step struct {
	name     string
	required bool
	limit    time.Duration
	needs    []string // a command that fails where what the step runs is not installed; none if it is in the bundle
	folder   string   // of the bundle, to run in
	command  []string // one with a slash is in that folder
	report   string   // a file of JSON that it writes
	says     string   // what it has to print; the time until then is kept
	settings []string // of its environment
}

// runner runs steps one after the other.
type runner struct {
	bundle, scratch string
	stdout          io.Writer
	environment     []string
	deadline        time.Time
	installed       map[string]string // by what a step needs: why it is not there, or ""
}

// path returns where something in the bundle is.
func (r *runner) path(name string) string { return filepath.Join(r.bundle, name) }

// run runs a step and prints how that went.
func (r *runner) run(ctx context.Context, s step) outcome {
	start := time.Now()
	o := outcome{Name: s.name, Required: s.required, Command: strings.Join(s.command, " ")}
	left := time.Until(r.deadline)
	switch why := r.missing(ctx, s); {
	case ctx.Err() != nil:
		o.Status, o.Why = outOfTime, "interrupted"
	case left <= 0:
		o.Status, o.Why = outOfTime, "the time of all steps is used up"
	case why != "":
		o.Status, o.Why = absent, why
	default:
		r.execute(ctx, s, min(s.limit, left), &o)
	}
	o.Seconds = time.Since(start).Seconds()
	fmt.Fprintf(r.stdout, "%-11s %6.1f s  %s", o.Status, o.Seconds, o.Name)
	if o.Why != "" {
		fmt.Fprintf(r.stdout, ": %s", o.Why)
	}
	fmt.Fprintln(r.stdout)
	if o.Status == failed || o.Status == timedOut {
		fmt.Fprintln(r.stdout, lastLines(o.Tail, 12))
	}
	return o
}

// missing returns why a step cannot run here, or "".
func (r *runner) missing(ctx context.Context, s step) string {
	if s.needs == nil {
		return ""
	}
	key := strings.Join(s.needs, " ")
	why, known := r.installed[key]
	if !known {
		why = r.fails(ctx, s.needs)
		r.installed[key] = why
	}
	return why
}

func (r *runner) fails(ctx context.Context, command []string) string {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // a first import of torch takes its time
	defer cancel()
	if err := exec.CommandContext(ctx, command[0], command[1:]...).Run(); err != nil {
		return fmt.Sprintf("%s: %v", strings.Join(command, " "), err)
	}
	return ""
}

// execute runs the process, with all that it starts, until its end or the limit.
func (r *runner) execute(ctx context.Context, s step, limit time.Duration, o *outcome) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	name := s.command[0]
	if strings.Contains(name, "/") {
		name = r.path(filepath.Join(s.folder, name))
	}
	c := exec.CommandContext(ctx, name, s.command[1:]...)
	c.Dir, c.Env = r.path(s.folder), append(slices.Clone(r.environment), s.settings...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) } // weir then writes what it has
	c.WaitDelay = 5 * time.Second
	out := &output{start: time.Now(), wanted: []byte(s.says)}
	c.Stdout, c.Stderr = out, out
	err := c.Run()
	if c.Process != nil {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // what it started and left behind, if anything
	}
	o.Status, o.Says, o.SaidAfter, o.Tail = passed, s.says, out.said.Seconds(), out.tail()
	o.Measured = jsonLines(out.text.Bytes())
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		o.Status, o.Why = timedOut, fmt.Sprintf("ran for %v", limit.Round(time.Second))
	case err != nil:
		o.Status, o.Why = failed, err.Error()
	case s.says != "" && out.said == 0:
		o.Status, o.Why = failed, "it did not say "+s.says
	}
	if s.report == "" {
		return
	}
	text, err := os.ReadFile(s.report)
	if err == nil && !json.Valid(text) {
		err = fmt.Errorf("%s is no JSON", s.report)
	}
	if err != nil && o.Status == passed {
		o.Status, o.Why = failed, err.Error()
	}
	if err == nil {
		o.Report = text
	}
}

// output keeps what a process prints, and when it had printed what is wanted.
type output struct {
	mu     sync.Mutex
	text   bytes.Buffer
	start  time.Time
	wanted []byte
	said   time.Duration
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := max(0, o.text.Len()-len(o.wanted))
	n, err := o.text.Write(p)
	if o.said == 0 && len(o.wanted) > 0 && bytes.Contains(o.text.Bytes()[before:], o.wanted) {
		o.said = time.Since(o.start)
	}
	return n, err
}

// tailBytes is how much of a process's output the result keeps.
const tailBytes = 8 << 10

func (o *output) tail() string {
	text := o.text.Bytes()
	return strings.ToValidUTF8(string(text[max(0, len(text)-tailBytes):]), "")
}

// lastLines returns at most n lines from the end of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
