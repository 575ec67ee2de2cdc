package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

const tutorial = "../../gflownet/torchgfn/testdata/checkpoint.pt"

func TestImportMakesARunLikeAnyOther(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"import", tutorial, "--target", "gmm2", "--num-steps", "20", "--sigma", "4", "--pb-scale-range", "0.3", "--out", dir}
	r := weir(args...)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, tutorial+": step 400 of a sampler of gmm2 with 2373 parameters, in "+dir+"\n", r.stdout)

	r = weir(args...)
	require.Equal(t, exitFailure, r.code)
	require.Contains(t, r.stderr, "holds a run already")

	whole, short := weir("sample", "--from", dir, "--out", "-", "-n", "5"), weir("sample", "--from", dir, "--out", "-", "-n", "5", "--omit-last-step")
	require.Zero(t, whole.code, whole.stderr)
	require.Zero(t, short.code, short.stderr)
	require.Equal(t, 6, strings.Count(short.stdout, "\n"))
	require.NotEqual(t, whole.stdout, short.stdout)

	r = weir("train", "--resume", dir, "--steps", "402", "--eval-samples", "10")
	require.Zero(t, r.code, r.stderr)

	out, again := filepath.Join(t.TempDir(), "out.safetensors"), filepath.Join(t.TempDir(), "again")
	r = weir("export", "--from", dir, "--out", out)
	require.Zero(t, r.code, r.stderr)
	r = weir("import", out, "--target", "gmm2", "--out", again)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, weir("sample", "--from", dir, "--out", "-").stdout, weir("sample", "--from", again, "--out", "-").stdout)
}

// What torchgfn's files do not hold, how to train on, is said at the import: --resume keeps it.
func TestImportSaysHowToTrainOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := weir("import", tutorial, "--target", "gmm2", "--num-steps", "20", "--sigma", "4", "--pb-scale-range", "0.3", "--lr", "0.0025", "--batch", "7", "--out", dir)
	require.Zero(t, r.code, r.stderr)
	r = weir("train", "--resume", dir, "--steps", "401", "--eval-samples", "10")
	require.Zero(t, r.code, r.stderr)
	require.NoError(t, new(deviceFlags).on(func(s *tensor.Stream) error {
		e, _, err := openRun(&console{io.Discard, io.Discard}, s, dir, func(*train.Config) {})
		require.NoError(t, err)
		require.Equal(t, 0.0025, e.Config.LR)
		require.Equal(t, 7, e.Config.Batch)
		return nil
	}))
}

// Policies of a target that is not built in are of use without it.
func TestImportWithoutATarget(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := weir("import", tutorial, "--target", "none", "--num-steps", "20", "--sigma", "4", "--pb-scale-range", "0.3", "--out", dir)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, tutorial+": step 400 of a sampler in 2 dimensions with 2373 parameters, in "+dir+"\n", r.stdout)

	known := filepath.Join(t.TempDir(), "known")
	r = weir("import", tutorial, "--target", "gmm2", "--num-steps", "20", "--sigma", "4", "--pb-scale-range", "0.3", "--out", known)
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, weir("sample", "--from", known, "--out", "-").stdout, weir("sample", "--from", dir, "--out", "-").stdout)
	r = weir("export", "--from", dir, "--out", filepath.Join(t.TempDir(), "out.safetensors"))
	require.Zero(t, r.code, r.stderr)

	for _, args := range [][]string{{"eval", "--from", dir}, {"train", "--resume", dir, "--steps", "402"}} {
		r := weir(args...)
		require.Equal(t, exitFailure, r.code)
		require.Contains(t, r.stderr, "what these policies have learned is not known: they were imported without a target; they can sample")
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
	}
}

func TestImportsThatCannotBeAreOneLine(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no settings": {[]string{tutorial}, "the file says neither num-steps nor sigma"},
		"no file":     {[]string{"absent.pt"}, "torchgfn: torchpt: open absent.pt"},
		"target":      {[]string{tutorial, "--target", "gmm3", "--num-steps", "20", "--sigma", "4"}, "unknown target"},
		"dimension": {
			[]string{tutorial, "--target", "many_well", "--num-steps", "20", "--sigma", "4"},
			"the file's states have 2 coordinates, and those of target many_well 32; name its own, or none",
		},
		"sigma": {[]string{tutorial, "--num-steps", "20", "--sigma=-4"}, "sigma is -4"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			r := weir(append(append([]string{"import"}, c.args...), "--out", dir)...)
			require.Equal(t, exitFailure, r.code)
			require.Contains(t, r.stderr, c.want)
			require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
			require.NoDirExists(t, dir)
		})
	}
}

func TestPolicyFlagsReachTheRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	r := weir("train", "--target", "gmm2", "--steps", "2", "--batch", "4", "--num-steps", "4", "--hidden", "4", "--embed", "4", "--harmonics", "2",
		"--time-grid", "power:1.5", "--diagonal-variance", "--learn-pb", "mean+diagonal", "--pb-form", "multiplicative", "--pb-scale-range", "0.9",
		"--lr-pb", "1e-3", "--include-log-pb", "--exploration-std", "0.2", "--exploration-decay", "linear", "--eval-samples", "10", "--out", dir)
	require.Zero(t, r.code, r.stderr)
	r = weir("export", "--from", dir, "--out", filepath.Join(t.TempDir(), "out.safetensors"))
	require.Equal(t, exitFailure, r.code)
	require.Equal(t, "weir: torchgfn: the time grid is power:1.5; torchgfn 2.4.1 has only the uniform one\n", r.stderr)
	for _, bad := range [][]string{{"--time-grid", "power"}, {"--pb-form", "odd"}} {
		r := weir(append([]string{"train", "--target", "gmm2", "--out", dir + "2"}, bad...)...)
		require.Equal(t, exitUsage, r.code)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
	}
}
