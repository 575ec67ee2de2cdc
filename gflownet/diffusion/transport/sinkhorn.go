package transport

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
)

// SinkhornOptions say when [Sinkhorn] is done. Zeros stand for the defaults.
type SinkhornOptions struct {
	Tolerance  float64 // of the distance, (Upper − Lower) / Upper; 0.02
	Iterations int     // at most; 300
	Workers    int     // goroutines; as many as there are processors. The result does not depend on them.
}

// Bounds enclose a distance.
type Bounds struct {
	Lower, Upper float64
	Iterations   int
}

// Sinkhorn encloses the 2-Wasserstein distance between the empirical distributions of n and m points in d dimensions. x and y are row-major. It takes
// time in the order of n·m for each of the first iterations, less as ε falls and only near points count, and memory in the order of n + m. It is for
// samples of different sizes, or too large for [W2], which of ten thousand points is both exact and faster.
//
// It is Sinkhorn's algorithm in the log domain (M. Cuturi, "Sinkhorn distances", 2013) with an entropic regularisation ε that is halved from the mean cost
// until the bounds are as near each other as wanted or the iterations are used up. The potentials f, g of
//
//	P[i][j] = 1/(n·m) · exp((f[i] + g[j] − ‖x[i] − y[j]‖²) / ε)
//
// bound the distance from both sides. Lower is the dual's value at f and its c-transform min_i ‖x[i] − y[j]‖² − f[i]. Upper is the cost of P made a
// coupling of the samples: columns that are too heavy are scaled down (J. Altschuler, J. Weed and P. Rigollet, 2017), and what then lacks is coupled in the
// same way, nearest first, with ever larger ε.
//
// The errors are those of [W2], sizes excepted.
func Sinkhorn(ctx context.Context, x, y []float64, d int, o SinkhornOptions) (Bounds, error) {
	if err := check(x, y, d); err != nil {
		return Bounds{}, err
	}
	s := newSinkhorn(x, y, d, o)
	if !(s.meanCost <= maxCost) {
		return Bounds{}, fmt.Errorf("transport: points of x and y are so far apart that their squared distance overflows")
	}
	return s.run(ctx)
}

// cloud is one of the samples.
type cloud struct {
	*kdTree   // of the points about the common mean
	potential []float64
}

func (c *cloud) len() int { return len(c.potential) }

// with returns the same points with another potential.
func (c *cloud) with(potential []float64) *cloud { return &cloud{c.kdTree, potential} }

type sinkhorn struct {
	x, y     cloud
	d        int
	meanCost float64
	options  SinkhornOptions
	bounds   Bounds // of the squared distance
}

func newSinkhorn(x, y []float64, d int, o SinkhornOptions) *sinkhorn {
	if o.Tolerance <= 0 {
		o.Tolerance = 0.02
	}
	if o.Iterations <= 0 {
		o.Iterations = 300
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	center := make([]float64, d)
	for _, points := range [][]float64{x, y} {
		for i, value := range points {
			center[i%d] += value / float64(len(points)/d) / 2
		}
	}
	about := func(points []float64) cloud {
		moved := make([]float64, len(points))
		for i, value := range points {
			moved[i] = value - center[i%d]
		}
		return cloud{newKDTree(moved, d), make([]float64, len(points)/d)}
	}
	s := &sinkhorn{x: about(x), y: about(y), d: d, options: o, bounds: Bounds{Upper: math.Inf(1)}}
	s.meanCost = s.product(uniform(s.x.len()), uniform(s.y.len()))
	return s
}

// uniform returns n weights 1/n.
func uniform(n int) []float64 { return slices.Repeat([]float64{1 / float64(n)}, n) }

// product returns Σ a[i]·b[j]·‖x[i] − y[j]‖², from the moments of both.
func (s *sinkhorn) product(a, b []float64) float64 {
	moments := func(c *cloud, w []float64) (mass, square float64, mean []float64) {
		mean = make([]float64, s.d)
		for i, wi := range w {
			mass += wi
			for k, p := range point(c.points, i, s.d) {
				mean[k] += float64(wi * p)
				square += float64(wi * p * p)
			}
		}
		return mass, square, mean
	}
	massA, squareA, meanA := moments(&s.x, a)
	massB, squareB, meanB := moments(&s.y, b)
	total := float64(squareA*massB) + float64(massA*squareB)
	for k, p := range meanA {
		total -= 2 * p * meanB[k]
	}
	return max(total, 0)
}

// run iterates until the bounds are near. A level of ε ends when the columns of P sum to 1/m within a fiftieth on average: what is left is coupled
// nearly as well by tighten. The last level goes on, to half of that each time: there what is left decides.
func (s *sinkhorn) run(ctx context.Context) (Bounds, error) {
	const most = 40        // iterations between two looks at the bounds
	const smallest = 1e-10 // of the mean cost: below, the potentials have no digits left
	next, hard, after := make([]float64, s.y.len()), make([]float64, s.y.len()), make([]float64, s.x.len())
	level, atLevel, due, enough := s.meanCost, 0, most, 0.02
	for s.bounds.Iterations < s.options.Iterations && level > smallest*s.meanCost {
		if err := ctx.Err(); err != nil {
			return Bounds{}, err
		}
		s.bounds.Iterations++
		atLevel++
		s.transform(ctx, &s.y, &s.x, level, next, hard)
		if atLevel > 1 && (s.violation(level, next) < enough || atLevel == due) {
			// The bounds are about d/2·ε apart: before that is little, the upper one is not worth its passes.
			if s.raise(hard); float64(s.d)*level < s.bounds.Lower {
				s.tighten(ctx, level)
			}
			if s.near() {
				return s.distance(), ctx.Err()
			}
			// A smaller ε than the tolerance asks for only slows the columns down.
			if lower := max(level/2, s.options.Tolerance*s.bounds.Lower/float64(s.d)); lower < level {
				level, atLevel, due = lower, 0, most
			} else {
				enough, due = enough/2, atLevel+most
			}
		}
		relax(s.y.potential, next, atLevel)
		s.transform(ctx, &s.x, &s.y, level, after, nil)
		relax(s.x.potential, after, atLevel)
	}
	if err := ctx.Err(); err != nil {
		return Bounds{}, err
	}
	if s.meanCost == 0 {
		return Bounds{}, nil
	}
	s.tighten(ctx, max(level, smallest*s.meanCost))
	return s.distance(), ctx.Err()
}

// relax moves a potential to its next value, and after the first iterations of a level beyond, which settles what is far apart several times as fast
// (A. Thibault, L. Chizat, C. Dossal and N. Papadakis, "Overrelaxed Sinkhorn–Knopp algorithm", 2021).
func relax(potential, next []float64, atLevel int) {
	const factor, plain = 1.8, 2
	if atLevel <= plain {
		copy(potential, next)
		return
	}
	for i, v := range next {
		potential[i] += factor * (v - potential[i])
	}
}

// near reports whether the bounds are as near as wanted.
func (s *sinkhorn) near() bool {
	d := s.distance()
	return d.Upper <= math.MaxFloat64 && d.Upper-d.Lower <= s.options.Tolerance*d.Upper
}

// distance returns the bounds of the distance itself.
func (s *sinkhorn) distance() Bounds {
	return Bounds{math.Sqrt(s.bounds.Lower), math.Sqrt(s.bounds.Upper), s.bounds.Iterations}
}

// negligible terms of a sum, whose largest is 1, are below exp(−negligible), which is below the rounding of 1.
const negligible = 37

// transform sets soft[i] to −ε·log mean_j exp((potential[j] − ‖a[i] − b[j]‖²)/ε) over the points of b, and hard[i], if wanted, to
// min_j ‖a[i] − b[j]‖² − potential[j].
func (s *sinkhorn) transform(ctx context.Context, a, b *cloud, epsilon float64, soft, hard []float64) {
	logN := math.Log(float64(b.len()))
	s.eachRow(ctx, a, b, epsilon, func(i int, found *search) {
		if hard != nil {
			hard[i] = -found.top
		}
		sum := 0.0
		for _, gain := range found.gains {
			if z := (gain - found.top) / epsilon; z > -negligible {
				sum += math.Exp(z)
			}
		}
		soft[i] = -found.top - epsilon*(math.Log(sum)-logN)
	})
}

// eachRow calls f for every point i of a with what is near in b: all but points that gain so much less than others that exp(gain/ε) is negligible beside
// theirs. It works in parallel, and leaves off when ctx ends.
func (s *sinkhorn) eachRow(ctx context.Context, a, b *cloud, epsilon float64, f func(i int, found *search)) {
	tops := b.tops(b.potential)
	eachRow(ctx, a.len(), s.options.Workers, func() func(int) {
		found := &search{kdTree: b.kdTree, potential: b.potential, tops: tops}
		return func(i int) {
			found.near(point(a.points, i, s.d), negligible*epsilon)
			f(i, found)
		}
	})
}

// violation returns how far the columns of P are from 1/m, on average and relative to it, given what their potentials would be next.
func (s *sinkhorn) violation(epsilon float64, next []float64) float64 {
	sum := 0.0
	for j, g := range s.y.potential {
		sum += math.Abs(math.Expm1((g-next[j])/epsilon)) / float64(len(next))
	}
	return sum
}

// raise moves the lower bound. hard is the c-transform of the potential of x.
func (s *sinkhorn) raise(hard []float64) {
	lower := 0.0
	for _, f := range s.x.potential {
		lower += f / float64(s.x.len())
	}
	for _, g := range hard {
		lower += g / float64(s.y.len())
	}
	s.bounds.Lower = max(s.bounds.Lower, lower)
}

// tighten moves the upper bound to the cost of the coupling that P is made.
func (s *sinkhorn) tighten(ctx context.Context, epsilon float64) {
	rest := &remainder{row: uniform(s.x.len()), column: uniform(s.y.len())}
	psi := make([]float64, s.y.len())
	for level := epsilon; level < 4*s.meanCost; level *= 4 {
		for j, c := range rest.column {
			psi[j] = level * math.Log(c)
		}
		if level == epsilon {
			for j, g := range s.y.potential {
				psi[j] += g
			}
		}
		s.couple(ctx, rest, psi, level)
	}
	if lack := rest.lack(); lack > 0 {
		rest.cost += s.product(rest.row, rest.column) / lack
	}
	s.bounds.Upper = min(s.bounds.Upper, rest.cost)
}

// remainder is what a coupling lacks.
type remainder struct {
	row, column []float64
	cost        float64 // of what is coupled
}

// lack returns the mass that is not coupled yet.
func (r *remainder) lack() (sum float64) {
	for _, mass := range r.row {
		sum += mass
	}
	return sum
}

// couple takes from the remainder the coupling Q[i][j] = exp((φ[i] + ψ[j] − ‖x[i] − y[j]‖²) / ε), φ such that rows sum to what they lack, with the columns
// scaled down that would have more than they lack.
func (s *sinkhorn) couple(ctx context.Context, rest *remainder, psi []float64, epsilon float64) {
	phi, load, scale := make([]float64, s.x.len()), make([]float64, s.y.len()), make([]float64, s.y.len())
	target := s.y.with(psi)
	s.transform(ctx, &s.x, target, epsilon, phi, nil)
	for i, mass := range rest.row {
		phi[i] += epsilon * (math.Log(mass) - math.Log(float64(s.y.len())))
	}
	s.transform(ctx, &s.y, s.x.with(phi), epsilon, load, nil)
	for j := range load {
		column := math.Exp((psi[j]-load[j])/epsilon) * float64(s.x.len())
		if !(column > 0) {
			continue
		}
		scale[j] = min(1, rest.column[j]/column)
		rest.column[j] = max(rest.column[j]-column*scale[j], 0)
	}
	costs := make([]float64, s.x.len())
	s.eachRow(ctx, &s.x, target, epsilon, func(i int, found *search) {
		row, gains := 0.0, found.gains
		for _, leaf := range found.leaves {
			for j := leaf.lo; j < leaf.hi; j++ {
				gain := gains[j-leaf.lo]
				if scale[j] == 0 || gain-found.top < -negligible*epsilon {
					continue
				}
				q := scale[j] * math.Exp((phi[i]+gain)/epsilon)
				row += q
				costs[i] += float64(q * (psi[j] - gain))
			}
			gains = gains[leaf.hi-leaf.lo:]
		}
		rest.row[i] = max(rest.row[i]-row, 0)
	})
	for _, c := range costs {
		rest.cost += c
	}
}
