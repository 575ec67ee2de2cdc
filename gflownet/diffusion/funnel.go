package diffusion

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Funnel is Neal's funnel (R. Neal, "Slice sampling", Annals of Statistics 31, 2003), normalised:
//
//	x[0] ~ N(0, std²),  x[i] | x[0] ~ N(0, exp(x[0]))  for i ≥ 1
//
// torchgfn's easy_funnel has std 1 and its hard_funnel std 3, both in 10 dimensions.
type Funnel struct {
	dim int
	std float64
}

var (
	_ ExactSampler = (*Funnel)(nil)
	_ Normalized   = (*Funnel)(nil)
)

// NewFunnel returns the funnel in dim ≥ 2 dimensions. Fewer, or a deviation that is not positive, are an error.
func NewFunnel(dim int, std float64) (*Funnel, error) {
	if dim < 2 {
		return nil, fmt.Errorf("diffusion: a funnel in %d dimensions; want at least 2", dim)
	}
	if !positive(std) {
		return nil, fmt.Errorf("diffusion: a funnel whose neck has standard deviation %v; want a positive number", std)
	}
	return &Funnel{dim, std}, nil
}

func openFunnel(p Params) (Target, error) {
	dim, err := p.Int("dim", 2, 1<<20)
	if err != nil {
		return nil, err
	}
	return NewFunnel(dim, p["std"])
}

// Dim returns the number of coordinates.
func (f *Funnel) Dim() int { return f.dim }

// LogZ returns 0.
func (f *Funnel) LogZ() float64 { return 0 }

// LogReward returns the log density (B) at points (B, d).
func (f *Funnel) LogReward(x *autograd.Var) *autograd.Var {
	checkPoints("log density of a funnel", x.Value(), f.dim)
	neck, rest := autograd.Select(x, 1, 0), autograd.Slice(x, 1, 1, f.dim)
	others := float64(f.dim - 1)
	square := autograd.Mul(autograd.Exp(autograd.Neg(neck)), autograd.Sum(autograd.Square(rest), 1))
	ofNeck := autograd.MulScalar(autograd.Square(neck), 1/(f.std*f.std))
	total := autograd.Add(autograd.Add(ofNeck, square), autograd.MulScalar(neck, others))
	constant := -0.5*float64(f.dim)*log2Pi - math.Log(f.std)
	return autograd.AddScalar(autograd.MulScalar(total, -0.5), constant)
}

// Sample returns n exact samples (n, d).
func (f *Funnel) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	noise := rng.Normal(d, n, f.dim)
	neck := tensor.MulScalar(tensor.Slice(noise, 1, 0, 1), f.std)
	width := tensor.Exp(tensor.MulScalar(neck, 0.5))
	return tensor.Concat(1, neck, tensor.Mul(width, tensor.Slice(noise, 1, 1, f.dim)))
}
