package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// quick is a run that shows that all of it works, and finds nothing.
var quick = config{device: "cpu", priorSteps: 2, steps: 2, batch: 4, lr: 1e-3, fromPrior: 0.5, exploration: 0.5, decay: "linear", samples: 20}

func TestRunPrintsProgressAndTables(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(context.Background(), &out, quick))
	require.Regexp(t, `^posterior: step    1 of 2: loss +[0-9.]+, log Z .*
posterior: step    2 of 2: loss +[0-9.]+, log Z .*

\S+ a step on cpu

the prior's samples, weighted by r
  log Z            0\.0000 learned, .* by importance weights; the true one is 0
  ESS              .* %
  modes            \d of 9, with [0-9.e-]+ of the samples
  shares of modes  off by at most 0\.\d+
  W2               [0-9.]+; [0-9.]+ between two sets of exact samples

the posterior's samples
  log Z            -?[0-9.]+ learned, .*
(.*
)+$`, out.String())
}

func TestAPriorIsOpened(t *testing.T) {
	device, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := device.NewStream()
	require.NoError(t, err)
	e, err := train.NewExperiment(s, train.Config{
		Target: "gmm25_prior", Process: diffusion.Process{NumSteps: 3}, Net: diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8, JointLayers: 1},
	})
	require.NoError(t, err)
	c := quick
	c.prior = filepath.Join(t.TempDir(), "prior.safetensors")
	require.NoError(t, e.Save(c.prior))
	prior, err := openPrior(context.Background(), io.Discard, s, c)
	require.NoError(t, err)
	want, err := e.Sampler.PF.Net.Out().Weight.Float64s()
	require.NoError(t, err)
	got, err := prior.PF.Net.Out().Weight.Float64s()
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.NoError(t, run(context.Background(), io.Discard, c))
}

func TestRunReturnsWhatIsWrong(t *testing.T) {
	for want, change := range map[string]func(*config){
		"abacus": func(c *config) { c.device = "abacus" },
		"absent": func(c *config) { c.prior = "absent.safetensors" },
		"relative trajectory balance: 0 steps; want at least 1":                             func(c *config) { c.steps = 0 },
		"relative trajectory balance: 1 samples to evaluate with; want at least 2":          func(c *config) { c.samples = 1 },
		"relative trajectory balance: a batch of 0 paths; want at least 1":                  func(c *config) { c.batch = 0 },
		"relative trajectory balance: 2 of the paths are the prior's; want a share, 0 to 1": func(c *config) { c.fromPrior = 2 },
		`exploration-decay is "odd"`:                                                        func(c *config) { c.decay = "odd" },
	} {
		c := quick
		change(&c)
		require.ErrorContains(t, run(context.Background(), io.Discard, c), want)
	}
	c := quick
	c.prior, c.decay = "absent.safetensors", "odd"
	require.ErrorContains(t, run(context.Background(), io.Discard, c), `"odd"`, "settings are checked before the prior is opened or trained")
	ended, end := context.WithCancel(context.Background())
	end()
	require.ErrorIs(t, run(ended, io.Discard, quick), context.Canceled)
}
