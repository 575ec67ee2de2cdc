package transport

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
)

// MMD2 returns the unbiased estimate of the squared maximum mean discrepancy of two samples of at least two points each (A. Gretton et al., "A kernel
// two-sample test", JMLR 13, 2012, equation 3),
//
//	1/(n(n−1)) Σ_{i≠j} k(x[i], x[j]) + 1/(m(m−1)) Σ_{i≠j} k(y[i], y[j]) − 2/(nm) Σ_{i,j} k(x[i], y[j])
//
// with k the mean of the Gaussian kernels exp(−‖u − v‖²/(2h²)) of the bandwidths h. It can be negative, and is 0 on average where both samples are of
// one distribution. x and y are row-major. The errors are those of [W2], sizes excepted, and bandwidths that are not positive.
//
// It takes time in the order of (n + m)², spread over the processors, on which the result does not depend.
func MMD2(ctx context.Context, x, y []float64, d int, bandwidths ...float64) (float64, error) {
	if err := check(x, y, d); err != nil {
		return 0, err
	}
	if len(x) == d || len(y) == d {
		return 0, fmt.Errorf("transport: a sample of one point has no discrepancy; want at least two")
	}
	if len(bandwidths) == 0 {
		return 0, fmt.Errorf("transport: no bandwidths; want at least one, as of MedianDistance")
	}
	for _, h := range bandwidths {
		if !(h > 0) || math.IsInf(h, 1) {
			return 0, fmt.Errorf("transport: bandwidth %v; want a positive number", h)
		}
	}
	k := newKernel(bandwidths)
	n, m := float64(len(x)/d), float64(len(y)/d)
	xx, yy, xy := k.within(ctx, x, d), k.within(ctx, y, d), k.across(ctx, x, y, d)
	return 2*xx/(n*(n-1)) + 2*yy/(m*(m-1)) - 2*xy/(n*m), ctx.Err()
}

// kernel is the mean of Gaussian kernels, widest first.
type kernel struct {
	rates []float64 // −1/(2h²), ascending in size
	power []bool    // whether a rate is four times the one before: its kernel is the fourth power of that one's
}

func newKernel(bandwidths []float64) kernel {
	sorted := slices.Clone(bandwidths)
	slices.Sort(sorted)
	slices.Reverse(sorted)
	k := kernel{make([]float64, len(sorted)), make([]bool, len(sorted))}
	for i, h := range sorted {
		k.rates[i] = -0.5 / h / h
		k.power[i] = i > 0 && 2*h == sorted[i-1]
	}
	return k
}

// at returns the kernel at a squared distance, times the number of bandwidths. A fourth power is exact to four times the rounding of its root.
func (k kernel) at(square float64) (sum float64) {
	value := 0.0
	for i, rate := range k.rates {
		if k.power[i] {
			value *= value
			value *= value
		} else {
			value = math.Exp(square * rate)
		}
		sum += value
	}
	return sum
}

// within returns the sum of the kernel over the pairs of different points.
func (k kernel) within(ctx context.Context, points []float64, d int) float64 {
	return k.sum(ctx, len(points)/d, func(i int) (row float64) {
		p := point(points, i, d)
		for j := range i {
			row += k.at(squaredDistance(p, point(points, j, d)))
		}
		return row
	})
}

// across returns Σ k(x[i], y[j]).
func (k kernel) across(ctx context.Context, x, y []float64, d int) float64 {
	return k.sum(ctx, len(x)/d, func(i int) (row float64) {
		p := point(x, i, d)
		for q := range slices.Chunk(y, d) {
			row += k.at(squaredDistance(p, q))
		}
		return row
	})
}

// sum adds n rows, which goroutines compute, in their order, until ctx ends.
func (k kernel) sum(ctx context.Context, n int, row func(i int) float64) (total float64) {
	rows := make([]float64, n)
	eachRow(ctx, n, runtime.GOMAXPROCS(0), func() func(int) { return func(i int) { rows[i] = row(i) } })
	for _, r := range rows {
		total += r
	}
	return total / float64(len(k.rates))
}

// MedianDistance returns the median of the distances between different points of a sample, of its first thousand if it has more: the usual bandwidth of
// [MMD2]. Taken of the true sample, it is the same for every model. x is row-major. It is 0 if there are fewer than two points, or half of the pairs
// coincide. A d below 1, and a length that is no multiple of d, are errors.
func MedianDistance(x []float64, d int) (float64, error) {
	if d < 1 || len(x)%d != 0 {
		return 0, fmt.Errorf("transport: x holds %d numbers in %d dimensions; want at least 1 dimension, and a multiple of it", len(x), d)
	}
	const most = 1000
	n := min(len(x)/d, most)
	squares := make([]float64, 0, n*(n-1)/2)
	for i := range n {
		for j := range i {
			squares = append(squares, squaredDistance(x[i*d:(i+1)*d], x[j*d:(j+1)*d]))
		}
	}
	if len(squares) == 0 {
		return 0, nil
	}
	slices.Sort(squares)
	return math.Sqrt(squares[len(squares)/2]), nil
}
