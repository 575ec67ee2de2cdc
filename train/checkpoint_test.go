package train_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
	"github.com/weir-ml/weir/train"
)

var small = diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8, JointLayers: 1}

// smallRun is a Config of little work.
func smallRun() train.Config {
	return train.Config{
		Target: "gmm2", Batch: 8, Net: small, Seed: 3, LR: 1e-2,
		Process: diffusion.Process{NumSteps: 4},
	}
}

func newRun(t *testing.T, c train.Config) *train.Experiment {
	t.Helper()
	e, err := train.NewExperiment(testdevice.Stream(t, 1), c)
	require.NoError(t, err)
	return e
}

func TestARunContinuedIsTheRunUninterrupted(t *testing.T) {
	learned := smallRun()
	learned.LearnVariance, learned.LearnPB, learned.DType.DType = true, train.LearnPBMeanVariance, backend.Float64
	refined := learned
	refined.DiagonalVariance, refined.LearnPB, refined.PBForm, refined.LRPB = true, train.LearnPBMeanDiagonal, diffusion.Multiplicative, 1e-3
	refined.Process.Grid, refined.Exploration, refined.ExplorationDecay = diffusion.CosineGrid(), 0.5, "linear:7"
	fromData := smallRun()
	fromData.Target, fromData.Data = "", writeCSV(t, points)
	for name, config := range map[string]train.Config{"target": smallRun(), "learned": learned, "refined": refined, "data": fromData} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "run.safetensors")
			whole := newRun(t, config)
			require.NoError(t, stepTo(whole, 3))
			require.NoError(t, whole.Save(path))
			require.NoError(t, stepTo(whole, 7))

			again, err := train.OpenExperiment(testdevice.Stream(t, 2), path, nil)
			require.NoError(t, err)
			require.Equal(t, 3, again.Trainer.Step)
			require.Equal(t, whole.Config, again.Config)
			require.NoError(t, stepTo(again, 7))
			require.Equal(t, weights(t, whole), weights(t, again))

			// The random state too: both save the same file.
			second, third := path+".2", path+".3"
			require.NoError(t, whole.Save(second))
			require.NoError(t, again.Save(third))
			a, err := os.ReadFile(second)
			require.NoError(t, err)
			b, err := os.ReadFile(third)
			require.NoError(t, err)
			require.Equal(t, a, b)
		})
	}
}

func TestAdjustedSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.safetensors")
	require.NoError(t, newRun(t, smallRun()).Save(path))
	e, err := train.OpenExperiment(testdevice.Stream(t, 1), path, func(c *train.Config) { c.Steps = 5 })
	require.NoError(t, err)
	require.Equal(t, 5, e.Config.Steps)

	for name, change := range map[string]func(c *train.Config){
		"sigma":  func(c *train.Config) { c.Process.Sigma = 9 },
		"hidden": func(c *train.Config) { c.Net.Hidden = 9 },
		"policy": func(c *train.Config) { c.LearnPB = train.LearnPBMean },
		"grid":   func(c *train.Config) { c.Process.Grid = diffusion.CosineGrid() },
		"dtype":  func(c *train.Config) { c.DType.DType = backend.Float64 },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := train.OpenExperiment(testdevice.Stream(t, 1), path, change)
			require.ErrorContains(t, err, path+": its policies are {")
			require.ErrorContains(t, err, "; they cannot become {")
		})
	}
}

func TestCheckpointsThatAreNone(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good.safetensors")
	require.NoError(t, newRun(t, smallRun()).Save(good))
	whole, err := os.ReadFile(good)
	require.NoError(t, err)
	const weight = "param.pf.module.s_model.s_model.weight"
	edit := func(change func(f *safetensors.File)) func(path string) error {
		return func(path string) error {
			f, err := safetensors.Open(good)
			if err != nil {
				return err
			}
			change(f)
			return safetensors.WriteFile(path, f)
		}
	}
	find := func(f *safetensors.File) *tensorio.Entry {
		for i := range f.Entries {
			if f.Entries[i].Name == weight {
				return &f.Entries[i]
			}
		}
		return nil
	}
	for _, c := range []struct {
		name  string
		write func(path string) error
		want  string // after the path
	}{
		{"truncated", func(path string) error { return os.WriteFile(path, whole[:len(whole)-1], 0o600) }, `tensor "optim.exp_avg_sq.pf.module.joint_model.model.3.bias"`},
		{"cut in the header", func(path string) error { return os.WriteFile(path, whole[:100], 0o600) }, "header"},
		{"empty", func(path string) error { return os.WriteFile(path, nil, 0o600) }, "0 bytes"},
		{"text", func(path string) error { return os.WriteFile(path, []byte("step,loss\n1,2\n3,4\n"), 0o600) }, "header"},
		{
			"another's tensors",
			func(path string) error {
				entry := tensorio.Entry{Name: "w", DType: backend.Float32, Shape: []int{1}, Data: make([]byte, 4)}
				return safetensors.WriteFile(path, &safetensors.File{Entries: []tensorio.Entry{entry}})
			},
			"not a checkpoint of ",
		},
		{
			"another version", edit(func(f *safetensors.File) { f.Metadata["weir.checkpoint"] = "2" }),
			`weir.checkpoint is "2"; want "1"`,
		},
		{
			"settings", edit(func(f *safetensors.File) { f.Metadata["weir.config"] = "{" }),
			"weir.config: unexpected end of JSON input",
		},
		{
			"settings out of range",
			edit(func(f *safetensors.File) {
				f.Metadata["weir.config"] = strings.Replace(f.Metadata["weir.config"], `"batch":8`, `"batch":-8`, 1)
			}),
			"train: batch is -8; want 1 to 16777216",
		},
		{
			"more weights than the file has",
			edit(func(f *safetensors.File) {
				f.Metadata["weir.config"] = strings.Replace(f.Metadata["weir.config"], `"hidden":8`, `"hidden":1048576`, 1)
			}),
			"in 2 dimensions has 29360170 weights; there are ",
		},
		{
			"dtype",
			edit(func(f *safetensors.File) {
				f.Metadata["weir.config"] = strings.Replace(f.Metadata["weir.config"], "float32", "int8", 1)
			}),
			`weir.config: cannot train in "int8"; want float32 or float64`,
		},
		{
			"step", edit(func(f *safetensors.File) { f.Metadata["weir.step"] = "-1" }),
			`weir.step is "-1"; want a number`,
		},
		{
			"random state", edit(func(f *safetensors.File) { delete(f.Metadata, "weir.rng") }),
			"weir.rng: unexpected end of JSON input",
		},
		{
			"missing tensor", edit(func(f *safetensors.File) { find(f).Name = "param.other" }),
			"nn: " + weight + " is missing",
		},
		{
			"other shape", edit(func(f *safetensors.File) { find(f).Shape = []int{2, 8} }),
			"nn: " + weight + " has shape [2 8]; want [8 2]",
		},
		{
			"one tensor more",
			edit(func(f *safetensors.File) {
				f.Entries = append(f.Entries, tensorio.Entry{Name: "param.more", DType: backend.Float32, Shape: []int{0}, Data: []byte{}})
			}),
			"nn: param.more is not a parameter here",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			require.NoError(t, c.write(path))
			_, err := train.OpenExperiment(testdevice.Stream(t, 1), path, nil)
			require.ErrorContains(t, err, path+": ")
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err = train.OpenExperiment(testdevice.Stream(t, 1), filepath.Join(t.TempDir(), "absent"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.safetensors")
	e := newRun(t, smallRun())
	require.NoError(t, stepTo(e, 2))
	require.NoError(t, e.Save(path))
	config, step, err := train.ReadConfig(path)
	require.NoError(t, err)
	require.Equal(t, e.Config, config)
	require.Equal(t, 2, step)
}
