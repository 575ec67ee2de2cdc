//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"github.com/weir-ml/weir/bench/machine"
)

// result is what the file holds.
type result struct {
	GPU     string        `json:"gpu"` // as the driver names it
	Driver  string        `json:"driver"`
	CUDA    string        `json:"cuda"` // the version that the driver knows
	Machine machine.Facts `json:"machine"`
	Weir    string        `json:"weir"`
	Python  string        `json:"python,omitempty"` // with its torch and torchgfn
	SMI     []string      `json:"nvidia_smi,omitempty"`
	Small   bool          `json:"small,omitempty"` // no number in it counts
	Seconds float64       `json:"seconds"`
	Steps   []outcome     `json:"steps"`
}

// outcome is what a step did.
type outcome struct {
	Name     string  `json:"name"`
	Required bool    `json:"required"`
	Status   status  `json:"status"`
	Why      string  `json:"why,omitempty"`
	Command  string  `json:"command"`
	Seconds  float64 `json:"seconds"`

	Says      string            `json:"says,omitempty"` // what it had to print
	SaidAfter float64           `json:"said_after_seconds,omitempty"`
	Measured  []json.RawMessage `json:"measured,omitempty"` // the lines of JSON that it printed
	Report    json.RawMessage   `json:"report,omitempty"`   // the file that it wrote
	Tail      string            `json:"tail,omitempty"`     // the end of what it printed
}

// status is how a step ended.
type status string

const (
	passed    status = "passed"
	failed    status = "failed"
	timedOut  status = "timed out"
	absent    status = "absent"      // what it runs is not installed
	outOfTime status = "out of time" // all time was used up before
)

// queried are what nvidia-smi is asked for.
var queried = []string{"name", "driver_version", "compute_cap", "memory.total", "power.limit", "clocks.max.sm", "clocks.max.mem", "ecc.mode.current"}

// aboutPeers prints the versions of Python and of what the peers import.
const aboutPeers = `
import platform, importlib.metadata as m
print(platform.python_version(), *(f"{p} {m.version(p)}" for p in ("torch", "torchgfn") if any(m.distributions(name=p))))`

var (
	cudaLine   = regexp.MustCompile(`(?m)^cuda +(.+?), CUDA (\S+) `)
	kernelLine = regexp.MustCompile(`(?m)Kernel Module .*?(\d+\.\d+(?:\.\d+)?) `)
)

// describe finds out what the numbers hold for. What is not found is empty or "unknown".
func describe(ctx context.Context, r *runner, o options) *result {
	said := func(name string, args ...string) string {
		c := exec.CommandContext(ctx, name, args...)
		c.Env = r.environment
		out, err := c.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	found := &result{GPU: "no GPU", Driver: "unknown", CUDA: "unknown", Machine: machine.Describe(), Small: o.small}
	found.Weir = said(r.path("weir"), "version")
	found.Python = said(o.python, "-c", aboutPeers)
	if m := cudaLine.FindStringSubmatch(said(r.path("weir"), "backends")); m != nil {
		found.GPU, found.CUDA = m[1], m[2]
	}
	if smi := said("nvidia-smi", "--query-gpu="+strings.Join(queried, ","), "--format=csv"); smi != "" {
		found.SMI = strings.Split(smi, "\n")
		if fields := strings.Split(found.SMI[len(found.SMI)-1], ", "); len(fields) == len(queried) {
			found.Driver = fields[1]
		}
	} else if m := kernelLine.FindStringSubmatch(said("cat", "/proc/driver/nvidia/version")); m != nil {
		found.Driver = m[1]
	}
	return found
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// fileName returns the name of a file of results, like nvidia-h200-2027-01-31.json.
func (r *result) fileName() string {
	gpu := notInNames.ReplaceAllString(strings.ToLower(r.GPU), "-")
	return fmt.Sprintf("%s-%s.json", strings.Trim(gpu, "-"), r.Machine.Date.Format("2006-01-02"))
}

// err returns an error that names the required steps that did not pass.
func (r *result) err() error {
	var names []string
	for _, s := range r.Steps {
		if s.Required && s.Status != passed {
			names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Status))
		}
	}
	if names == nil {
		return nil
	}
	return fmt.Errorf("required and not passed: %s", strings.Join(names, ", "))
}

// jsonLines returns the lines of a text that are JSON objects.
func jsonLines(text []byte) (lines []json.RawMessage) {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); bytes.HasPrefix(line, []byte("{")) && json.Valid(line) {
			lines = append(lines, json.RawMessage(line))
		}
	}
	return lines
}
