package diffusion

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// ManyWell is a product of d/2 independent double wells (F. Noé et al., "Boltzmann generators", Science 365, 2019; L. Midgley et al., 2023), one a pair
// of neighbouring coordinates:
//
//	log R(u, v) = −u⁴ + 6u² + u/2 − v²/2
//
// Its 2^(d/2) modes are told apart by the signs of the u. The integral over u is a quadrature, that over v is √(2π).
type ManyWell struct {
	dim   int
	well  float64 // ∫ exp(−u⁴ + 6u² + u/2) du
	right float64 // its share where u > 0
}

var (
	_ ExactSampler = (*ManyWell)(nil)
	_ Normalized   = (*ManyWell)(nil)
	_ Gradient     = (*ManyWell)(nil)
	_ Modal        = (*ManyWell)(nil)
)

// NewManyWell returns the wells in dim dimensions, a positive even number. Another number is an error.
func NewManyWell(dim int) (*ManyWell, error) {
	if dim < 2 || dim%2 != 0 {
		return nil, fmt.Errorf("diffusion: wells in %d dimensions; want a positive even number", dim)
	}
	left, right := wellMasses()
	return &ManyWell{dim: dim, well: left + right, right: right / (left + right)}, nil
}

func openManyWell(p Params) (Target, error) {
	dim, err := p.Int("dim", 2, 1<<20)
	if err != nil {
		return nil, err
	}
	return NewManyWell(dim)
}

// doubleWell returns log R of u alone.
func doubleWell(u float64) float64 { return (6-u*u)*u*u + 0.5*u }

// wellMasses returns the integrals of exp(doubleWell) over the negative and the positive numbers, by Simpson's rule, to rounding: beyond ±6 the
// density is below exp(−1000).
func wellMasses() (left, right float64) {
	const reach, steps = 6.0, 6000
	const h = reach / steps
	for i := range steps + 1 {
		weight := 2 + 2*float64(i%2)
		if i == 0 || i == steps {
			weight = 1
		}
		u := float64(i) * h
		right += weight * math.Exp(doubleWell(u))
		left += weight * math.Exp(doubleWell(-u))
	}
	return left * h / 3, right * h / 3
}

// Dim returns the number of coordinates.
func (w *ManyWell) Dim() int { return w.dim }

// LogZ returns d/2 · (log ∫ exp(−u⁴ + 6u² + u/2) du + ½ log 2π), 164.6957 in 32 dimensions.
func (w *ManyWell) LogZ() float64 { return float64(w.dim/2) * (math.Log(w.well) + 0.5*log2Pi) }

// LogReward returns the log reward (B) at points (B, d).
func (w *ManyWell) LogReward(x *autograd.Var) *autograd.Var {
	checkPoints("log reward of wells", x.Value(), w.dim)
	pairs := autograd.Reshape(x, x.Dim(0), w.dim/2, 2)
	u, v := autograd.Select(pairs, 2, 0), autograd.Select(pairs, 2, 1)
	square := autograd.Square(u)
	well := autograd.Add(autograd.Mul(square, autograd.SubFrom(6, square)), autograd.MulScalar(u, 0.5))
	return autograd.Sum(autograd.Sub(well, autograd.MulScalar(autograd.Square(v), 0.5)), 1)
}

// GradLogReward returns the gradient (B, d) at points (B, d): −4u³ + 12u + ½ and −v.
func (w *ManyWell) GradLogReward(x *tensor.Tensor) *tensor.Tensor {
	checkPoints("gradient of wells", x, w.dim)
	pairs := tensor.Reshape(x, x.Dim(0), w.dim/2, 2)
	u, v := tensor.Slice(pairs, 2, 0, 1), tensor.Slice(pairs, 2, 1, 2)
	slope := tensor.AddScalar(tensor.Mul(u, tensor.SubFrom(12, tensor.MulScalar(tensor.Square(u), 4))), 0.5)
	return tensor.Reshape(tensor.Concat(2, slope, tensor.Neg(v)), x.Dim(0), w.dim)
}

// proposal is what u is drawn from by rejection: a narrow Gaussian in each well, by its share, and a wide one.
const (
	proposalMean, proposalStd   = 1.72, 0.23
	proposalWide, proposalShare = 1.1, 0.05
	proposalTries               = 24
)

// logProposals returns the log densities of the three proposals at u (…), each with its share.
func (w *ManyWell) logProposals(u *tensor.Tensor) []*tensor.Tensor {
	gaussian := func(share, mean, std float64) *tensor.Tensor {
		square := tensor.Square(tensor.DivScalar(tensor.AddScalar(u, -mean), std))
		return tensor.AddScalar(tensor.MulScalar(square, -0.5), math.Log(share)-math.Log(std)-0.5*log2Pi)
	}
	narrow := 1 - proposalShare
	return []*tensor.Tensor{
		gaussian(narrow*w.right, proposalMean, proposalStd),
		gaussian(narrow*(1-w.right), -proposalMean, proposalStd),
		gaussian(proposalShare, 0, proposalWide),
	}
}

// logProposal is the sum of the proposals at one number.
func (w *ManyWell) logProposal(u float64) float64 {
	gaussian := func(share, mean, std float64) float64 {
		z := (u - mean) / std
		return share * math.Exp(-0.5*z*z-0.5*log2Pi) / std
	}
	narrow := 1 - proposalShare
	return math.Log(gaussian(narrow*w.right, proposalMean, proposalStd) +
		gaussian(narrow*(1-w.right), -proposalMean, proposalStd) + gaussian(proposalShare, 0, proposalWide))
}

// logBound returns the greatest log ratio of the reward to the proposal, a little more for what lies between the points of the grid.
func (w *ManyWell) logBound() float64 {
	const reach, steps = 4.0, 8000 // beyond, −u⁴ is far below the wide proposal's −u²/2.42
	bound := math.Inf(-1)
	for i := range steps + 1 {
		u := (2*float64(i)/steps - 1) * reach
		bound = max(bound, doubleWell(u)-w.logProposal(u))
	}
	return bound + 1e-4
}

// Sample returns n samples (n, d). Each u is the first of 24 proposals that rejection accepts. A proposal is accepted with probability 0.82, so that
// fewer than one in 10¹⁷ is left without, far below the spacing of float64 numbers; it is then the first proposal, drawn blindly.
func (w *ManyWell) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	pairs := w.dim / 2
	u := w.propose(rng, d, n*pairs)
	limit := tensor.LogSumExp(tensor.Stack(0, w.logProposals(u)...), 0)
	square := tensor.Square(u)
	reward := tensor.Add(tensor.Mul(square, tensor.SubFrom(6, square)), tensor.MulScalar(u, 0.5))
	// 1 − uniform lies in (0, 1]: its logarithm is finite.
	chance := tensor.Log(tensor.SubFrom(1, rng.Uniform(d, n*pairs, proposalTries)))
	ratio := tensor.AddScalar(tensor.Sub(reward, limit), -w.logBound())
	first := tensor.ArgMax(tensor.Cast(tensor.LessEqual(chance, ratio), backend.Int64), 1)
	picked := tensor.Reshape(tensor.Gather(u, 1, tensor.Unsqueeze(first, 1)), n, pairs, 1)
	return tensor.Reshape(tensor.Concat(2, picked, rng.Normal(d, n, pairs, 1)), n, w.dim)
}

// propose returns n rows of proposals.
func (w *ManyWell) propose(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	s, narrow := rng.Stream(), 1-proposalShare
	kind := rng.Categorical([]float64{narrow * w.right, narrow * (1 - w.right), proposalShare}, n*proposalTries)
	mean := tensor.Take(upload(s, d, []float64{proposalMean, -proposalMean, 0}, 3), 0, kind)
	std := tensor.Take(upload(s, d, []float64{proposalStd, proposalStd, proposalWide}, 3), 0, kind)
	noise := rng.Normal(d, n*proposalTries)
	return tensor.Reshape(tensor.Add(mean, tensor.Mul(std, noise)), n, proposalTries)
}

// ModeWeights returns the probability of each of the 2^(d/2) modes, or nil beyond 32 dimensions. Bit i of a mode is set where u of pair i is
// positive.
func (w *ManyWell) ModeWeights() []float64 {
	if w.dim/2 > 16 {
		return nil
	}
	weights := []float64{1}
	for i := range w.dim / 2 {
		half := 1 << i
		for k := range half {
			weights = append(weights, weights[k]*w.right)
			weights[k] *= 1 - w.right
		}
	}
	return weights
}

// Mode returns the mode of x, or −1 if a u is farther than 1 from the wells at ±√3 or a v farther than 4.5 from 0. Of exact samples in 32
// dimensions, about one in a hundred is that far.
func (w *ManyWell) Mode(x []float64) int {
	mode := 0
	for i := range w.dim / 2 {
		u, v := x[2*i], x[2*i+1]
		if !(math.Abs(math.Abs(u)-math.Sqrt(3)) <= 1) || !(math.Abs(v) <= 4.5) {
			return -1
		}
		if u > 0 {
			mode |= 1 << i
		}
	}
	return mode
}
