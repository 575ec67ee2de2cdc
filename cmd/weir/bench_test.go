package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tinyBench is a run of few cases that takes a moment.
var tinyBench = []string{
	"bench", "--backends", "cpu", "--workers", "1,2", "--size", "small", "--budget", "1ms", "--filter", "^(ops/(exp|add)/|matmul/float32/50x64x64$|mle/step)",
}

func TestBenchPrintsATableAndWritesFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	r := weir(append(tinyBench, "--json", at("a.json"), "--html", at("a.html"))...)
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `(?m)^ +cpu×1 +± +rate +share +cpu×2 +± +rate +share +to cpu×1$`, r.stdout)
	require.Regexp(t, `(?m)^  exp/float32/5x10x64 +\d\S* [nµm]s +\d+% +\S+ GB/s +(<1|\d+)% `, r.stdout)
	require.Regexp(t, `(?m)^  step/B4_T5_d2_h16_L1 `, r.stdout)
	require.Regexp(t, `^0 of 25: ops/exp/float32/5x10x64\n5 of 25: `, r.stderr)

	var report struct {
		Machine map[string]any   `json:"machine"`
		Results []map[string]any `json:"results"`
	}
	text, err := os.ReadFile(at("a.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &report))
	require.Positive(t, report.Machine["fma_gflops"])
	require.Positive(t, report.Machine["triad_gbps"])
	require.Len(t, report.Results, 10)
	for _, key := range []string{"name", "backend", "dtype", "median_ns", "min_ns", "allocs", "ceiling_share"} {
		require.Contains(t, report.Results[0], key)
	}
	page, err := os.ReadFile(at("a.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "<h3>Training step over B</h3>")

	again := weir(append(tinyBench, "--baseline", at("a.json"), "--peers", at("a.json"))...)
	require.Zero(t, again.code, again.stderr)
	require.Regexp(t, `10 cases compared with the baseline`, again.stdout)
}

func TestBenchPrintsForBenchstat(t *testing.T) {
	r := weir(append(tinyBench, "--format", "go")...)
	require.Zero(t, r.code, r.stderr)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	require.Regexp(t, `^goos: \w+$`, lines[0])
	require.GreaterOrEqual(t, len(lines), 4+10*5)
	require.Regexp(t, `^BenchmarkWeir/ops/exp/float32/5x10x64/backend=cpu/workers=1\t\d+\t\S+ ns/op\t\S+ MB/s\t\d+ B/op\t0 allocs/op$`, lines[4])
}

func TestAnInterruptedBenchPrintsWhatItHas(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	code := run(ctx, tinyBench, &stdout, cancelling{&stderr, "5 of 25", cancel})
	require.Equal(t, exitInterrupted, code)
	require.Contains(t, stdout.String(), "exp/float32/5x10x64")
	require.True(t, strings.HasSuffix(stderr.String(), "weir: interrupted\n"), stderr.String())
}

// cancelling cancels when a text is written.
type cancelling struct {
	*bytes.Buffer
	at     string
	cancel func()
}

func (c cancelling) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(c.at)) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

func TestBenchRefusesWhatCannotBeMeant(t *testing.T) {
	other := writeFile(t, "other.json", "{}")
	for _, c := range []struct {
		code int
		args []string
		want string
	}{
		{exitUsage, []string{"--filter", "("}, "weir: --filter: error parsing regexp: missing closing ): `(`\n"},
		{exitUsage, []string{"--dtype", "float31"}, "float31"},
		{exitUsage, []string{"--budget", "0s"}, "weir: a budget of 0s and 5 passes; want a time and at least 1\n"},
		{exitUsage, []string{"--workers", "0"}, "weir: --workers is 0; want at least 1\n"},
		{exitUsage, []string{"--size", "vast"}, `--size must be one of "usual","small","large"`},
		{exitFailure, []string{"--backends", "cpu", "--precision", "tf32"}, `weir: cpu: no precision "tf32"; products are exact here` + "\n"},
		{exitFailure, []string{"--backends", "cpu", "--matmul", "cublaslt"}, `weir: cpu: no matmul "cublaslt"; products are by its own kernels here` + "\n"},
		{exitFailure, []string{"--backends", "tpu"}, `weir: backend: unknown backend "tpu"; have `},
		{exitFailure, []string{"--suite", "speed"}, `weir: bench: no suite "speed"; want some of ops, matmul, memory, random, mle, sample` + "\n"},
		{exitFailure, []string{"--filter", "nothing at all"}, "weir: bench: no case of the suites "},
		{exitFailure, []string{"--baseline", other}, "weir: " + other + ": bench: the report has no results\n"},
		{exitFailure, []string{"--peers", other + "x"}, "no such file"},
	} {
		r := weir(append([]string{"bench"}, c.args...)...)
		require.Equal(t, c.code, r.code, c.args)
		require.Contains(t, r.stderr, c.want)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
	}
}
