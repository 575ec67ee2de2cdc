package diffusion

import (
	"fmt"
	"math"
	"slices"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// StudentT is a mixture with equal weights of components whose coordinates are independent Student's t of unit scale, normalised (after D. Blessing et
// al., "Beyond ELBOs", 2024):
//
//	p(x) = 1/K · Σ_k Π_i t_ν(x_i − mean[k]_i)
//
// With ν = 2 its variance is infinite. Distances between samples are then dominated by the farthest of them.
type StudentT struct {
	dim   int
	df    int
	means []float64 // (K, d)
}

var (
	_ ExactSampler = (*StudentT)(nil)
	_ Normalized   = (*StudentT)(nil)
	_ Modal        = (*StudentT)(nil)
)

// NewStudentT returns the mixture of components about means (K × d), with df ≥ 1 degrees of freedom, at most 100.
// Other degrees, and means that differ in dimension or are not finite, are errors.
func NewStudentT(df int, means [][]float64) (*StudentT, error) {
	if df < 1 || df > 100 {
		return nil, fmt.Errorf("diffusion: Student's t with %d degrees of freedom; want 1 to 100", df)
	}
	if len(means) == 0 || len(means[0]) == 0 {
		return nil, fmt.Errorf("diffusion: a mixture of Student's t without means or dimensions; want at least one of each")
	}
	t := &StudentT{dim: len(means[0]), df: df}
	for k, mean := range means {
		if len(mean) != t.dim {
			return nil, fmt.Errorf("diffusion: mean %d of the mixture has %d dimensions; want %d", k, len(mean), t.dim)
		}
		if slices.ContainsFunc(mean, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }) {
			return nil, fmt.Errorf("diffusion: mean %d of the mixture, %v, is not finite", k, mean)
		}
		t.means = append(t.means, mean...)
	}
	return t, nil
}

// openStudentT spreads the means evenly over [−spread, spread]^dim, as torch.rand under the seed does.
func openStudentT(p Params) (Target, error) {
	dim, err := p.Int("dim", 1, 1<<12)
	if err != nil {
		return nil, err
	}
	components, err := p.Int("components", 1, 1<<12)
	if err != nil {
		return nil, err
	}
	seed, err := p.Int("seed", 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	df, err := p.Int("df", 1, 100)
	if err != nil {
		return nil, err
	}
	if err := p.positive("spread"); err != nil {
		return nil, err
	}
	means := slices.Collect(slices.Chunk(spreadMeans(uint32(seed), components, dim, p["spread"]), dim))
	return NewStudentT(df, means)
}

// Dim returns the number of coordinates.
func (t *StudentT) Dim() int { return t.dim }

// LogZ returns 0.
func (t *StudentT) LogZ() float64 { return 0 }

func (t *StudentT) components() int { return len(t.means) / t.dim }

// logScale returns the log density of t_ν at 0, log Γ((ν+1)/2) − log Γ(ν/2) − ½ log νπ.
func (t *StudentT) logScale() float64 {
	nu := float64(t.df)
	above, _ := math.Lgamma((nu + 1) / 2)
	below, _ := math.Lgamma(nu / 2)
	return above - below - 0.5*math.Log(nu*math.Pi)
}

// LogReward returns the log density (B) at points (B, d).
func (t *StudentT) LogReward(x *autograd.Var) *autograd.Var {
	checkPoints("log density of Student's t", x.Value(), t.dim)
	k, nu := t.components(), float64(t.df)
	deviation := autograd.Sub(autograd.Unsqueeze(x, 0), constant(x, t.means, k, 1, t.dim))
	tails := autograd.Log1p(autograd.MulScalar(autograd.Square(deviation), 1/nu))
	of := autograd.MulScalar(autograd.Sum(tails, 2), -0.5*(nu+1))
	return autograd.AddScalar(autograd.LogSumExp(of, 0), float64(t.dim)*t.logScale()-math.Log(float64(k)))
}

// Sample returns n exact samples (n, d): a normal number over the root of the mean of ν squares of others.
func (t *StudentT) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	k := t.components()
	mean := tensor.Take(upload(rng.Stream(), d, t.means, k, t.dim), 0, rng.Integers(backend.Int64, 0, int64(k), n))
	scale := tensor.Rsqrt(tensor.Mean(tensor.Square(rng.Normal(d, n, t.dim, t.df)), 2))
	return tensor.Add(mean, tensor.Mul(rng.Normal(d, n, t.dim), scale))
}

// ModeWeights returns 1/K for each component.
func (t *StudentT) ModeWeights() []float64 {
	return slices.Repeat([]float64{1 / float64(t.components())}, t.components())
}

// Mode returns the component that x most probably is of, −1 if x is not finite. The tails have no end, so no point is too far.
func (t *StudentT) Mode(x []float64) int {
	best, least := -1, math.Inf(1)
	for k := range t.components() {
		tails := 0.0
		for i, m := range t.means[k*t.dim : (k+1)*t.dim] {
			z := x[i] - m
			tails += math.Log1p(float64(z*z) / float64(t.df))
		}
		if tails < least {
			best, least = k, tails
		}
	}
	return best
}
