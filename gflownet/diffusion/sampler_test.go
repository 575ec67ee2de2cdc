package diffusion_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

func newSampler(t testing.TB, pf *diffusion.Forward, pb *diffusion.Backward) *diffusion.Sampler {
	t.Helper()
	sampler, err := diffusion.NewSampler(pf, pb)
	require.NoError(t, err)
	return sampler
}

func TestSamplerScoresWhatTheLossTrains(t *testing.T) {
	const batch, n, d = 50, 8, 2
	s := testdevice.Stream(t, 0)
	for grid, p := range processes(n) {
		for _, c := range forwardSettings {
			for dtype, tolerance := range map[backend.DType]float64{backend.Float32: 5e-5, backend.Float64: 1e-13} {
				t.Run(c.name+"/"+grid+"/"+dtype.String(), func(t *testing.T) {
					pf := newForward(t, s, dtype, d, p, c.config)
					pf.Exploration = c.exploration
					tr := newSampler(t, pf, diffusion.NewBridge(p, d)).Forward(autograd.NewInference(s), tensor.NewRNG(s, 5), batch)
					again := testdevice.Values(t, pf.LogProb(tr.States).Value())
					for i, want := range testdevice.Values(t, tr.LogPF.Value()) {
						require.InDelta(t, want, again[i], tolerance*math.Max(1, math.Abs(want)))
					}
					for i, v := range testdevice.Values(t, tr.States.Value()) {
						if i%((n+1)*d) < d {
							require.Zero(t, v, "paths start at the source")
						}
					}
				})
			}
		}
	}
}

// The sampler of the reference ends before the last step; what it draws until then is the same.
func TestLastStepMayBeOmitted(t *testing.T) {
	const batch, d = 5, 2
	s := testdevice.Stream(t, 1)
	for _, n := range []int{1, 4, 5, 10, 20, 100} {
		p := diffusion.Process{NumSteps: n, Sigma: 1.3, TScale: 2}
		sampler := newSampler(t, newForward(t, s, backend.Float64, d, p, diffusion.PolicyConfig{Net: tiny}), diffusion.NewBridge(p, d))
		tape := autograd.NewInference(s)
		whole := sampler.Forward(tape, tensor.NewRNG(s, 5), batch)
		sampler.OmitLastStep = true
		tr := sampler.Forward(tape, tensor.NewRNG(s, 5), batch)
		require.Equal(t, []int{batch, n, d}, tr.States.Shape())
		for _, part := range []struct{ got, of *autograd.Var }{{tr.States, whole.States}, {tr.LogPF, whole.LogPF}, {tr.LogPB, whole.LogPB}} {
			want := autograd.Slice(part.of, 1, 0, part.of.Dim(1)-1)
			require.Equal(t, want.Shape(), part.got.Shape())
			require.Equal(t, testdevice.Values(t, want.Value()), testdevice.Values(t, part.got.Value()))
		}
		drawn, err := sampler.Draw(t.Context(), tensor.NewRNG(s, 5), batch, batch)
		require.NoError(t, err)
		require.Len(t, drawn, batch*d)
		if n*d%4 == 0 { // where Draw takes the same numbers as Forward
			require.Equal(t, testdevice.Values(t, tensor.Select(whole.States.Value(), 1, n-1)), drawn)
		}
	}
}

// linear makes the drift k·s + b, because GELU(x) − GELU(−x) = x.
func linear(t testing.TB, pf *diffusion.Forward, k, b float64) {
	t.Helper()
	net := pf.Net
	for _, p := range pf.Params() {
		tensor.CopyInto(p.Value, tensor.Zeros(p.Value.Stream(), p.Value.DType()))
	}
	tensor.SetSlice(net.State.Weight, []float64{1, -1})
	tensor.SetSlice(net.Joint[1].(*nn.Linear).Weight, []float64{1, -1, -1, 1})
	tensor.SetSlice(net.Out().Weight, []float64{k, -k})
	tensor.SetSlice(net.Out().Bias, []float64{b})
}

// Under the drift k·s + b the mean and variance of s move by m ← m + dt·(k·m + b) and v ← v·(1 + dt·k)² + σ²·dt·t_scale + e².
func TestSampledMomentsFollowTheRecursion(t *testing.T) {
	const batch, n, k, b = 20000, 10, -1.5, 2.0
	s := testdevice.Stream(t, 0)
	p := diffusion.Process{NumSteps: n, Sigma: 0.8, TScale: 1.5, Grid: diffusion.LogGrid(5)}
	pf := newForward(t, s, backend.Float64, 1, p, diffusion.PolicyConfig{Net: diffusion.NetConfig{Harmonics: 1, Embed: 2, Hidden: 2, JointLayers: 1}})
	linear(t, pf, k, b)
	pf.Exploration = 0.1
	path := newSampler(t, pf, diffusion.NewBridge(p, 1)).Forward(autograd.NewInference(s), tensor.NewRNG(s, 5), batch).States.Value()
	mean, variance := 0.0, 0.0
	for i := range n {
		dt := p.Dt(i)
		mean += dt * (k*mean + b)
		variance = variance*(1+dt*k)*(1+dt*k) + p.ForwardVar(i, pf.Exploration)
		xs := testdevice.Values(t, tensor.Select(path, 1, i+1))
		got := diffusion.MeanOf(xs)
		require.InDelta(t, mean, got.Value, 4*got.SE, "mean after step %d", i)
		require.InEpsilon(t, variance, got.SE*got.SE*batch, 4*math.Sqrt(2.0/batch), "variance after step %d", i)
	}
}

func TestSampledPathsAreConstants(t *testing.T) {
	s := testdevice.Stream(t, 0)
	p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1}
	sampler := newSampler(t, newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny}), diffusion.NewBridge(p, 2))
	tape := autograd.NewTape(s)
	tr := sampler.Forward(tape, tensor.NewRNG(s, 1), 4)
	require.False(t, tr.States.Differentiable())
	require.False(t, tr.LogPF.Differentiable())
}

func TestScoresOfDrawnPathsAreThoseOfTheDrawAndDifferentiable(t *testing.T) {
	s := testdevice.Stream(t, 0)
	p := diffusion.Process{NumSteps: 5, Sigma: 1.2, TScale: 1}
	sampler := newSampler(t, newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny}), diffusion.NewBridge(p, 2))
	tape := autograd.NewTape(s)
	drawn := sampler.Forward(tape, tensor.NewRNG(s, 1), 4)
	scored := sampler.Score(drawn.States)
	require.True(t, scored.LogPF.Differentiable())
	require.Equal(t, testdevice.Values(t, drawn.States.Value()), testdevice.Values(t, scored.States.Value()))
	require.Equal(t, testdevice.Values(t, drawn.LogPB.Value()), testdevice.Values(t, scored.LogPB.Value()))
	require.InDeltaSlice(t, testdevice.Values(t, drawn.LogPF.Value()), testdevice.Values(t, scored.LogPF.Value()), 1e-12)
	require.Panics(t, func() { sampler.Score(tape.Const(tensor.Zeros(s, backend.Float64, 4, 5, 2))) }, "one state is missing")
}

// The first step leaves the source, where the drift is the same for every sample.
func TestExploringWidensTheStepsOfTheSameWeights(t *testing.T) {
	const batch, e = 20000, 0.7
	s := testdevice.Stream(t, 0)
	p := diffusion.Process{NumSteps: 2, Sigma: 0.8, TScale: 1}
	sampler := newSampler(t, newForward(t, s, backend.Float64, 1, p, diffusion.PolicyConfig{Net: tiny}), diffusion.NewBridge(p, 1))
	wide := sampler.Exploring(e)
	require.Equal(t, sampler.Params(), wide.Params())
	require.Zero(t, sampler.PF.Exploration, "the sampler itself does not explore")
	drawn := wide.Forward(autograd.NewInference(s), tensor.NewRNG(s, 2), batch)
	first := diffusion.MeanOf(testdevice.Values(t, tensor.Select(drawn.States.Value(), 1, 1)))
	require.InEpsilon(t, p.ForwardVar(0, e), first.SE*first.SE*batch, 4*math.Sqrt(2.0/batch))
	again := wide.Score(drawn.States).LogPF.Value()
	require.InDeltaSlice(t, testdevice.Values(t, drawn.LogPF.Value()), testdevice.Values(t, again), 1e-12, "it scores as it draws")
}

func TestExploringAsALossIsTold(t *testing.T) {
	const e = 0.7
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 3, Sigma: 0.8, TScale: 1}
	for _, c := range forwardSettings {
		sampler := newSampler(t, newForward(t, s, backend.Float64, 2, p, c.config), nil)
		draw := func(from *diffusion.Sampler) (states, logPF []float64) {
			tr := from.Forward(autograd.NewInference(s), tensor.NewRNG(s, 2), 10)
			again := from.Score(tr.States).LogPF.Value()
			require.InDeltaSlice(t, testdevice.Values(t, tr.LogPF.Value()), testdevice.Values(t, again), 1e-12, "it scores as it draws")
			return testdevice.Values(t, tr.States.Value()), testdevice.Values(t, tr.LogPF.Value())
		}
		states, logPF := draw(sampler.Exploring(e))
		for name, o := range map[string]gflownet.Options{
			"number":    {ExplorationStd: e},
			"on device": {Exploration: tensor.FromSlice(s, []float64{e})},
			"both":      {Exploration: tensor.FromSlice(s, []float64{e}), ExplorationStd: 9},
		} {
			gotStates, gotLogPF := draw(sampler.ExploringAs(o))
			require.InDeltaSlice(t, states, gotStates, 1e-12, "%s, %s", c.name, name)
			require.InDeltaSlice(t, logPF, gotLogPF, 1e-12, "%s, %s", c.name, name)
		}
	}
	sampler := newSampler(t, newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny}), nil)
	var err error
	func() {
		defer tensor.Catch(&err)
		sampler.ExploringAs(gflownet.Options{Exploration: tensor.FromSlice(s, []float64{1, 2}, 2)})
	}()
	require.ErrorContains(t, err, "wants one number as the exploration")
}

func TestSamplerHasTheParametersOfBothPolicies(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1}
	pf := newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny})
	fixed, learned := newSampler(t, pf, nil), newSampler(t, pf, newBackward(t, s, 2, p, diffusion.PolicyConfig{Net: tiny}))
	require.Len(t, fixed.Params(), len(pf.Params()))
	require.Len(t, learned.Params(), 2*len(pf.Params()))
	require.Equal(t, "pf.module.t_model.timestep_phase", learned.Params()[0].Name)
	require.Equal(t, "pb.module.t_model.timestep_phase", learned.Params()[len(pf.Params())].Name)
	require.Equal(t, "pb.module.t_model.pe", learned.Buffers()[1].Name)
}

func TestSamplerRefusesPoliciesThatDisagree(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1}
	pf := newForward(t, s, backend.Float32, 2, p, diffusion.PolicyConfig{Net: tiny})
	other := p
	other.Sigma = 2
	_, err := diffusion.NewSampler(pf, diffusion.NewBridge(other, 2))
	require.EqualError(t, err,
		"diffusion: the policies disagree: forward {NumSteps:3 Sigma:1 TScale:1 Grid:uniform}, "+
			"backward {NumSteps:3 Sigma:2 TScale:1 Grid:uniform}")
	_, err = diffusion.NewSampler(pf, diffusion.NewBridge(p, 3))
	require.EqualError(t, err, "diffusion: the policies disagree: forward in 2 dimensions, backward in 3")
	_, err = diffusion.NewSampler(pf, newBackward(t, s, 2, p, diffusion.PolicyConfig{Net: tiny}))
	require.EqualError(t, err, "diffusion: the policies disagree: forward in float32, backward in float64")
}

func TestSamplerWithoutBackwardPolicyTakesTheBridge(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1}
	pf := newForward(t, s, backend.Float32, 2, p, diffusion.PolicyConfig{Net: tiny})
	sampler, err := diffusion.NewSampler(pf, nil)
	require.NoError(t, err)
	require.Equal(t, diffusion.NewBridge(p, 2), sampler.PB)
	_, err = diffusion.NewSampler(nil, sampler.PB)
	require.EqualError(t, err, "diffusion: no forward policy")
}

// Batches only bound memory: the estimates see every sample once.
func TestEstimatesTakeBatchesInTurn(t *testing.T) {
	const n = 7
	s := testdevice.Stream(t, 0)
	target := openTarget(t, "gmm2")
	p := diffusion.Process{NumSteps: 3, Sigma: 4, TScale: 1}
	sampler := newSampler(t, newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny}), diffusion.NewBridge(p, 2))
	rng := tensor.NewRNG(s, 1)
	x := target.Sample(rng, backend.Float64, n)
	for _, batch := range []int{1, 3, 7, 100} {
		balance, err := sampler.BackwardBalance(t.Context(), rng, x, batch)
		require.NoError(t, err)
		require.Len(t, balance, n)
		samples, weights, err := sampler.ForwardWeights(t.Context(), rng, target, n, batch)
		require.NoError(t, err)
		require.Len(t, samples, 2*n)
		require.Len(t, weights, n)
		drawn, err := sampler.Draw(t.Context(), rng, n, batch)
		require.NoError(t, err)
		require.Len(t, drawn, 2*n)
	}
	for _, batch := range []int{0, -1} {
		_, err := sampler.Draw(t.Context(), rng, n, batch)
		require.ErrorContains(t, err, "diffusion: batches of")
		_, err = sampler.BackwardBalance(t.Context(), rng, x, batch)
		require.ErrorContains(t, err, "diffusion: batches of")
		_, _, err = sampler.ForwardWeights(t.Context(), rng, target, n, batch)
		require.ErrorContains(t, err, "diffusion: batches of")
	}
}

func TestBoundsOnLogZHoldAndAreFinite(t *testing.T) {
	const n = 2000
	s := testdevice.Stream(t, 0)
	target := openTarget(t, "gmm2")
	p := diffusion.Process{NumSteps: 16, Sigma: math.Sqrt(20), TScale: 1}
	for _, c := range smoothBackward {
		t.Run(c.name, func(t *testing.T) {
			pf := newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny, LearnVariance: true})
			sampler := newSampler(t, pf, newBackward(t, s, 2, p, c.config))
			rng := tensor.NewRNG(s, 1)
			x := target.Sample(rng, backend.Float64, n)
			upper, err := sampler.BackwardBalance(t.Context(), rng, x, n)
			require.NoError(t, err)
			for i, r := range testdevice.Values(t, target.LogReward(autograd.NewInference(s).Const(x)).Value()) {
				upper[i] += r
			}
			eubo := diffusion.MeanOf(upper)
			require.False(t, math.IsInf(eubo.Value, 0) || math.IsNaN(eubo.Value))
			require.GreaterOrEqual(t, eubo.Value, -3*eubo.SE)

			_, lower, err := sampler.ForwardWeights(t.Context(), rng, target, n, n)
			require.NoError(t, err)
			elbo := diffusion.MeanOf(lower)
			require.False(t, math.IsInf(elbo.Value, 0) || math.IsNaN(elbo.Value))
			require.LessOrEqual(t, elbo.Value, 3*elbo.SE)
		})
	}
}
