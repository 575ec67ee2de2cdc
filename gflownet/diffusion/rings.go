package diffusion

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Rings are concentric circles in the plane of radii 1, 2, …, K, equally probable, normalised (M. Noble, L. Grenioux, M. Gabrié and A. Durmus, "Learned
// reference-based diffusion sampling for multi-modal distributions", 2024): the angle is even and the radius r of a mixture of N(k, std²),
//
//	p(x) = 1/(2πr) · 1/K · Σ_k [N(r; k, std²) + N(−r; k, std²)],  r = ‖x‖
//
// A negative radius is one on the far side, which is what the second term counts. The density is infinite at 0 itself.
type Rings struct {
	rings int
	std   float64
}

var (
	_ ExactSampler = (*Rings)(nil)
	_ Normalized   = (*Rings)(nil)
	_ Modal        = (*Rings)(nil)
)

// NewRings returns that many rings. None, or a deviation that is not positive, is an error.
func NewRings(rings int, std float64) (*Rings, error) {
	if rings < 1 {
		return nil, fmt.Errorf("diffusion: %d rings; want at least 1", rings)
	}
	if !positive(std) {
		return nil, fmt.Errorf("diffusion: rings of standard deviation %v; want a positive number", std)
	}
	return &Rings{rings, std}, nil
}

func openRings(p Params) (Target, error) {
	rings, err := p.Int("rings", 1, 1000)
	if err != nil {
		return nil, err
	}
	return NewRings(rings, p["std"])
}

// Dim returns 2.
func (*Rings) Dim() int { return 2 }

// LogZ returns 0.
func (*Rings) LogZ() float64 { return 0 }

// LogReward returns the log density (B) at points (B, 2).
func (r *Rings) LogReward(x *autograd.Var) *autograd.Var {
	checkPoints("log density of rings", x.Value(), 2)
	radii := make([]float64, 0, 2*r.rings)
	for k := 1; k <= r.rings; k++ {
		radii = append(radii, float64(k), -float64(k))
	}
	radius := autograd.Norm(x, 2, 1)
	z := autograd.DivScalar(autograd.Sub(autograd.Unsqueeze(radius, 1), constant(x, radii, 1, len(radii))), r.std)
	mixture := autograd.LogSumExp(autograd.MulScalar(autograd.Square(z), -0.5), 1)
	offset := -math.Log(float64(r.rings)) - math.Log(r.std) - 1.5*log2Pi
	return autograd.AddScalar(autograd.Sub(mixture, autograd.Log(radius)), offset)
}

// Sample returns n exact samples (n, 2).
func (r *Rings) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	ring := tensor.Cast(tensor.AddScalar(rng.Integers(backend.Int64, 0, int64(r.rings), n, 1), 1), d)
	radius := tensor.Add(ring, tensor.MulScalar(rng.Normal(d, n, 1), r.std))
	angle := tensor.MulScalar(rng.Uniform(d, n, 1), 2*math.Pi)
	return tensor.Mul(radius, tensor.Concat(1, tensor.Cos(angle), tensor.Sin(angle)))
}

// ModeWeights returns 1/K for each ring.
func (r *Rings) ModeWeights() []float64 {
	weights := make([]float64, r.rings)
	for k := range weights {
		weights[k] = 1 / float64(r.rings)
	}
	return weights
}

// Mode returns the ring nearest to x, from 0, or −1 if it is farther than 3.29 standard deviations, as one in a thousand samples is.
func (r *Rings) Mode(x []float64) int {
	radius := math.Hypot(x[0], x[1])
	k := min(max(math.Round(radius), 1), float64(r.rings))
	if !(math.Abs(radius-k) <= 3.29*r.std) {
		return -1
	}
	return int(k) - 1
}
