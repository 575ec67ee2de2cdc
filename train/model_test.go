package train_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio/safetensors"
	"github.com/weir-ml/weir/train"
)

func tinyConfig() train.Config {
	return train.Config{
		Steps: 3, Batch: 4, Process: diffusion.Process{NumSteps: 3},
		Net: diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8, JointLayers: 1},
	}
}

func TestModelDrawsWhatItsRunDraws(t *testing.T) {
	s := testdevice.Stream(t, 1)
	c := tinyConfig()
	c.LearnVariance, c.LearnPB = true, train.LearnPBMeanVariance
	e, err := train.NewExperiment(s, c)
	require.NoError(t, err)
	require.NoError(t, stepTo(e, 3))
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	require.NoError(t, e.Save(path))

	m, err := train.OpenModel(s, path)
	require.NoError(t, err)
	require.Equal(t, e.Config, m.Config)
	require.Equal(t, []string{"x1", "x2"}, m.Columns)
	draw := func(m *train.Model) []float64 {
		rows, err := m.Draw(t.Context(), tensor.NewRNG(s, 7), 10, 4)
		require.NoError(t, err)
		require.Len(t, rows, 20)
		return rows
	}
	require.Equal(t, draw(e.Model()), draw(m))
}

func TestAFrozenModelDrawsOnAnyStream(t *testing.T) {
	dev, _ := testdevice.Metered(t, "cpu", backend.Options{})
	home, other := testdevice.StreamOf(t, dev), testdevice.StreamOf(t, dev)
	c := tinyConfig()
	c.LearnPB = train.LearnPBMean
	e, err := train.NewExperiment(home, c)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	require.NoError(t, e.Save(path))
	m, err := train.OpenModel(home, path)
	require.NoError(t, err)
	want, err := m.Draw(t.Context(), tensor.NewRNG(home, 7), 10, 4)
	require.NoError(t, err)
	_, err = m.Draw(t.Context(), tensor.NewRNG(other, 7), 10, 4)
	require.Error(t, err, "weights belong to their stream")
	require.NoError(t, m.Freeze())
	got, err := m.Draw(t.Context(), tensor.NewRNG(other, 7), 10, 4)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestAModelIsNotMadeLargerThanItsFile(t *testing.T) {
	s := testdevice.Stream(t, 1)
	e, err := train.NewExperiment(s, tinyConfig())
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	require.NoError(t, e.Save(path))
	f, err := safetensors.Open(path)
	require.NoError(t, err)
	f.Metadata["weir.config"] = strings.Replace(f.Metadata["weir.config"], `"joint_layers":1`, `"joint_layers":1000`, 1)
	require.NoError(t, safetensors.WriteFile(path, f))
	_, err = train.OpenModel(s, path)
	require.ErrorContains(t, err, path+": diffusion: a network of ")
	require.ErrorContains(t, err, " weights; there are ")
}

func TestLogDensityIsNormalised(t *testing.T) {
	e, err := train.NewExperiment(testdevice.Stream(t, 1), tinyConfig())
	require.NoError(t, err)
	const side, cells = 30.0, 300
	points := make([]float64, 0, 2*cells*cells)
	for i := range cells {
		for j := range cells {
			points = append(points, side*((float64(i)+0.5)/cells-0.5), side*((float64(j)+0.5)/cells-0.5))
		}
	}
	logs, err := e.LogDensity(points)
	require.NoError(t, err)
	total := 0.0
	for _, l := range logs {
		total += math.Exp(l) * side / cells * side / cells
	}
	require.InDelta(t, 1, total, 1e-9)
}

func TestCheckRefusesWhatDefaultsWouldReplace(t *testing.T) {
	complete := train.Config{}.WithDefaults()
	require.NoError(t, complete.Check())
	for name, spoil := range map[string]func(c *train.Config){
		"steps":          func(c *train.Config) { c.Steps = 0 },
		"batch":          func(c *train.Config) { c.Batch = 0 },
		"num-steps":      func(c *train.Config) { c.Process.NumSteps = 0 },
		"sigma":          func(c *train.Config) { c.Process.Sigma = 0 },
		"t-scale":        func(c *train.Config) { c.Process.TScale = math.NaN() },
		"hidden":         func(c *train.Config) { c.Net.Hidden = 0 },
		"harmonics":      func(c *train.Config) { c.Net.Harmonics = -1 },
		"pb-scale-range": func(c *train.Config) { c.PBScaleRange = 0 },
		"lr":             func(c *train.Config) { c.LR = math.Inf(1) },
		"dtype":          func(c *train.Config) { c.DType.DType = backend.Float16 },
	} {
		c := complete
		spoil(&c)
		require.ErrorContains(t, c.Check(), name+" is ")
	}
}
