package torchgfn_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/diffusion/transport"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/gflownet/torchgfn"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

const checkpoint = "testdata/checkpoint.pt"

// settings are those of testdata/gen.py.
var settings = torchgfn.Settings{Process: diffusion.Process{NumSteps: 20, Sigma: 4, TScale: 1}, ScaleRange: 0.3}

func open(t *testing.T, path string) *torchgfn.Checkpoint {
	t.Helper()
	c, err := torchgfn.Open(path)
	require.NoError(t, err)
	return c
}

func policies(t *testing.T, s *tensor.Stream, path string, d backend.DType, st torchgfn.Settings) *diffusion.Sampler {
	t.Helper()
	sampler, err := open(t, path).Policies(s, d, st)
	require.NoError(t, err)
	return sampler
}

// recorded returns a tensor that torchgfn gave.
func recorded(t *testing.T, s *tensor.Stream, name string) *tensor.Tensor {
	t.Helper()
	f, err := safetensors.Open("testdata/recorded.safetensors")
	require.NoError(t, err)
	e, ok := f.Entry(name)
	require.True(t, ok, name)
	return tensor.FromBytes(s, e.DType, e.Data, e.Shape...)
}

// lossOf returns the loss on the recorded batch and noise.
func lossOf(t *testing.T, s *tensor.Stream, sampler *diffusion.Sampler) float64 {
	t.Helper()
	loss, err := mle.New(sampler.PF, sampler.PB)
	require.NoError(t, err)
	noise := tensor.Permute(recorded(t, s, "noise"), 1, 0, 2)
	v, err := loss.Loss(autograd.NewInference(s), nil, recorded(t, s, "batch"), gflownet.Options{Noise: noise})
	require.NoError(t, err)
	return testdevice.Values(t, v.Value())[0]
}

func TestAnImportedCheckpointHasTheLossOfTheReference(t *testing.T) {
	s := testdevice.Stream(t, 0)
	for d, c := range map[backend.DType]struct {
		recorded  string
		tolerance float64
	}{backend.Float32: {"loss", 5e-5}, backend.Float64: {"loss64", 1e-12}} {
		want := testdevice.Values(t, recorded(t, s, c.recorded))[0]
		got := lossOf(t, s, policies(t, s, checkpoint, d, settings))
		require.InEpsilon(t, want, got, c.tolerance, "%v", d)
		t.Logf("%v: relative error %.2g", d, math.Abs(got-want)/math.Abs(want))
	}
}

// Samples of torchgfn's sampler, which omits the last step, are as far from ours as from each other. Under another setting they are not.
func TestSamplesAreThoseOfTheReference(t *testing.T) {
	const d = 2
	s := testdevice.Stream(t, 0)
	all := recorded(t, s, "samples")
	sets, n := all.Dim(0), all.Dim(1)
	theirs := make([][]float64, sets)
	for i := range theirs {
		theirs[i] = testdevice.Values(t, tensor.Select(all, 0, i))
	}
	w2 := func(a, b []float64) float64 {
		w, err := transport.W2(t.Context(), a, b, d)
		require.NoError(t, err)
		return w
	}
	var noise []float64
	for i := range theirs {
		for j := range i {
			noise = append(noise, w2(theirs[i], theirs[j]))
		}
	}
	distance := func(st torchgfn.Settings) diffusion.Estimate {
		sampler := policies(t, s, checkpoint, backend.Invalid, st)
		sampler.OmitLastStep = true
		var distances []float64
		for i := range theirs {
			ours, err := sampler.Draw(t.Context(), tensor.NewRNG(s, uint64(i)), n, n)
			require.NoError(t, err)
			for j := range theirs {
				distances = append(distances, w2(ours, theirs[j]))
			}
		}
		return diffusion.MeanOf(distances)
	}
	wide := settings
	wide.Process.TScale = 4
	between, same, other := diffusion.MeanOf(noise), distance(settings), distance(wide)
	t.Logf("W2: %v between sets of theirs, %v of ours to theirs, %v of ours at another t_scale", between, same, other)
	spread := between.SE * math.Sqrt(float64(len(noise)))
	require.InDelta(t, between.Value, same.Value, 2*spread)
	require.Greater(t, other.Value, between.Value+4*spread)
}

func TestWhatAFileSaysIsRead(t *testing.T) {
	c := open(t, checkpoint)
	net := diffusion.NetConfig{Harmonics: 8, Embed: 16, Hidden: 16, JointLayers: 2}
	require.Equal(t, 400, c.Step)
	require.Nil(t, c.Settings)
	require.Equal(t, 2, c.Forward.Dim)
	require.Equal(t, net, c.Forward.Net)
	require.True(t, c.Forward.LearnVariance)
	require.Equal(t, backend.Float32, c.Forward.DType)
	require.Equal(t, net, c.Backward.Net)
	require.False(t, c.Backward.LearnVariance)
}

func TestWrittenPoliciesAreReadBack(t *testing.T) {
	s := testdevice.Stream(t, 1)
	rng := tensor.NewRNG(s, 1)
	net := diffusion.NetConfig{Harmonics: 2, Embed: 3, Hidden: 4, JointLayers: 1}
	p := diffusion.Process{NumSteps: 20, Sigma: 2, TScale: 3}
	for _, dim := range []int{1, 2} {
		for name, c := range map[string]struct{ pf, pb *diffusion.PolicyConfig }{
			"bridge":   {&diffusion.PolicyConfig{Net: net}, nil},
			"mean":     {&diffusion.PolicyConfig{Net: net, LearnVariance: true}, &diffusion.PolicyConfig{Net: net, ScaleRange: 0.2}},
			"variance": {&diffusion.PolicyConfig{Net: net, Clip: 3, LogVarRange: 2}, &diffusion.PolicyConfig{Net: net, LearnVariance: true, Clip: 3, LogVarRange: 2}},
		} {
			t.Run(name, func(t *testing.T) {
				pf, err := diffusion.NewForward(rng, backend.Float64, dim, p, *c.pf)
				require.NoError(t, err)
				pb := diffusion.NewBridge(p, dim)
				if c.pb != nil {
					pb, err = diffusion.NewBackward(rng, backend.Float64, dim, p, *c.pb)
					require.NoError(t, err)
				}
				sampler, err := diffusion.NewSampler(pf, pb)
				require.NoError(t, err)
				path := filepath.Join(t.TempDir(), "out.safetensors")
				require.NoError(t, torchgfn.Write(path, sampler, map[string]string{"note": "kept"}))
				f, err := safetensors.Open(path)
				require.NoError(t, err)
				require.Equal(t, "kept", f.Metadata["note"])

				again := policies(t, s, path, backend.Invalid, *open(t, path).Settings)
				want := sampler.PF.Config
				want.ScaleRange = again.PF.Config.ScaleRange // which a forward policy does not use
				require.Equal(t, want, again.PF.Config)
				require.Equal(t, sampler.PF.Process, again.PF.Process)
				require.Equal(t, sampler.PB.Config, again.PB.Config)
				for i, want := range append(sampler.Params(), sampler.Buffers()...) {
					got := append(again.Params(), again.Buffers()...)[i]
					require.Equal(t, want.Name, got.Name)
					require.Equal(t, testdevice.Values(t, want.Value), testdevice.Values(t, got.Value), want.Name)
				}
			})
		}
	}
}

// Weights are found under any of the names that torchgfn's objects give them.
func TestStateDictsOfAllKindsAreRead(t *testing.T) {
	s := testdevice.Stream(t, 1)
	want := lossOf(t, s, policies(t, s, checkpoint, backend.Invalid, settings))
	path := filepath.Join(t.TempDir(), "whole.safetensors")
	require.NoError(t, torchgfn.Write(path, policies(t, s, checkpoint, backend.Invalid, settings), nil))
	whole, err := safetensors.Open(path)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		rename  func(string) string
		learned bool
	}{
		"tutorial": {func(n string) string {
			return strings.NewReplacer("pf.", "pf_state_dict.", "pb.", "pb_state_dict.").Replace(n)
		}, true},
		"GFlowNet":  {func(n string) string { return n }, true},
		"estimator": {func(n string) string { return strings.TrimPrefix(n, "pf.") }, false},
		"module":    {func(n string) string { return strings.TrimPrefix(n, "pf.module.") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &safetensors.File{}
			for _, e := range whole.Entries {
				if c.learned || strings.HasPrefix(e.Name, "pf.") {
					e.Name = c.rename(e.Name)
					f.Entries = append(f.Entries, e)
				}
			}
			logZ, err := tensorio.NewEntry("logZ", nil, []float32{0})
			require.NoError(t, err)
			f.Entries = append(f.Entries, logZ)
			path := filepath.Join(t.TempDir(), "renamed.safetensors")
			require.NoError(t, safetensors.WriteFile(path, f))
			sampler := policies(t, s, path, backend.Invalid, settings)
			require.Equal(t, c.learned, sampler.PB.Learned())
			if c.learned {
				require.Equal(t, want, lossOf(t, s, sampler))
			}
		})
	}
}

func TestFilesThatHoldNoPoliciesAreErrors(t *testing.T) {
	s := testdevice.Stream(t, 1)
	dir := t.TempDir()
	good := filepath.Join(dir, "good.safetensors")
	require.NoError(t, torchgfn.Write(good, policies(t, s, checkpoint, backend.Invalid, settings), nil))
	const last = "pf.module.joint_model.model.4.weight"
	for _, c := range []struct {
		name   string
		change func(e *tensorio.Entry)
		want   string
	}{
		{"no policy", func(e *tensorio.Entry) { e.Name = "other." + e.Name }, "holds no forward policy; want a dict with pf_state_dict"},
		{"no last layer", rename(last, "pf.module.joint_model.model.x"), "the forward policy lacks the last layer of joint_model.model"},
		{"two last layers", rename("pf.module.joint_model.model.4.bias", "pf.module.joint_model.model.5.weight"), "where one last layer"},
		{"no phase", rename("pf.module.t_model.timestep_phase", "pf.module.t_model.phase"), "the forward policy lacks t_model.timestep_phase"},
		{"outputs", func(e *tensorio.Entry) {
			if e.Name == last {
				e.Shape = []int{6, 8}
			}
		}, "the forward policy gives 6 outputs for states of 2 coordinates; want 2, or 3 with a learned variance"},
		{"dimension", func(e *tensorio.Entry) {
			if e.Name == "pb.module.s_model.s_model.weight" {
				e.Shape = []int{32, 1}
			}
		}, "the policies disagree: forward in 2 dimensions, backward in 1"},
		{"layers", rename(last, "pf.module.joint_model.model.999.weight"), "JointLayers:997 ZeroInit:false} in 2 dimensions has "},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := safetensors.Open(good)
			require.NoError(t, err)
			for i := range f.Entries {
				c.change(&f.Entries[i])
			}
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			require.NoError(t, safetensors.WriteFile(path, f))
			file, err := torchgfn.Open(path)
			if err == nil { // what the weights' shapes alone do not tell
				_, err = file.Policies(s, backend.Invalid, settings)
			}
			require.ErrorContains(t, err, "torchgfn: "+path)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := torchgfn.Open(filepath.Join(dir, "absent.pt"))
	require.ErrorIs(t, err, os.ErrNotExist)
	text := filepath.Join(dir, "text.pt")
	require.NoError(t, os.WriteFile(text, []byte("no checkpoint"), 0o600))
	_, err = torchgfn.Open(text)
	require.ErrorContains(t, err, "torchgfn: torchpt: "+text)
	_, err = open(t, checkpoint).Policies(s, backend.Invalid, torchgfn.Settings{})
	require.EqualError(t, err, "torchgfn: testdata/checkpoint.pt: diffusion: num-steps is 0; want at least 1")
}

func rename(from, to string) func(e *tensorio.Entry) {
	return func(e *tensorio.Entry) {
		if e.Name == from {
			e.Name = to
		}
	}
}

func TestWhatTorchgfnLacksIsNotWritten(t *testing.T) {
	s := testdevice.Stream(t, 1)
	rng := tensor.NewRNG(s, 1)
	net := diffusion.NetConfig{Harmonics: 2, Embed: 3, Hidden: 4, JointLayers: 1}
	for _, c := range []struct {
		grid   diffusion.Grid
		pf, pb diffusion.PolicyConfig
		want   string
	}{
		{diffusion.CosineGrid(), diffusion.PolicyConfig{}, diffusion.PolicyConfig{}, "the time grid is cosine; torchgfn 2.4.1 has only the uniform one"},
		{
			diffusion.Grid{}, diffusion.PolicyConfig{LearnVariance: true, Diagonal: true}, diffusion.PolicyConfig{},
			"a variance is learned for each coordinate; torchgfn 2.4.1 has only one for all",
		},
		{
			diffusion.Grid{}, diffusion.PolicyConfig{Scaled: true}, diffusion.PolicyConfig{},
			"the outputs of the forward policy are scaled; torchgfn 2.4.1 takes them as they are",
		},
		{
			diffusion.Grid{}, diffusion.PolicyConfig{}, diffusion.PolicyConfig{Form: diffusion.Multiplicative},
			"the backward policy is multiplicative; torchgfn 2.4.1 has only the additive form",
		},
		{
			diffusion.Grid{}, diffusion.PolicyConfig{Clip: 1}, diffusion.PolicyConfig{},
			"the policies have different limits, clip 1 and 0, log-var-range 4 and 4; the file has one of each",
		},
	} {
		p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1, Grid: c.grid}
		c.pf.Net, c.pb.Net = net, net
		pf, err := diffusion.NewForward(rng, backend.Float32, 2, p, c.pf)
		require.NoError(t, err)
		pb, err := diffusion.NewBackward(rng, backend.Float32, 2, p, c.pb)
		require.NoError(t, err)
		sampler, err := diffusion.NewSampler(pf, pb)
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "out.safetensors")
		require.EqualError(t, torchgfn.Write(path, sampler, nil), "torchgfn: "+c.want)
		require.NoFileExists(t, path)
	}
}
