package diffusion

import (
	"fmt"
	"math"
	"slices"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// GMM is a mixture of Gaussians, normalised: log Z = 0.
type GMM struct {
	dim     int
	weights []float64
	means   []float64 // (K, d)
	factors []float64 // (K, d, d), lower Cholesky factors L of the covariances
	whiten  []float64 // (K, d, d), their inverses
	offset  []float64 // (K): log weight − log det L − d/2·log 2π
}

var (
	_ Target       = (*GMM)(nil)
	_ ExactSampler = (*GMM)(nil)
	_ Normalized   = (*GMM)(nil)
	_ Gradient     = (*GMM)(nil)
	_ Modal        = (*GMM)(nil)
)

// NewGMM returns the mixture of components with those weights, which need not sum to 1, means (K × d) and covariances (K × d × d).
// Sizes that disagree, weights that are not positive and covariances that are not positive definite are errors.
func NewGMM(weights []float64, means [][]float64, covs [][][]float64) (*GMM, error) {
	k := len(weights)
	if k == 0 || len(means) != k || len(covs) != k {
		return nil, fmt.Errorf("diffusion: a mixture of %d weights, %d means and %d covariances; want one of each a component", k, len(means), len(covs))
	}
	if len(means[0]) == 0 {
		return nil, fmt.Errorf("diffusion: component 0 of the mixture has no dimensions")
	}
	total := 0.0
	for i, w := range weights {
		if !positive(w) {
			return nil, fmt.Errorf("diffusion: weight %d of the mixture is %v; want a positive number", i, w)
		}
		total += w
	}
	g := &GMM{dim: len(means[0])}
	for i := range weights {
		if err := g.checkComponent(means[i], covs[i]); err != nil {
			return nil, fmt.Errorf("diffusion: component %d of the mixture: %w", i, err)
		}
		factor, err := cholesky(covs[i])
		if err != nil {
			return nil, fmt.Errorf("diffusion: component %d of the mixture: %w", i, err)
		}
		g.add(weights[i]/total, means[i], factor)
	}
	return g, nil
}

func (g *GMM) checkComponent(mean []float64, cov [][]float64) error {
	if len(mean) != g.dim || len(cov) != g.dim {
		return fmt.Errorf("a mean of %d and a covariance of %d dimensions; want %d", len(mean), len(cov), g.dim)
	}
	for _, x := range mean {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("the mean %v is not finite", mean)
		}
	}
	return nil
}

func (g *GMM) add(weight float64, mean []float64, factor []float64) {
	offset := math.Log(weight) - 0.5*float64(g.dim)*log2Pi
	for i := range g.dim {
		offset -= math.Log(factor[i*g.dim+i])
	}
	g.weights = append(g.weights, weight)
	g.means = append(g.means, mean...)
	g.factors = append(g.factors, factor...)
	g.whiten = append(g.whiten, invertLower(factor, g.dim)...)
	g.offset = append(g.offset, offset)
}

// addRound adds a component of the same standard deviation in every direction.
func (g *GMM) addRound(weight float64, mean []float64, std float64) {
	factor := make([]float64, g.dim*g.dim)
	for i := range g.dim {
		factor[i*g.dim+i] = std
	}
	g.add(weight, mean, factor)
}

// Dim returns the number of coordinates.
func (g *GMM) Dim() int { return g.dim }

// LogZ returns 0.
func (g *GMM) LogZ() float64 { return 0 }

// LogReward returns the log density (B) at points (B, d).
func (g *GMM) LogReward(x *autograd.Var) *autograd.Var {
	checkPoints("log density of a mixture", x.Value(), g.dim)
	k := len(g.weights)
	deviation := autograd.Sub(autograd.Unsqueeze(x, 0), constant(x, g.means, k, 1, g.dim))
	white := autograd.MatMul(deviation, autograd.Transpose(constant(x, g.whiten, k, g.dim, g.dim), 1, 2))
	exponent := autograd.MulScalar(autograd.Sum(autograd.Mul(white, white), 2), -0.5)
	return autograd.LogSumExp(autograd.Add(exponent, constant(x, g.offset, k, 1)), 0)
}

// GradLogReward returns the gradient (B, d) of the log density: that of each component, weighted by the probability that x is of it.
func (g *GMM) GradLogReward(x *tensor.Tensor) *tensor.Tensor {
	checkPoints("gradient of a mixture", x, g.dim)
	s, d, k := x.Stream(), x.DType(), len(g.weights)
	whiten := upload(s, d, g.whiten, k, g.dim, g.dim)
	deviation := tensor.Sub(tensor.Unsqueeze(x, 0), upload(s, d, g.means, k, 1, g.dim))
	white := tensor.MatMul(deviation, tensor.Transpose(whiten, 1, 2))
	exponent := tensor.MulScalar(tensor.Sum(tensor.Square(white), 2), -0.5)
	share := tensor.Softmax(tensor.Add(exponent, upload(s, d, g.offset, k, 1)), 0)
	return tensor.Neg(tensor.Sum(tensor.Mul(tensor.Unsqueeze(share, 2), tensor.MatMul(white, whiten)), 0))
}

// ModeWeights returns the weights of the components.
func (g *GMM) ModeWeights() []float64 { return slices.Clone(g.weights) }

// Mode returns the component that x most probably is of, or −1 if fewer than one in a thousand of its samples are that far from its mean.
func (g *GMM) Mode(x []float64) int {
	best, score, distance := -1, math.Inf(-1), 0.0
	for k := range g.weights {
		square := g.mahalanobis(k, x)
		if s := g.offset[k] - square/2; s > score {
			best, score, distance = k, s, square
		}
	}
	if !(distance <= chiSquare999(g.dim)) {
		return -1
	}
	return best
}

// mahalanobis returns (x − μ)ᵀ Σ⁻¹ (x − μ) of component k.
func (g *GMM) mahalanobis(k int, x []float64) float64 {
	mean, whiten := g.means[k*g.dim:(k+1)*g.dim], g.whiten[k*g.dim*g.dim:(k+1)*g.dim*g.dim]
	sum := 0.0
	for i := range g.dim {
		white := 0.0
		for j, w := range whiten[i*g.dim : i*g.dim+i+1] {
			white += w * (x[j] - mean[j])
		}
		sum += white * white
	}
	return sum
}

// chiSquare999 returns the quantile 0.999 of χ² with d degrees of freedom, by the approximation of Wilson and Hilferty (1931), within 1% from d = 2.
func chiSquare999(d int) float64 {
	v := 2 / (9 * float64(d))
	root := 1 - v + 3.0902*math.Sqrt(v)
	return float64(d) * root * root * root
}

// Sample returns n exact samples (n, d).
func (g *GMM) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	s, k := rng.Stream(), len(g.weights)
	component := rng.Categorical(g.weights, n)
	noise := rng.Normal(d, n, g.dim, 1)
	factor := tensor.Take(upload(s, d, g.factors, k, g.dim, g.dim), 0, component)
	mean := tensor.Take(upload(s, d, g.means, k, g.dim), 0, component)
	return tensor.Add(tensor.Squeeze(tensor.MatMul(factor, noise), 2), mean)
}
