package recorded_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/cuda"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/gflownet/mle/recorded"
	"github.com/weir-ml/weir/internal/emulator"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

func TestMain(m *testing.M) { emulator.Main(m) }

// The limits are those of the recording: a time-batched evaluation in PyTorch reproduces the float64 cases to 1e-14 and the
// float32 case to 6e-6.
func TestEveryRecordedCaseAgreesWithTheReference(t *testing.T) {
	paths, err := filepath.Glob("../testdata/cases/*.safetensors")
	require.NoError(t, err)
	require.Len(t, paths, 9)
	for _, path := range paths {
		for _, name := range testdevice.Backends(t) {
			t.Run(strings.TrimSuffix(filepath.Base(path), ".safetensors")+"/"+name, func(t *testing.T) {
				c, err := recorded.Open(testdevice.On(t, name, 0), path, backend.Invalid)
				require.NoError(t, err)
				r, err := c.Run()
				require.NoError(t, err)
				limit := 1e-12
				if c.Batch.DType() == backend.Float32 {
					limit = 5e-5
				}
				require.LessOrEqual(t, r.LossRelErr, limit)
				require.LessOrEqual(t, r.GradRelErr, limit)
				t.Logf("loss %.2g, gradients %.2g", r.LossRelErr, r.GradRelErr)
			})
		}
	}
}

func TestCasesNameWhatTheyLack(t *testing.T) {
	const good = "../testdata/cases/learned_pb_mean.safetensors"
	find := func(f *safetensors.File, name string) *tensorio.Entry {
		for i := range f.Entries {
			if f.Entries[i].Name == name {
				return &f.Entries[i]
			}
		}
		return nil
	}
	for _, c := range []struct {
		name   string
		change func(f *safetensors.File)
		want   string
	}{
		{"no setting", func(f *safetensors.File) { delete(f.Metadata, "sigma") }, "the metadata lacks sigma"},
		{"no number", func(f *safetensors.File) { f.Metadata["num_steps"] = "many" }, `metadata num_steps is "many": `},
		{"out of range", func(f *safetensors.File) { f.Metadata["sigma"] = "-1" }, "diffusion: sigma is -1; want a positive number"},
		{"reduction", func(f *safetensors.File) { f.Metadata["reduction"] = "max" }, `gflownet: unknown reduction "max"; want mean, sum, none`},
		{"pb", func(f *safetensors.File) { f.Metadata["pb"] = "variance" }, `metadata pb is "variance"; want none, mean or mean+variance`},
		{"no noise", func(f *safetensors.File) { find(f, "noise").Name = "nose" }, "wants the tensors batch (B, d) and noise (N, B, d)"},
		{
			"no weight", func(f *safetensors.File) { find(f, "param.pf.module.s_model.s_model.bias").Name = "grad.lost" },
			"nn: pf.module.s_model.s_model.bias is missing",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := safetensors.Open(good)
			require.NoError(t, err)
			c.change(f)
			path := filepath.Join(t.TempDir(), "case.safetensors")
			require.NoError(t, safetensors.WriteFile(path, f))
			_, err = recorded.Open(testdevice.Stream(t, 1), path, backend.Invalid)
			require.ErrorContains(t, err, path+": "+c.want)
		})
	}
}

// A recorded number that differs shows in the relative error; one that is not recorded is not compared.
func TestRunComparesWhatIsRecorded(t *testing.T) {
	open := func(change func(f *safetensors.File)) *recorded.Result {
		f, err := safetensors.Open("../testdata/cases/one_step.safetensors")
		require.NoError(t, err)
		change(f)
		path := filepath.Join(t.TempDir(), "case.safetensors")
		require.NoError(t, safetensors.WriteFile(path, f))
		c, err := recorded.Open(testdevice.Stream(t, 1), path, backend.Invalid)
		require.NoError(t, err)
		r, err := c.Run()
		require.NoError(t, err)
		return r
	}
	silent := open(func(f *safetensors.File) {
		f.Entries = slices.DeleteFunc(f.Entries, func(e tensorio.Entry) bool { return e.Name == "loss" })
	})
	require.True(t, math.IsNaN(silent.LossRelErr))
	require.LessOrEqual(t, silent.GradRelErr, 1e-12)

	wrong := open(func(f *safetensors.File) {
		for i := range f.Entries {
			if f.Entries[i].Name == "grad.pf.module.s_model.s_model.bias" {
				clear(f.Entries[i].Data)
			}
		}
	})
	require.LessOrEqual(t, wrong.LossRelErr, 1e-12)
	require.True(t, math.IsInf(wrong.GradRelErr, 1), "every digit is wrong where 0 is recorded")
}
