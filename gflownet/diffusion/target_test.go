package diffusion_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

// logRewards returns the log rewards at points, row by row.
func logRewards(t testing.TB, s *tensor.Stream, env gflownet.Env, points []float64) []float64 {
	t.Helper()
	x := tensor.FromSlice(s, points, len(points)/env.Dim(), env.Dim())
	return testdevice.Values(t, env.LogReward(autograd.NewInference(s).Const(x)).Value())
}

// densities.json holds log rewards by scipy and mpmath; densities.py beside it made it.
func TestLogRewardsEqualIndependentFormulas(t *testing.T) {
	data, err := os.ReadFile("testdata/densities.json")
	require.NoError(t, err)
	var recorded map[string]struct {
		Points    [][]float64 `json:"points"`
		LogReward []float64   `json:"log_reward"`
		LogZ      *float64    `json:"log_z"`
	}
	require.NoError(t, json.Unmarshal(data, &recorded))
	require.Len(t, recorded, 9)
	s := testdevice.Stream(t, 0)
	for spec, want := range recorded {
		t.Run(spec, func(t *testing.T) {
			target, err := diffusion.NewTarget(spec)
			require.NoError(t, err)
			got := logRewards(t, s, target, slices.Concat(want.Points...))
			require.Len(t, got, len(want.LogReward))
			for i, w := range want.LogReward {
				require.InDelta(t, w, got[i], 1e-10*math.Max(1, math.Abs(w)))
			}
			if want.LogZ != nil {
				require.InDelta(t, *want.LogZ, target.(diffusion.Normalized).LogZ(), 1e-9)
			}
		})
	}
}

// small are all targets, in few dimensions where there is a choice.
var small = []string{
	"gmm2", "gmm4", "gmm8", "gmm2_seed2", "gmm25_prior", "gmm25_posterior9", "gmm40", "gmm40:dim=3,components=4,spread=5", "easy_funnel:dim=4",
	"hard_funnel:dim=3", "many_well:dim=4", "rings", "rosenbrock", "rosenbrock:blocks=2,length=3,mu=0.3,a=2,b=3", "student_t", "student_t:dim=3,df=5",
	"log_gaussian_cox:side=3",
}

func TestGradientsOfTargets(t *testing.T) {
	s := testdevice.Stream(t, 0)
	for _, spec := range small {
		t.Run(spec, func(t *testing.T) {
			target, err := diffusion.NewTarget(spec)
			require.NoError(t, err)
			x := tensor.MulScalar(tensor.NewRNG(s, 3).Normal(backend.Float64, 3, target.Dim()), 1.3)
			f := func(xs []*autograd.Var) *autograd.Var { return target.LogReward(xs[0]) }
			require.NoError(t, autograd.CheckGrad(f, x))
			require.NoError(t, autograd.CheckGradGrad(f, x))

			tape := autograd.NewTape(s)
			leaf := tape.Leaf(x)
			want := autograd.Grad(autograd.Sum(target.LogReward(leaf)), []*autograd.Var{leaf}, autograd.GradOptions{})[0]
			require.InDeltaSlice(t, testdevice.Values(t, want.Value()), testdevice.Values(t, diffusion.Score(target, x)), 1e-9)
		})
	}
}

// A quadrature of the reward over a box that holds all but a sliver.
func TestNormalisersInTwoDimensions(t *testing.T) {
	const cells = 400
	s := testdevice.Stream(t, 0)
	for _, c := range []struct {
		spec                   string
		left, right, low, high float64
	}{
		{"gmm25_posterior9", -15, 15, -15, 15},
		{"gmm40", -50, 50, -50, 50},
		{"easy_funnel:dim=2", -6, 5, -60, 60},
		{"many_well:dim=2", -3, 3, -6, 6},
		{"rings", -5, 5, -5, 5},
		{"rosenbrock:mu=0.3,a=2,b=3", -2.5, 3, -3, 12},
		{"student_t:df=8,spread=3", -30, 30, -30, 30},
	} {
		t.Run(c.spec, func(t *testing.T) {
			target := openTarget(t, c.spec)
			width, height := (c.right-c.left)/cells, (c.high-c.low)/cells
			points := make([]float64, 0, 2*cells*cells)
			for i := range cells {
				for j := range cells {
					points = append(points, c.left+width*(float64(i)+0.5), c.low+height*(float64(j)+0.5))
				}
			}
			cell := math.Log(width * height * cells * cells)
			require.InDelta(t, target.LogZ(), diffusion.LogMeanExp(logRewards(t, s, target, points)).Value+cell, 2e-3)
		})
	}
}

// Samples of p weighed by q/p for another density q have mean 1 if, and hardly unless, p is what they are of. Here q is p seen through a shear, which keeps
// volumes.
func TestSamplesAreOfTheDensity(t *testing.T) {
	const n = 20000
	s := testdevice.Stream(t, 0)
	for _, spec := range small {
		known, err := diffusion.NewTarget(spec)
		require.NoError(t, err)
		target, ok := known.(diffusion.Sampled)
		if !ok {
			require.Equal(t, "log_gaussian_cox:side=3", spec, "the only one without samples")
			continue
		}
		t.Run(spec, func(t *testing.T) {
			d := target.Dim()
			for _, dtype := range []backend.DType{backend.Float32, backend.Float64} {
				samples := target.Sample(tensor.NewRNG(s, 7), dtype, n)
				require.Equal(t, dtype, samples.DType())
				require.Equal(t, []int{n, d}, samples.Shape())
				xs := testdevice.Values(t, samples)
				moved := slices.Clone(xs)
				for i := 0; i < len(moved); i += d {
					moved[i] += 0.05 * math.Sin(xs[i+1])
				}
				before, after := logRewards(t, s, target, xs), logRewards(t, s, target, moved)
				ratios := make([]float64, n)
				for i := range ratios {
					ratios[i] = math.Exp(after[i] - before[i])
				}
				got := diffusion.MeanOf(ratios)
				require.InDelta(t, 1, got.Value, 4.5*got.SE)
			}
		})
	}
}

// The distribution of a coordinate, or of what is made of several, is known: Kolmogorov and Smirnov's distance to it is of the order of 1/√n.
func TestSamplesFollowKnownDistributions(t *testing.T) {
	const n = 20000
	normal := func(x, mean, std float64) float64 { return 0.5 * math.Erfc((mean-x)/std/math.Sqrt2) }
	s := testdevice.Stream(t, 0)
	wells := wellCDF()
	for _, c := range []struct {
		name, spec string
		statistic  func(x []float64) float64
		cdf        func(v float64) float64
	}{
		{"neck", "hard_funnel", func(x []float64) float64 { return x[0] }, func(v float64) float64 { return normal(v, 0, 3) }},
		{"whitened rest", "hard_funnel", func(x []float64) float64 { return x[9] * math.Exp(-x[0]/2) }, func(v float64) float64 { return normal(v, 0, 1) }},
		{"first well", "many_well:dim=4", func(x []float64) float64 { return x[0] }, wells},
		{"last well", "many_well:dim=4", func(x []float64) float64 { return x[2] }, wells},
		{"beside a well", "many_well:dim=4", func(x []float64) float64 { return x[3] }, func(v float64) float64 { return normal(v, 0, 1) }},
		{"radius", "rings", func(x []float64) float64 { return math.Hypot(x[0], x[1]) }, func(v float64) float64 {
			return (normal(v, 1, 0.15) + normal(v, 2, 0.15) + normal(v, 3, 0.15) + normal(v, 4, 0.15)) / 4
		}},
		{"angle", "rings", func(x []float64) float64 { return math.Atan2(x[1], x[0]) }, func(v float64) float64 { return v/(2*math.Pi) + 0.5 }},
		{"head", "rosenbrock", func(x []float64) float64 { return x[0] }, func(v float64) float64 { return normal(v, 1, math.Sqrt(10)) }},
		{"end of a block", "rosenbrock:blocks=2,length=3", func(x []float64) float64 { return x[4] - x[3]*x[3] },
			func(v float64) float64 { return normal(v, 0, math.Sqrt(0.1)) }},
		{"heavy tails", "student_t:components=1,spread=1e-9", func(x []float64) float64 { return x[1] },
			func(v float64) float64 { return 0.5 + v/(2*math.Sqrt(2+v*v)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := openTarget(t, c.spec)
			xs := testdevice.Values(t, target.Sample(tensor.NewRNG(s, 11), backend.Float64, n))
			values := make([]float64, 0, n)
			for x := range slices.Chunk(xs, target.Dim()) {
				values = append(values, c.statistic(x))
			}
			slices.Sort(values)
			far := 0.0
			for i, v := range values {
				p := c.cdf(v)
				far = max(far, math.Abs(p-float64(i)/n), math.Abs(p-float64(i+1)/n))
			}
			require.Less(t, far, 1.95/math.Sqrt(n), "one in a thousand is farther")
		})
	}
}

// wellCDF returns the distribution function of exp(−u⁴ + 6u² + u/2), by a sum over a fine grid.
func wellCDF() func(u float64) float64 {
	const reach, cells = 4.0, 80000
	sums := make([]float64, cells+1)
	for i := range cells {
		u := reach * (2*(float64(i)+0.5)/cells - 1)
		sums[i+1] = sums[i] + math.Exp(-u*u*u*u+6*u*u+0.5*u)
	}
	return func(u float64) float64 { return sums[int((u/reach+1)/2*cells+0.5)] / sums[cells] }
}

// Of torchgfn: the log reward for fine-tuning is that of the posterior less that of the prior.
func TestLikelihoodOfPosterior9(t *testing.T) {
	s := testdevice.Stream(t, 0)
	posterior := diffusion.NewPosterior9()
	reward := posterior.Likelihood()
	require.NotImplements(t, (*diffusion.Normalized)(nil), reward)
	require.NotImplements(t, (*diffusion.ExactSampler)(nil), reward)
	x := testdevice.Values(t, posterior.Prior().Sample(tensor.NewRNG(s, 5), backend.Float64, 20000))
	got := logRewards(t, s, reward, x)
	after, before := logRewards(t, s, posterior, x), logRewards(t, s, posterior.Prior(), x)
	ratios := make([]float64, len(got))
	for i := range got {
		require.InDelta(t, after[i]-before[i], got[i], 1e-10*math.Max(1, math.Abs(got[i])))
		ratios[i] = math.Exp(got[i])
	}
	mean := diffusion.MeanOf(ratios)
	require.InDelta(t, 1, mean.Value, 4*mean.SE, "under the prior, log Z = 0")
}

func TestModesOfExactSamples(t *testing.T) {
	const n = 20000
	s := testdevice.Stream(t, 0)
	for spec, modes := range map[string]int{
		"gmm25_prior": 25, "gmm25_posterior9": 9, "gmm40": 40, "many_well:dim=8": 16, "rings": 4, "student_t:spread=100": 10,
	} {
		t.Run(spec, func(t *testing.T) {
			target := openTarget(t, spec)
			c := diffusion.CoverModes(target, testdevice.Values(t, target.Sample(tensor.NewRNG(s, 1), backend.Float32, n)))
			require.Equal(t, modes, c.Modes)
			require.Equal(t, modes, c.Covered)
			require.Greater(t, c.InModes.Value, 0.995)
			require.Less(t, c.Distance, 0.02)
			weights := 0.0
			for _, w := range target.(diffusion.Modal).ModeWeights() {
				weights += w
			}
			require.InDelta(t, 1, weights, 1e-12)
		})
	}
	require.Nil(t, diffusion.CoverModes(openTarget(t, "rosenbrock"), []float64{0, 0}), "no modes")
	require.Nil(t, diffusion.CoverModes(openTarget(t, "many_well:dim=64"), make([]float64, 64)), "too many modes")
	far := diffusion.CoverModes(openTarget(t, "gmm25_prior"), []float64{0, 0, 2.5, 2.5})
	require.Equal(t, 1, far.Covered)
	require.Equal(t, 0.5, far.InModes.Value, "between the modes is in none")
}

func TestCoxProcess(t *testing.T) {
	s := testdevice.Stream(t, 0)
	target, err := diffusion.NewTarget("log_gaussian_cox:side=2")
	require.NoError(t, err)
	require.NotImplements(t, (*diffusion.Normalized)(nil), target)
	require.NotImplements(t, (*diffusion.ExactSampler)(nil), target)

	// One cell: a Gaussian prior and a Poisson count.
	one, err := diffusion.NewCoxProcess([]float64{126})
	require.NoError(t, err)
	x, mean := 4.2, math.Log(126)-1.91/2
	want := -0.5*(x-mean)*(x-mean)/1.91 - 0.5*math.Log(2*math.Pi*1.91) + 126*x - math.Exp(x)
	require.InDelta(t, want, logRewards(t, s, one, []float64{x})[0], 1e-10)

	// Two rows of two cells: the covariance has three values, and the symmetric modes diagonalise it.
	counts := []float64{3, 0, 1, 7}
	four, err := diffusion.NewCoxProcess(counts)
	require.NoError(t, err)
	counts[0] = 99 // is the caller's
	side, across := math.Exp(-33.0/2), math.Exp(-33*math.Sqrt2/2)
	z := []float64{0.5, -1, 0.25, 2}
	want = -2 * math.Log(2*math.Pi)
	for _, sign := range [][4]float64{{1, 1, 1, 1}, {1, -1, 1, -1}, {1, 1, -1, -1}, {1, -1, -1, 1}} {
		eigen, along := 0.0, 0.0
		for i, c := range []float64{1, side, side, across} {
			eigen += 1.91 * c * sign[0] * sign[i]
			along += 0.5 * sign[i] * z[i]
		}
		want -= 0.5*along*along/eigen + 0.5*math.Log(eigen)
	}
	at := make([]float64, 4)
	for i, y := range []float64{3, 0, 1, 7} {
		at[i] = z[i] + mean
		want += y*at[i] - math.Exp(at[i])/4
	}
	require.InDelta(t, want, logRewards(t, s, four, at)[0], 1e-9)

	for _, counts := range [][]float64{nil, {1, 2}, {0.5}, {-1}, {math.NaN()}, make([]float64, 65*65)} {
		_, err := diffusion.NewCoxProcess(counts)
		require.Error(t, err)
	}
}

func TestNoPointThatIsNotFiniteIsInAMode(t *testing.T) {
	for _, name := range []string{"gmm25_prior", "rings", "many_well:dim=2", "student_t"} {
		modal := openTarget(t, name).(diffusion.Modal)
		for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			require.Equal(t, -1, modal.Mode([]float64{x, 0}), "%s at %v", name, x)
		}
	}
}

func TestNewTargetTakesParameters(t *testing.T) {
	require.Equal(t, 8, openTarget(t, "many_well:dim=8").Dim())
	require.InDelta(t, 164.6957, openTarget(t, "many_well").LogZ(), 1e-4)
	require.Equal(t, diffusion.Params{"dim": 10, "std": 3}, diffusion.TargetParams("hard_funnel"))
	for _, name := range diffusion.Targets() {
		if name == "log_gaussian_cox" {
			continue // in 1,600 dimensions it takes seconds; TestCoxProcess opens small ones
		}
		_, err := diffusion.NewTarget(name)
		require.NoError(t, err)
	}
	for spec, want := range map[string]string{
		"gmm3":                     `diffusion: unknown target "gmm3"; have easy_funnel, gmm2, `,
		"many_well:dim=7":          "diffusion: wells in 7 dimensions; want a positive even number",
		"many_well:dim=2.5":        "diffusion: target many_well: dim is 2.5; want a whole number from 2 to 1048576",
		"many_well:dim=x":          `diffusion: target many_well: dim is "x"; want a number`,
		"many_well:dim=NaN":        `diffusion: target many_well: dim is "NaN"; want a number`,
		"many_well:":               `diffusion: target "many_well:" ends in a colon; want parameters after it, or none`,
		"many_well:size=4":         `diffusion: target many_well: there is no parameter "size"; have dim=32`,
		"gmm25_prior:dim=2":        `diffusion: target gmm25_prior: there is no parameter "dim"; it has none`,
		"easy_funnel:std=0":        "a funnel whose neck has standard deviation 0; want a positive number",
		"easy_funnel:dim=1":        "dim is 1; want a whole number from 2 to",
		"rings:std=-1":             "rings of standard deviation -1; want a positive number",
		"rosenbrock:a=0":           "a Rosenbrock with A = 0 and B = 5; want positive numbers",
		"student_t:df=0.5":         "df is 0.5; want a whole number from 1 to 100",
		"gmm40:spread=0":           "spread is 0; want a positive number",
		"log_gaussian_cox:side=65": "side is 65; want a whole number from 1 to 64",
	} {
		_, err := diffusion.NewTarget(spec)
		require.ErrorContains(t, err, want)
	}
}

func TestRegisterTargetPanicsWhereItCannot(t *testing.T) {
	open := func(diffusion.Params) (diffusion.Target, error) { return diffusion.NewPosterior9(), nil }
	for _, name := range []string{"", "gmm2", "a:b", "a=b", "a,b", "a/b"} {
		require.Panics(t, func() { diffusion.RegisterTarget(name, nil, open) }, name)
	}
	require.Panics(t, func() { diffusion.RegisterTarget("nothing", nil, nil) })
}

func TestTargetsRefuseOtherWidths(t *testing.T) {
	s := testdevice.Stream(t, 1)
	target := openTarget(t, "many_well:dim=4")
	require.PanicsWithError(t, "tensor: log reward of wells(float64(5, 3)): wants points (B, 4), one a row", func() {
		target.LogReward(autograd.NewInference(s).Const(tensor.Zeros(s, backend.Float64, 5, 3)))
	})
}
