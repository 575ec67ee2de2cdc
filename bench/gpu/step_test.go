//go:build linux

package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shell is a step that a shell runs.
func shell(name, script string) step {
	return step{name: name, required: true, limit: time.Minute, command: []string{"sh", "-c", script}}
}

func TestStepsEndAsTheyDo(t *testing.T) {
	report := filepath.Join(t.TempDir(), "report.json")
	for _, c := range []struct {
		name   string
		change func(*step)
		script string
		want   status
		why    string
	}{
		{name: "well", script: "echo well", want: passed},
		{name: "with an error", script: "echo why; exit 3", want: failed, why: "exit status 3"},
		{name: "too late", script: "sleep 60", change: func(s *step) { s.limit = 50 * time.Millisecond }, want: timedOut, why: "ran for 0s"},
		{name: "leaving a process behind", script: "sleep 60 & echo left", change: func(s *step) { s.limit = 50 * time.Millisecond }, want: timedOut, why: "ran for 0s"},
		{name: "not installed", change: func(s *step) { s.needs = []string{"no-such-command", "-c"} }, want: absent, why: "no-such-command -c: "},
		{name: "without saying it", script: "echo passed", change: func(s *step) { s.says = "PASS" }, want: failed, why: "it did not say PASS"},
		{name: "saying it in two parts", script: "printf PA; sleep 0.05; echo SS", change: func(s *step) { s.says = "PASS" }, want: passed},
		{name: "without its report", script: "true", change: func(s *step) { s.report = report }, want: failed, why: "no such file"},
		{name: "with a broken report", script: "echo { >" + report, change: func(s *step) { s.report = report }, want: failed, why: "is no JSON"},
		{name: "with a report", script: "echo [1] >" + report, change: func(s *step) { s.report = report }, want: passed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shell(c.name, c.script)
			if c.change != nil {
				c.change(&s)
			}
			r := runner{stdout: &bytes.Buffer{}, deadline: time.Now().Add(time.Minute), installed: map[string]string{}}
			start := time.Now()
			o := r.run(t.Context(), s)
			require.Equal(t, c.want, o.Status, o.Why)
			require.Contains(t, o.Why, c.why)
			require.Less(t, time.Since(start), 20*time.Second)
			if c.want == passed && s.says != "" {
				require.Positive(t, o.SaidAfter)
			}
			if c.want == passed && s.report != "" {
				require.JSONEq(t, "[1]", string(o.Report))
			}
		})
	}
}

// A step that fails does not stop the others, and when time is up they say so.
func TestAFailureIsOneStepsOwn(t *testing.T) {
	var printed bytes.Buffer
	r := runner{stdout: &printed, deadline: time.Now().Add(time.Minute), installed: map[string]string{}}
	found := &result{}
	for _, s := range []step{shell("first", "echo something went wrong; false"), shell("second", `echo '{"value": 1}'; echo rest`)} {
		found.Steps = append(found.Steps, r.run(t.Context(), s))
	}
	r.deadline = time.Now()
	found.Steps = append(found.Steps, r.run(t.Context(), shell("third", "true")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.deadline = time.Now().Add(time.Minute)
	fourth := shell("fourth", "true")
	fourth.required = false
	found.Steps = append(found.Steps, r.run(ctx, fourth))

	require.EqualError(t, found.err(), "required and not passed: first (failed), third (out of time)")
	require.Equal(t, "something went wrong\n", found.Steps[0].Tail)
	require.Len(t, found.Steps[1].Measured, 1)
	require.JSONEq(t, `{"value": 1}`, string(found.Steps[1].Measured[0]))
	require.Equal(t, "interrupted", found.Steps[3].Why)
	require.Regexp(t, `(?m)^failed +\d+\.\d s  first: exit status 1\nsomething went wrong\npassed `, printed.String())
}

func TestOutputKeepsItsEnd(t *testing.T) {
	o := &output{}
	for range 3 {
		_, err := o.Write([]byte(strings.Repeat("x", tailBytes-1) + "é"))
		require.NoError(t, err)
	}
	require.Len(t, o.tail(), tailBytes)
	require.True(t, strings.HasSuffix(o.tail(), "é"))
}

func TestFilesAreNamedByGPUAndDate(t *testing.T) {
	r := &result{GPU: "NVIDIA H200 (MIG 1g)"}
	r.Machine.Date = time.Date(2027, 1, 31, 23, 0, 0, 0, time.UTC)
	require.Equal(t, "nvidia-h200-mig-1g-2027-01-31.json", r.fileName())
}

func TestMisuseIsSaidInALine(t *testing.T) {
	_, err := parse([]string{"-limit", "0s"})
	require.EqualError(t, err, "arguments [] and a limit of 0s; want none and a positive one")
	_, err = parse([]string{"rest"})
	require.EqualError(t, err, `arguments ["rest"] and a limit of 9m0s; want none and a positive one`)
}
