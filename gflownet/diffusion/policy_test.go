package diffusion_test

import (
	"fmt"
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

var log2Pi = math.Log(2 * math.Pi)

// silence makes a network return 0 everywhere.
func silence(n *diffusion.PISGradNet) {
	last := n.Out()
	tensor.CopyInto(last.Weight, tensor.Zeros(last.Weight.Stream(), last.Weight.DType()))
	tensor.CopyInto(last.Bias, tensor.Zeros(last.Bias.Stream(), last.Bias.DType()))
}

// A step from 0 to 0 in two dimensions under unit variance has log density −log 2π.
func TestOneStepWithoutDrift(t *testing.T) {
	s := testdevice.Stream(t, 1)
	for _, learned := range []bool{false, true} {
		p := diffusion.Process{NumSteps: 1, Sigma: 1, TScale: 1}
		pf := newForward(t, s, backend.Float32, 2, p, diffusion.PolicyConfig{Net: tiny, LearnVariance: learned})
		silence(pf.Net)
		states := autograd.NewInference(s).Const(tensor.Zeros(s, backend.Float32, 1, 2, 2))
		require.InDelta(t, -log2Pi, testdevice.Values(t, pf.LogProb(states).Value())[0], 1e-6)
	}
}

// forwardSettings are the kinds of forward policy.
var forwardSettings = []struct {
	name        string
	config      diffusion.PolicyConfig
	exploration float64
}{
	{"fixed", diffusion.PolicyConfig{Net: tiny}, 0},
	{"fixed exploring", diffusion.PolicyConfig{Net: tiny}, 0.7},
	{"learned", diffusion.PolicyConfig{Net: tiny, LearnVariance: true}, 0},
	{"learned exploring", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, LogVarRange: 2}, 0.7},
	{"diagonal", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Diagonal: true}, 0},
	{"diagonal exploring", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Diagonal: true}, 0.7},
	{"scaled", diffusion.PolicyConfig{Net: tiny, Scaled: true}, 0},
	{"scaled diagonal exploring", diffusion.PolicyConfig{Net: tiny, Scaled: true, LearnVariance: true, Diagonal: true}, 0.7},
}

// backwardSettings are the kinds of learned backward policy.
var backwardSettings = []struct {
	name   string
	config diffusion.PolicyConfig
}{
	{"mean", diffusion.PolicyConfig{Net: tiny}},
	{"mean and variance", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, ScaleRange: 0.3}},
	{"mean and diagonal", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Diagonal: true, ScaleRange: 0.3}},
	{"multiplicative mean", diffusion.PolicyConfig{Net: tiny, ScaleRange: 0.9, Form: diffusion.Multiplicative}},
	{"multiplicative mean and variance", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, ScaleRange: 0.9, Form: diffusion.Multiplicative}},
	{
		"multiplicative mean and diagonal",
		diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Diagonal: true, ScaleRange: 0.9, Form: diffusion.Multiplicative},
	},
	{"clipped", diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Clip: 0.5, LogVarRange: 0.25}},
}

// smoothBackward are those without a kink, of which differences can be taken.
var smoothBackward = backwardSettings[:len(backwardSettings)-1]

// processes are one of each time grid, with n steps.
func processes(n int) map[string]diffusion.Process {
	all := map[string]diffusion.Process{}
	for _, g := range []diffusion.Grid{{}, diffusion.CosineGrid(), diffusion.PowerGrid(2), diffusion.LogGrid(20), diffusion.LogGrid(0.2)} {
		all[g.String()] = diffusion.Process{NumSteps: n, Sigma: 1.3, TScale: 2, Grid: g}
	}
	return all
}

func TestForwardLogProbIsTheGaussianOfItsDrift(t *testing.T) {
	const batch, n, d = 3, 4, 2
	s := testdevice.Stream(t, 1)
	paths := tensor.NewRNG(s, 2).Normal(backend.Float64, batch, n+1, d)
	x := testdevice.Values(t, paths)
	for grid, p := range processes(n) {
		for _, c := range forwardSettings {
			t.Run(c.name+"/"+grid, func(t *testing.T) {
				pf := newForward(t, s, backend.Float64, d, p, c.config)
				pf.Exploration = c.exploration
				tape := autograd.NewInference(s)
				got := testdevice.Values(t, pf.LogProb(tape.Const(paths)).Value())
				for i := range n {
					at := tensor.FromSlice(s, []float64{p.Time(i)}, 1)
					drift, logStd := pf.Drift(tape.Const(tensor.Slice(paths, 1, i, i+1)), at)
					mu, spread := testdevice.Values(t, drift.Value()), perCoordinate(t, logStd, batch, d)
					for b := range batch {
						want := 0.0
						for k := range d {
							v := p.ForwardVar(i, c.exploration)
							if spread != nil {
								v = math.Exp(2*spread[b*d+k])*p.Dt(i)*p.TScale + c.exploration*c.exploration
							}
							from, to := x[(b*(n+1)+i)*d+k], x[(b*(n+1)+i+1)*d+k]
							r := to - from - p.Dt(i)*mu[b*d+k]
							want -= 0.5 * (r*r/v + math.Log(v) + log2Pi)
						}
						require.InEpsilon(t, want, got[b*n+i], 1e-12)
					}
				}
			})
		}
	}
}

// What the same network gives as it is, a scaled policy takes in units of the process, clipped before.
func TestScaledOutputsAreInUnitsOfTheProcess(t *testing.T) {
	const d = 2
	s := testdevice.Stream(t, 1)
	states := autograd.NewInference(s).Const(tensor.NewRNG(s, 2).Normal(backend.Float64, 3, 4, d))
	for grid, p := range processes(4) {
		for _, clip := range []float64{0, 0.05} {
			c := diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Diagonal: true, Clip: clip, LogVarRange: 0.7}
			plain := newForward(t, s, backend.Float64, d, p, c)
			c.Scaled = true
			scaled := newForward(t, s, backend.Float64, d, p, c)
			require.NoError(t, nn.Copy(scaled.Params(), plain.Params()))
			times := p.Times(s, backend.Float64, 0, 3)
			drift, logStd := plain.Drift(states, times)
			drift2, logStd2 := scaled.Drift(states, times)
			want, spread := testdevice.Values(t, drift.Value()), testdevice.Values(t, logStd.Value())
			for i := range want {
				want[i] *= p.Sigma / math.Sqrt(1-p.Time(i/d%4))
				spread[i] += math.Log(p.Sigma)
			}
			require.InDeltaSlice(t, want, testdevice.Values(t, drift2.Value()), 1e-12, grid)
			require.InDeltaSlice(t, spread, testdevice.Values(t, logStd2.Value()), 1e-12, grid)
		}
	}
}

// A network that gives 0 leaves a scaled policy with the fixed variance.
func TestScaledVarianceBeginsWithTheFixedOne(t *testing.T) {
	s := testdevice.Stream(t, 1)
	paths := autograd.NewInference(s).Const(tensor.NewRNG(s, 2).Normal(backend.Float64, 3, 5, 2))
	for grid, p := range processes(4) {
		fixed := newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny})
		learned := newForward(t, s, backend.Float64, 2, p, diffusion.PolicyConfig{Net: tiny, LearnVariance: true, Scaled: true})
		silence(fixed.Net)
		silence(learned.Net)
		want, got := testdevice.Values(t, fixed.LogProb(paths).Value()), testdevice.Values(t, learned.LogProb(paths).Value())
		require.InDeltaSlice(t, want, got, 1e-12, grid)
	}
}

// perCoordinate reads (batch, 1, 1) or (batch, 1, d) as batch·d values; nil stays nil.
func perCoordinate(t testing.TB, v *autograd.Var, batch, d int) []float64 {
	t.Helper()
	if v == nil {
		return nil
	}
	return testdevice.Values(t, tensor.Contiguous(tensor.Broadcast(v.Value(), batch, 1, d)))
}

// An exploration that the device holds is the same as a number.
func TestExplorationMayBeATensor(t *testing.T) {
	const n, d = 4, 2
	s := testdevice.Stream(t, 1)
	paths := autograd.NewInference(s).Const(tensor.NewRNG(s, 2).Normal(backend.Float64, 3, n+1, d))
	for grid, p := range processes(n) {
		for _, c := range forwardSettings {
			pf := newForward(t, s, backend.Float64, d, p, c.config)
			want := testdevice.Values(t, pf.LogProbExploring(paths, 0.7).Value())
			got := testdevice.Values(t, pf.LogProbExploringBy(paths, tensor.FromSlice(s, []float64{0.7})).Value())
			require.InDeltaSlice(t, want, got, 1e-12, "%s, %s", c.name, grid)
		}
	}
	pf := newForward(t, s, backend.Float64, d, processes(n)["uniform"], forwardSettings[0].config)
	var err error
	func() {
		defer tensor.Catch(&err)
		pf.LogProbExploringBy(paths, tensor.FromSlice(s, []float64{1, 2}, 2))
	}()
	require.ErrorContains(t, err, "log p_F(float64(3, 5, 2), float64(2)): wants one number as the exploration")
}

// stated returns mean and variance of the step of a backward policy to state i, by the formulas of its documentation.
func stated(p diffusion.Process, c diffusion.PolicyConfig, i int, state, shift, spread float64) (mean, variance float64) {
	t, dt := p.Time(i+1), p.Dt(i)
	bridge := p.Sigma * p.Sigma * dt * (t - dt) / t
	switch {
	case c.Form == diffusion.Multiplicative:
		return state - state*dt/t*(1+shift), bridge * (1 + spread)
	case c.LearnVariance:
		return state*(1-dt/t) - shift, bridge + math.Exp(2*spread)
	}
	return state*(1-dt/t) - shift, bridge
}

// Without noise, and with noise of 1, the sampler returns mean and mean + std of each step.
func TestBackwardStepHasTheStatedMoments(t *testing.T) {
	const batch, n, d = 3, 4, 2
	s := testdevice.Stream(t, 1)
	x := tensor.NewRNG(s, 2).Normal(backend.Float64, batch, d)
	tape := autograd.NewInference(s)
	for grid, p := range processes(n) {
		for _, c := range backwardSettings {
			t.Run(c.name+"/"+grid, func(t *testing.T) {
				pb := newBackward(t, s, d, p, c.config)
				at := func(noise float64) []float64 {
					path := pb.Sample(tape, x, tensor.Full(s, backend.Float64, noise, batch, n, d)).Value()
					return testdevice.Values(t, tensor.Select(path, 1, n-1))
				}
				shift, spread := pb.Correction(tape.Const(tensor.Unsqueeze(x, 1)), tensor.Ones(s, backend.Float64, 1))
				shifts, spreads := testdevice.Values(t, shift.Value()), perCoordinate(t, spread, batch, d)
				if spreads == nil {
					spreads = make([]float64, batch*d)
				}
				mean, upper := at(0), at(1)
				for i, v := range testdevice.Values(t, x) {
					wantMean, variance := stated(p, c.config, n-1, v, shifts[i], spreads[i])
					require.InDelta(t, wantMean, mean[i], 1e-14)
					require.InDelta(t, math.Sqrt(variance), upper[i]-mean[i], 1e-14)
				}
			})
		}
	}
}

func TestCorrectionsStayInTheirRange(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 4, Sigma: 1, TScale: 1}
	states := tensor.MulScalar(tensor.NewRNG(s, 2).Normal(backend.Float64, 50, 1, 2), 1e3)
	for _, c := range backwardSettings {
		pb := newBackward(t, s, 2, p, c.config)
		shift, logStd := pb.Correction(autograd.NewInference(s).Const(states), tensor.Ones(s, backend.Float64, 1))
		scale := pb.Config.ScaleRange
		for _, v := range testdevice.Values(t, shift.Value()) {
			require.LessOrEqual(t, math.Abs(v), scale*math.Tanh(orInf(c.config.Clip)))
		}
		if logStd == nil {
			continue
		}
		for _, v := range testdevice.Values(t, logStd.Value()) {
			require.LessOrEqual(t, math.Abs(v), scale*math.Min(1, pb.Config.LogVarRange))
		}
	}
}

func orInf(limit float64) float64 {
	if limit == 0 {
		return math.Inf(1)
	}
	return limit
}

func TestStepToTheSourceIsCertain(t *testing.T) {
	s := testdevice.Stream(t, 1)
	for _, n := range []int{1, 2, 5} {
		p := diffusion.Process{NumSteps: n, Sigma: 1, TScale: 1}
		policies := []*diffusion.Backward{diffusion.NewBridge(p, 2)}
		for _, c := range backwardSettings {
			policies = append(policies, newBackward(t, s, 2, p, c.config))
		}
		for _, pb := range policies {
			rng := tensor.NewRNG(s, 3)
			tape := autograd.NewInference(s)
			path := pb.Sample(tape, rng.Normal(backend.Float64, 3, 2), rng.Normal(backend.Float64, 3, n, 2))
			for _, v := range testdevice.Values(t, tensor.Select(path.Value(), 1, 0)) {
				require.Zero(t, v)
			}
			for _, v := range testdevice.Values(t, tensor.Select(pb.LogProb(path).Value(), 1, 0)) {
				require.Zero(t, v)
			}
		}
	}
}

// What the sampler's noise was can be read from log p_B: −½ Σ (ε² + log var + log 2π). So must it be from what SampleScored returns.
func TestBackwardLogProbScoresItsOwnNoise(t *testing.T) {
	const batch, n, d = 3, 5, 2
	s := testdevice.Stream(t, 1)
	rng := tensor.NewRNG(s, 4)
	x, noise := rng.Normal(backend.Float64, batch, d), rng.Normal(backend.Float64, batch, n, d)
	eps := testdevice.Values(t, noise)
	for grid, p := range processes(n) {
		policies := map[string]*diffusion.Backward{"bridge": diffusion.NewBridge(p, d)}
		for _, c := range backwardSettings {
			policies[c.name] = newBackward(t, s, d, p, c.config)
		}
		for name, pb := range policies {
			t.Run(name+"/"+grid, func(t *testing.T) {
				tape := autograd.NewInference(s)
				path, scores := pb.SampleScored(tape, x, noise)
				require.Equal(t, testdevice.Values(t, pb.Sample(tape, x, noise).Value()), testdevice.Values(t, path.Value()))
				got, scored := testdevice.Values(t, pb.LogProb(path).Value()), testdevice.Values(t, scores.Value())
				for i := 1; i < n; i++ {
					spreads := make([]float64, batch*d)
					if pb.Learned() && pb.Config.LearnVariance {
						from := autograd.Slice(path, 1, i+1, i+2)
						_, l := pb.Correction(from, tensor.FromSlice(s, []float64{p.Time(i + 1)}, 1))
						spreads = perCoordinate(t, l, batch, d)
					}
					for b := range batch {
						want := 0.0
						for k := range d {
							_, variance := stated(p, pb.Config, i, 0, 0, spreads[b*d+k])
							e := eps[(b*n+n-1-i)*d+k]
							want -= 0.5 * (e*e + math.Log(variance) + log2Pi)
						}
						require.InEpsilon(t, want, got[b*n+i], 1e-9)
						require.InEpsilon(t, want, scored[b*n+i], 1e-9)
					}
				}
			})
		}
	}
}

// checkParams compares the gradients of f by the elements of params with central differences.
func checkParams(t *testing.T, params []nn.Param, f func(tape *autograd.Tape) *autograd.Var) {
	t.Helper()
	const h = 1e-5
	s := params[0].Value.Stream()
	tape := autograd.NewTape(s)
	grads := autograd.Backward(f(tape))
	value := func() (v float64) {
		s.Scope(func() { v = testdevice.Values(t, f(autograd.NewTape(s)).Value())[0] })
		return v
	}
	moved := false
	for _, p := range params {
		got, point := testdevice.Values(t, grads.Of(p.Value)), testdevice.Values(t, p.Value)
		for i, x := range point {
			point[i] = x + h
			tensor.SetSlice(p.Value, point)
			up := value()
			point[i] = x - h
			tensor.SetSlice(p.Value, point)
			want := (up - value()) / (2 * h)
			point[i] = x
			require.InDelta(t, want, got[i], 1e-6*math.Max(1, math.Abs(want)), "%s[%d]", p.Name, i)
			moved = moved || got[i] != 0
		}
		tensor.SetSlice(p.Value, point)
	}
	require.True(t, moved, "no parameter matters")
}

// weigh sums y with weights that no symmetry hides.
func weigh(y *autograd.Var) *autograd.Var {
	weights := make([]float64, y.Value().Len())
	for i := range weights {
		weights[i] = 0.5 + math.Mod(float64(i+1)*math.Phi, 1)
	}
	tape := y.Tape()
	return autograd.Sum(autograd.Mul(y, tape.Const(tensor.FromSlice(tape.Stream(), weights, y.Shape()...))))
}

func TestLogProbGradientsAgreeWithDifferences(t *testing.T) {
	const batch, n, d = 2, 3, 2
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: n, Sigma: 1.3, TScale: 2, Grid: diffusion.PowerGrid(2)}
	paths := tensor.NewRNG(s, 2).Normal(backend.Float64, batch, n+1, d)
	policies := map[string]interface {
		Params() []nn.Param
		LogProb(states *autograd.Var) *autograd.Var
	}{}
	for _, c := range forwardSettings {
		pf := newForward(t, s, backend.Float64, d, p, c.config)
		pf.Exploration = c.exploration
		policies["forward "+c.name] = pf
	}
	for _, c := range smoothBackward {
		policies["backward "+c.name] = newBackward(t, s, d, p, c.config)
	}
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			checkParams(t, policy.Params(), func(tape *autograd.Tape) *autograd.Var {
				return weigh(policy.LogProb(tape.Const(paths)))
			})
			byStates := func(xs []*autograd.Var) *autograd.Var { return policy.LogProb(xs[0]) }
			require.NoError(t, autograd.CheckGrad(byStates, paths))
		})
	}
	t.Run("bridge", func(t *testing.T) {
		bridge := diffusion.NewBridge(p, d)
		byStates := func(xs []*autograd.Var) *autograd.Var { return bridge.LogProb(xs[0]) }
		require.NoError(t, autograd.CheckGrad(byStates, paths))
	})
}

func TestLogProbSecondDerivativesAgreeWithDifferences(t *testing.T) {
	const n, d = 2, 1
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: n, Sigma: 1.3, TScale: 1}
	pf := newForward(t, s, backend.Float64, d, p, diffusion.PolicyConfig{Net: tiny, LearnVariance: true})
	paths := tensor.NewRNG(s, 2).Normal(backend.Float64, 2, n+1, d)
	require.NoError(t, autograd.CheckGradGrad(func(xs []*autograd.Var) *autograd.Var { return pf.LogProb(xs[0]) }, paths))
	checkParams(t, pf.Params(), func(tape *autograd.Tape) *autograd.Var {
		y := weigh(pf.LogProb(tape.Const(paths)))
		var leaves []*autograd.Var
		for _, param := range pf.Params() {
			leaves = append(leaves, tape.Leaf(param.Value))
		}
		total := autograd.MulScalar(y, 0)
		for _, g := range autograd.Grad(y, leaves, autograd.GradOptions{CreateGraph: true}) {
			total = autograd.Add(total, weigh(g))
		}
		return total
	})
}

func TestPathGradientsReachTheBackwardNetwork(t *testing.T) {
	const n, d = 4, 2
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: n, Sigma: 1.3, TScale: 1}
	rng := tensor.NewRNG(s, 2)
	x, noise := rng.Normal(backend.Float64, 2, d), rng.Normal(backend.Float64, 2, n, d)
	for _, c := range smoothBackward {
		t.Run(c.name, func(t *testing.T) {
			pb := newBackward(t, s, d, p, c.config)
			checkParams(t, pb.Params(), func(tape *autograd.Tape) *autograd.Var { return weigh(pb.Sample(tape, x, noise)) })
			if c.config.LearnVariance {
				checkParams(t, pb.Params(), func(tape *autograd.Tape) *autograd.Var {
					_, logPB := pb.SampleScored(tape, x, noise)
					return weigh(logPB)
				})
			}
		})
	}
}

func TestLogProbRefusesOtherShapes(t *testing.T) {
	s := testdevice.Stream(t, 1)
	p := diffusion.Process{NumSteps: 3, Sigma: 1, TScale: 1}
	pf := newForward(t, s, backend.Float32, 2, p, diffusion.PolicyConfig{Net: tiny})
	for _, shape := range [][]int{{2, 4}, {2, 3, 2}, {2, 4, 3}} {
		states := autograd.NewInference(s).Const(tensor.Zeros(s, backend.Float32, shape...))
		for op, score := range map[string]func(*autograd.Var) *autograd.Var{
			"log p_F": pf.LogProb, "log p_B": diffusion.NewBridge(p, 2).LogProb,
		} {
			var err error
			func() {
				defer tensor.Catch(&err)
				score(states)
			}()
			require.ErrorContains(t, err, fmt.Sprintf("tensor: %s(float32(", op))
			require.ErrorContains(t, err, "wants trajectories (B, 4, 2)")
		}
	}
}
