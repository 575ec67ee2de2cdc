package train_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/train"
)

func TestDefaults(t *testing.T) {
	c := train.Config{}.WithDefaults()
	require.Equal(t, train.DefaultTarget, c.Target)
	require.Equal(t, math.Sqrt(20), c.Process.Sigma)
	require.Equal(t, backend.Float32, c.DType.DType)
	require.NoError(t, c.Check())
	require.Equal(t, c, c.WithDefaults())

	fromData := train.Config{Data: "x.csv"}.WithDefaults()
	require.Empty(t, fromData.Target)
	require.Equal(t, 1.0, fromData.Process.Sigma)
}

func TestConfigSurvivesJSON(t *testing.T) {
	c := train.Config{
		Target: "gmm2", LearnPB: train.LearnPBMeanDiagonal, Seed: math.MaxUint64, Process: diffusion.Process{Grid: diffusion.PowerGrid(1.5)},
		DiagonalVariance: true, Scaled: true, Clip: 10, LogVarRange: 2, PBForm: diffusion.Multiplicative, LRPB: 1e-4, Exploration: 1, ExplorationDecay: "cosine",
	}.WithDefaults()
	require.NoError(t, c.Check())
	text, err := json.Marshal(c)
	require.NoError(t, err)
	var again train.Config
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, c, again)
}

func TestCheckNamesTheSetting(t *testing.T) {
	for _, c := range []struct {
		change func(c *train.Config)
		want   string
	}{
		{func(c *train.Config) { c.Data = "x.csv" }, "train: both a target (gmm25_prior) and data (x.csv) are given; want one"},
		{func(c *train.Config) { c.Target = "" }, "train: neither a target nor data is given"},
		{func(c *train.Config) { c.Columns = []string{"x"} }, "train: columns are picked from data, not from target gmm25_prior"},
		{func(c *train.Config) { c.Steps = -1 }, "train: steps is -1; want 1 to 2147483647"},
		{func(c *train.Config) { c.Batch = 1 << 25 }, "train: batch is 33554432; want 1 to 16777216"},
		{func(c *train.Config) { c.LearnPB = "all" }, `train: learn-pb is "all"; want "mean", "mean+variance" or "mean+diagonal"`},
		{func(c *train.Config) { c.Exploration = math.NaN() }, "train: exploration-std is NaN; want 0 or a positive number"},
		{func(c *train.Config) { c.LR = math.Inf(1) }, "train: lr is +Inf; want a positive number"},
		{func(c *train.Config) { c.LRPB = 1 }, "train: lr-pb is 1, but the backward policy is the fixed bridge; set learn-pb too"},
		{
			func(c *train.Config) { c.LearnPB, c.LRPB = train.LearnPBMean, -1 },
			"train: lr-pb is -1; want a positive number, or 0 for that of lr",
		},
		{
			func(c *train.Config) { c.PBForm = diffusion.Multiplicative },
			"train: pb-form is multiplicative, but the backward policy is the fixed bridge; set learn-pb too",
		},
		{
			func(c *train.Config) { c.ExplorationDecay = "linear" },
			`train: exploration-decay is "linear", but there is no exploration; set exploration-std too`,
		},
		{func(c *train.Config) { c.LogVarRange = -1 }, "train: log-var-range is -1; want a positive number"},
		{func(c *train.Config) { c.Process.Sigma = -1 }, "diffusion: sigma is -1; want a positive number"},
	} {
		config := train.Config{}.WithDefaults()
		c.change(&config)
		require.EqualError(t, config.Check(), c.want)
	}
}

func TestUnknownTargetsAndFilesAreErrors(t *testing.T) {
	c := smallRun()
	c.Target = "gmm3"
	_, err := train.NewExperiment(testdevice.Stream(t, 1), c)
	require.ErrorContains(t, err, `unknown target "gmm3"`)
	c.Target, c.Data = "", "absent.csv"
	_, err = train.NewExperiment(testdevice.Stream(t, 1), c)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "absent.csv")
}
