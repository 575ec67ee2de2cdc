package diffusion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/weir-ml/weir/autograd"
)

// CoxProcess is the posterior of a log-Gaussian Cox process (J. Møller, A. Syversveen and R. Waagepetersen, Scandinavian Journal of Statistics 25, 1998):
// points in the unit square are counted in a grid of M×M cells of area a = 1/M², and x is the unknown log intensity in each, d = M²:
//
//	log R(x) = log N(x; mu, K) + Σ_i (y_i·x_i − a·exp(x_i)),  K(u, v) = s²·exp(−‖u − v‖ / (M·b)),  mu = log 126 − s²/2,  s² = 1.91,  b = 1/33
//
// with ‖u − v‖ measured in cells. There is no exact sampler and no known normaliser: it is neither an [ExactSampler] nor [Normalized].
type CoxProcess struct {
	side   int
	counts []float64 // (d)
	whiten []float64 // (d, d): inverse L⁻¹ of the lower Cholesky factor of K
	offset float64   // −log det L − d/2·log 2π
}

var _ Target = (*CoxProcess)(nil)

// The constants that the field takes from Møller et al., who fitted them to 126 Scots pine saplings.
const (
	coxVariance = 1.91
	coxRange    = 1.0 / 33
)

var coxMean = math.Log(126) - coxVariance/2

// NewCoxProcess returns the posterior given the counts of a square grid, row by row, at most 64×64. It takes time in the order of d³, a second or two
// for the field's 40×40, and 8·d² bytes. Counts that are not whole numbers, or no such grid, are an error.
func NewCoxProcess(counts []float64) (*CoxProcess, error) {
	side := int(math.Sqrt(float64(len(counts))) + 0.5)
	if side < 1 || side > 64 || side*side != len(counts) {
		return nil, fmt.Errorf("diffusion: %d counts of a Cox process; want those of a square grid, 1×1 to 64×64", len(counts))
	}
	for i, y := range counts {
		if !(y >= 0) || y != math.Trunc(y) || math.IsInf(y, 1) {
			return nil, fmt.Errorf("diffusion: count %d of the Cox process is %v; want a whole number", i, y)
		}
	}
	factor, err := coxFactor(side)
	if err != nil {
		return nil, err
	}
	return newCoxProcess(side, counts, factor), nil
}

func newCoxProcess(side int, counts, factor []float64) *CoxProcess {
	d := side * side
	c := &CoxProcess{side: side, counts: slices.Clone(counts), whiten: invertLower(factor, d), offset: -0.5 * float64(d) * log2Pi}
	for i := range d {
		c.offset -= math.Log(factor[i*d+i])
	}
	return c
}

// openCoxProcess draws the counts from the process itself, so that every size has data.
func openCoxProcess(p Params) (Target, error) {
	side, err := p.Int("side", 1, 64)
	if err != nil {
		return nil, err
	}
	seed, err := p.Int("seed", 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	factor, err := coxFactor(side)
	if err != nil {
		return nil, err
	}
	return newCoxProcess(side, drawCounts(uint64(seed), side, factor), factor), nil
}

// coxFactor returns the Cholesky factor of K.
func coxFactor(side int) ([]float64, error) {
	cov := make([][]float64, side*side)
	for u := range cov {
		cov[u] = make([]float64, side*side)
		for v := range cov[u] {
			distance := math.Hypot(float64(u/side-v/side), float64(u%side-v%side))
			cov[u][v] = coxVariance * math.Exp(-distance/(float64(side)*coxRange))
		}
	}
	return cholesky(cov)
}

// drawCounts returns counts of points under an intensity drawn from the prior.
func drawCounts(seed uint64, side int, factor []float64) []float64 {
	d := side * side
	r := rand.New(rand.NewPCG(seed, 0))
	noise, counts := make([]float64, d), make([]float64, d)
	for i := range noise {
		noise[i] = r.NormFloat64()
	}
	for i := range counts {
		x := coxMean
		for j, l := range factor[i*d : i*d+i+1] {
			x += float64(l * noise[j])
		}
		counts[i] = poisson(r, math.Exp(x)/float64(d))
	}
	return counts
}

// poisson returns how many events of unit rate fall into a time of that length.
func poisson(r *rand.Rand, mean float64) (events float64) {
	for t := r.ExpFloat64(); t < mean; t += r.ExpFloat64() {
		events++
	}
	return events
}

// Dim returns the number of cells.
func (c *CoxProcess) Dim() int { return len(c.counts) }

// Counts returns the points in each cell, row by row.
func (c *CoxProcess) Counts() []float64 { return slices.Clone(c.counts) }

// LogReward returns the log reward (B) at log intensities (B, d).
func (c *CoxProcess) LogReward(x *autograd.Var) *autograd.Var {
	d := c.Dim()
	checkPoints("log reward of a Cox process", x.Value(), d)
	white := autograd.MatMul(autograd.AddScalar(x, -coxMean), autograd.Transpose(constant(x, c.whiten, d, d), 0, 1))
	prior := autograd.MulScalar(autograd.Sum(autograd.Square(white), 1), -0.5)
	expected := autograd.MulScalar(autograd.Exp(x), 1/float64(d))
	likelihood := autograd.Sum(autograd.Sub(autograd.Mul(x, constant(x, c.counts, d)), expected), 1)
	return autograd.AddScalar(autograd.Add(prior, likelihood), c.offset)
}
