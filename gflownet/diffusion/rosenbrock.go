package diffusion

import (
	"fmt"
	"math"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// Rosenbrock is the hybrid Rosenbrock distribution of F. Pagani, M. Wiegand and S. Nadarajah, "An n-dimensional Rosenbrock distribution for Markov
// chain Monte Carlo testing" (2022), a curved ridge with a known normaliser. Each of several blocks continues the first coordinate by a chain in
// which every coordinate is about the square of the one before:
//
//	log R(x) = −A·(x₁ − Mu)² − B·Σ_blocks Σ_{i=2…Length} (x_i − x_{i−1}²)²,  log Z = ½ log(π/A) + (d−1)/2 · log(π/B)
//
// Points are (x₁, rest of block 1, rest of block 2, …): d = 1 + Blocks·(Length − 1).
type Rosenbrock struct {
	Blocks, Length int
	Mu, A, B       float64
}

var (
	_ ExactSampler = (*Rosenbrock)(nil)
	_ Normalized   = (*Rosenbrock)(nil)
)

// Check returns an error that names a setting out of range.
func (r *Rosenbrock) Check() error {
	switch {
	case r.Blocks < 1:
		return fmt.Errorf("diffusion: a Rosenbrock of %d blocks; want at least 1", r.Blocks)
	case r.Length < 2:
		return fmt.Errorf("diffusion: a Rosenbrock with blocks of length %d; want at least 2", r.Length)
	case !positive(r.A) || !positive(r.B):
		return fmt.Errorf("diffusion: a Rosenbrock with A = %v and B = %v; want positive numbers", r.A, r.B)
	case math.IsNaN(r.Mu) || math.IsInf(r.Mu, 0):
		return fmt.Errorf("diffusion: a Rosenbrock with Mu = %v; want a finite number", r.Mu)
	}
	return nil
}

func openRosenbrock(p Params) (Target, error) {
	blocks, err := p.Int("blocks", 1, 1<<16)
	if err != nil {
		return nil, err
	}
	length, err := p.Int("length", 2, 16) // a longer chain of squares overflows
	if err != nil {
		return nil, err
	}
	r := &Rosenbrock{Blocks: blocks, Length: length, Mu: p["mu"], A: p["a"], B: p["b"]}
	return r, r.Check()
}

// Dim returns the number of coordinates.
func (r *Rosenbrock) Dim() int { return 1 + r.Blocks*(r.Length-1) }

// LogZ returns the log of the reward's integral.
func (r *Rosenbrock) LogZ() float64 {
	return 0.5*math.Log(math.Pi/r.A) + 0.5*float64(r.Dim()-1)*math.Log(math.Pi/r.B)
}

// LogReward returns the log reward (B) at points (B, d).
func (r *Rosenbrock) LogReward(x *autograd.Var) *autograd.Var {
	checkPoints("log reward of a Rosenbrock", x.Value(), r.Dim())
	n := x.Dim(0)
	head := autograd.Slice(x, 1, 0, 1)
	rest := autograd.Reshape(autograd.Slice(x, 1, 1, r.Dim()), n, r.Blocks, r.Length-1)
	start := autograd.Broadcast(autograd.Unsqueeze(head, 1), n, r.Blocks, 1)
	before := autograd.Concat(2, start, autograd.Slice(rest, 2, 0, r.Length-2))
	miss := autograd.Square(autograd.Sub(rest, autograd.Square(before)))
	ofHead := autograd.MulScalar(autograd.Square(autograd.AddScalar(autograd.Select(x, 1, 0), -r.Mu)), -r.A)
	return autograd.Sub(ofHead, autograd.MulScalar(autograd.Sum(miss, 1, 2), r.B))
}

// Sample returns n exact samples (n, d), coordinate by coordinate.
func (r *Rosenbrock) Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor {
	spread := 1 / math.Sqrt(2*r.B)
	head := tensor.AddScalar(tensor.MulScalar(rng.Normal(d, n, 1, 1), 1/math.Sqrt(2*r.A)), r.Mu)
	noise := tensor.MulScalar(rng.Normal(d, n, r.Blocks, r.Length-1), spread)
	chain := make([]*tensor.Tensor, r.Length-1)
	last := head
	for i := range chain {
		last = tensor.Add(tensor.Square(last), tensor.Slice(noise, 2, i, i+1))
		chain[i] = last
	}
	rest := tensor.Reshape(tensor.Concat(2, chain...), n, r.Dim()-1)
	return tensor.Concat(1, tensor.Squeeze(head, 2), rest)
}
