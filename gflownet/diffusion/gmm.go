package diffusion

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"

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

var _ Target = (*GMM)(nil)

// NewGMM returns the mixture of components with those weights, which need not sum to 1, means (K × d) and covariances (K × d × d).
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
		if !(w > 0) || math.IsInf(w, 1) {
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

// Dim returns the number of coordinates.
func (g *GMM) Dim() int { return g.dim }

// LogZ returns 0.
func (g *GMM) LogZ() float64 { return 0 }

// LogReward returns the log density (B) at points (B, d).
func (g *GMM) LogReward(x *autograd.Var) *autograd.Var {
	tape, k := x.Tape(), len(g.weights)
	constant := func(values []float64, shape ...int) *autograd.Var {
		return tape.Const(tensor.Cast(tensor.FromSlice(tape.Stream(), values, shape...), x.Value().DType()))
	}
	deviation := autograd.Sub(autograd.Unsqueeze(x, 0), constant(g.means, k, 1, g.dim))
	white := autograd.MatMul(deviation, autograd.Transpose(constant(g.whiten, k, g.dim, g.dim), 1, 2))
	exponent := autograd.MulScalar(autograd.Sum(autograd.Mul(white, white), 2), -0.5)
	return autograd.LogSumExp(autograd.Add(exponent, constant(g.offset, k, 1)), 0)
}

// Sample returns n exact samples (n, d).
func (g *GMM) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	s, k := rng.Stream(), len(g.weights)
	component := rng.Categorical(g.weights, n)
	noise := rng.Normal(d, n, g.dim, 1)
	factor := tensor.Take(tensor.Cast(tensor.FromSlice(s, g.factors, k, g.dim, g.dim), d), 0, component)
	mean := tensor.Take(tensor.Cast(tensor.FromSlice(s, g.means, k, g.dim), d), 0, component)
	return tensor.Add(tensor.Squeeze(tensor.MatMul(factor, noise), 2), mean)
}

// cholesky returns the lower factor L of a = L·Lᵀ, row-major.
func cholesky(a [][]float64) ([]float64, error) {
	n := len(a)
	l := make([]float64, n*n)
	for i := range n {
		if len(a[i]) != n {
			return nil, fmt.Errorf("the covariance is not square")
		}
		for j := range i + 1 {
			sum := a[i][j]
			if math.Abs(a[i][j]-a[j][i]) > 1e-6*math.Abs(sum) {
				return nil, fmt.Errorf("the covariance is not symmetric")
			}
			for m := range j {
				sum -= l[i*n+m] * l[j*n+m]
			}
			if i != j {
				l[i*n+j] = sum / l[j*n+j]
				continue
			}
			if !(sum > 0) || math.IsInf(sum, 1) {
				return nil, fmt.Errorf("the covariance is not positive definite")
			}
			l[i*n+i] = math.Sqrt(sum)
		}
	}
	return l, nil
}

// invertLower returns the inverse of a lower triangular matrix, row-major.
func invertLower(l []float64, n int) []float64 {
	inv := make([]float64, n*n)
	for j := range n {
		inv[j*n+j] = 1 / l[j*n+j]
		for i := j + 1; i < n; i++ {
			sum := 0.0
			for m := j; m < i; m++ {
				sum -= l[i*n+m] * inv[m*n+j]
			}
			inv[i*n+j] = sum / l[i*n+i]
		}
	}
	return inv
}

// gmm25 is the grid {−10, −5, 0, 5, 10}² of equal Gaussians of variance 0.3.
func gmm25() *GMM {
	g := &GMM{dim: 2}
	std := math.Sqrt(0.3)
	for _, x := range []float64{-10, -5, 0, 5, 10} {
		for _, y := range []float64{-10, -5, 0, 5, 10} {
			g.add(1.0/25, []float64{x, y}, []float64{std, 0, 0, std})
		}
	}
	return g
}

// gmm_constants.json holds the weights, means and covariances that torchgfn draws for its random mixtures, by name and seed.
//
//go:embed gmm_constants.json
var gmmConstants []byte

func recordedGMM(name string) (*GMM, error) {
	var all map[string]struct {
		W   []float64     `json:"w"`
		Loc [][]float64   `json:"loc"`
		Cov [][][]float64 `json:"cov"`
	}
	if err := json.Unmarshal(gmmConstants, &all); err != nil {
		return nil, fmt.Errorf("diffusion: mixture constants: %w", err)
	}
	c, ok := all[name]
	if !ok {
		return nil, fmt.Errorf("diffusion: no mixture constants for %q", name)
	}
	return NewGMM(c.W, c.Loc, c.Cov)
}
