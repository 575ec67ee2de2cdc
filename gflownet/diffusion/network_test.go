package diffusion_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// tiny is a network that differences can be taken of.
var tiny = diffusion.NetConfig{Harmonics: 2, Embed: 3, Hidden: 4, JointLayers: 2}

func newForward(
	t testing.TB, s *tensor.Stream, d backend.DType, dim int, p diffusion.Process, c diffusion.PolicyConfig,
) *diffusion.Forward {
	t.Helper()
	pf, err := diffusion.NewForward(tensor.NewRNG(s, 11), d, dim, p, c)
	require.NoError(t, err)
	return pf
}

func newBackward(t testing.TB, s *tensor.Stream, dim int, p diffusion.Process, c diffusion.PolicyConfig) *diffusion.Backward {
	t.Helper()
	pb, err := diffusion.NewBackward(tensor.NewRNG(s, 13), backend.Float64, dim, p, c)
	require.NoError(t, err)
	return pb
}

func TestParametersHaveTheNamesOfTorchgfn(t *testing.T) {
	embedding := []string{
		"module.t_model.timestep_phase",
		"module.t_model.t_model.0.weight", "module.t_model.t_model.0.bias",
		"module.t_model.t_model.2.weight", "module.t_model.t_model.2.bias",
		"module.s_model.s_model.weight", "module.s_model.s_model.bias",
		"module.joint_model.model.1.weight", "module.joint_model.model.1.bias",
	}
	s := testdevice.Stream(t, 1)
	for _, c := range []struct {
		layers int
		joint  []string
	}{
		{1, []string{"module.joint_model.model.3.weight", "module.joint_model.model.3.bias"}},
		{2, []string{
			"module.joint_model.model.3.0.weight", "module.joint_model.model.3.0.bias",
			"module.joint_model.model.4.weight", "module.joint_model.model.4.bias",
		}},
		{4, []string{
			"module.joint_model.model.3.0.weight", "module.joint_model.model.3.0.bias",
			"module.joint_model.model.4.0.weight", "module.joint_model.model.4.0.bias",
			"module.joint_model.model.5.0.weight", "module.joint_model.model.5.0.bias",
			"module.joint_model.model.6.weight", "module.joint_model.model.6.bias",
		}},
	} {
		p := diffusion.Process{NumSteps: 4, Sigma: 1, TScale: 1}
		pf := newForward(t, s, backend.Float32, 2, p, diffusion.PolicyConfig{Net: diffusion.NetConfig{JointLayers: c.layers}})
		var names []string
		for _, param := range pf.Params() {
			names = append(names, param.Name)
		}
		require.Equal(t, append(embedding[:len(embedding):len(embedding)], c.joint...), names)
		require.Len(t, pf.Buffers(), 1)
		require.Equal(t, "module.t_model.pe", pf.Buffers()[0].Name)
	}
}

func TestDefaultNetworkHas21122Parameters(t *testing.T) {
	p := diffusion.Process{NumSteps: 4, Sigma: 1, TScale: 1}
	pf := newForward(t, testdevice.Stream(t, 1), backend.Float32, 2, p, diffusion.PolicyConfig{})
	require.Equal(t, 21122, nn.Count(pf.Params()))
	require.Equal(t, diffusion.NetConfig{Harmonics: 64, Embed: 64, Hidden: 64, JointLayers: 2}, pf.Config.Net)
}

func TestNewPISGradNetRefusesWhatItCannotBuild(t *testing.T) {
	rng := tensor.NewRNG(testdevice.Stream(t, 1), 1)
	for _, c := range []struct {
		dtype   backend.DType
		in, out int
		net     diffusion.NetConfig
		want    string
	}{
		{backend.Float32, 0, 1, tiny, "diffusion: a network from 0 to 1 numbers; want at least 1 each"},
		{backend.Float32, 2, -1, tiny, "diffusion: a network from 2 to -1 numbers; want at least 1 each"},
		{backend.Int32, 2, 1, tiny, "diffusion: cannot train in int32; want a float dtype"},
		{backend.Float32, 2, 1, diffusion.NetConfig{Hidden: -4}, "diffusion: hidden is -4; want 1 to 1048576"},
	} {
		_, err := diffusion.NewPISGradNet(rng, c.dtype, c.in, c.out, c.net)
		require.EqualError(t, err, c.want)
	}
	net, err := diffusion.NewPISGradNet(rng, backend.Float64, 3, 2, diffusion.NetConfig{})
	require.NoError(t, err)
	states := autograd.NewInference(rng.Stream()).Const(rng.Normal(backend.Float64, 4, 5, 3))
	times := diffusion.Process{NumSteps: 5, Sigma: 1, TScale: 1}.Times(rng.Stream(), backend.Float64, 0, 4)
	require.Equal(t, []int{4, 5, 2}, net.Forward(states, times).Shape())
}

func TestZeroInitStartsAtAlmostNoDrift(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 4, Sigma: 1, TScale: 1}
	pf := newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: diffusion.NetConfig{ZeroInit: true}})
	for _, w := range testdevice.Values(t, pf.Net.Out().Weight) {
		require.Equal(t, 1e-8, w)
	}
	for _, b := range testdevice.Values(t, pf.Net.Out().Bias) {
		require.Zero(t, b)
	}
	states := autograd.NewInference(s).Const(tensor.NewRNG(s, 1).Normal(backend.Float64, 5, 2, 2))
	drift, logStd := pf.Drift(states, tensor.FromSlice(s, []float64{0, 0.5}, 2))
	require.Nil(t, logStd)
	for _, v := range testdevice.Values(t, drift.Value()) {
		require.Less(t, math.Abs(v), 1e-6)
	}
}

func TestPoliciesRefuseSettingsOutOfRange(t *testing.T) {
	s := testdevice.Stream(t, 1)
	rng := tensor.NewRNG(s, 1)
	p := diffusion.Process{NumSteps: 4, Sigma: 1, TScale: 1}
	for _, c := range []struct {
		name   string
		dtype  backend.DType
		dim    int
		config diffusion.PolicyConfig
		want   string
	}{
		{"dimension", backend.Float32, 0, diffusion.PolicyConfig{}, "diffusion: the dimension is 0; want at least 1"},
		{"dtype", backend.Int32, 2, diffusion.PolicyConfig{}, "diffusion: cannot train in int32; want a float dtype"},
		{
			"hidden", backend.Float32, 2, diffusion.PolicyConfig{Net: diffusion.NetConfig{Hidden: -1}},
			"diffusion: hidden is -1; want 1 to 1048576",
		},
		{
			"clip", backend.Float32, 2, diffusion.PolicyConfig{Clip: -1},
			"diffusion: clip is -1; want a positive number",
		},
		{
			"scale range", backend.Float32, 2, diffusion.PolicyConfig{ScaleRange: math.NaN()},
			"diffusion: scale-range is NaN; want a positive number",
		},
		{
			"log variance range", backend.Float32, 2, diffusion.PolicyConfig{LogVarRange: math.Inf(1)},
			"diffusion: log-var-range is +Inf; want a positive number",
		},
		{
			"diagonal", backend.Float32, 2, diffusion.PolicyConfig{Diagonal: true},
			"diffusion: a diagonal variance is one that is learned; set LearnVariance too",
		},
		{"form", backend.Float32, 2, diffusion.PolicyConfig{Form: 2}, "diffusion: the form is 2; want Additive or Multiplicative"},
		{
			"no variance left", backend.Float32, 2, diffusion.PolicyConfig{Form: diffusion.Multiplicative, LearnVariance: true, ScaleRange: 1},
			"diffusion: scale-range is 1; want less than 1, so that 1 + c·tanh leaves a variance",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := diffusion.NewForward(rng, c.dtype, c.dim, p, c.config)
			require.EqualError(t, err, c.want)
			_, err = diffusion.NewBackward(rng, c.dtype, c.dim, p, c.config)
			require.EqualError(t, err, c.want)
		})
	}
	_, err := diffusion.NewForward(rng, backend.Float32, 2, diffusion.Process{}, diffusion.PolicyConfig{})
	require.EqualError(t, err, "diffusion: num-steps is 0; want at least 1")
}
