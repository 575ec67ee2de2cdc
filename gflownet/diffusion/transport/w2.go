// Package transport measures the distance between two samples: by optimal transport, exactly ([W2]) or within bounds ([Sinkhorn]), and by the maximum mean
// discrepancy ([MMD2]).
package transport

import (
	"context"
	"fmt"
	"math"
)

// maxCost leaves room to add costs along a path.
const maxCost = math.MaxFloat64 / (1 << 40)

// W2 returns the 2-Wasserstein distance between the empirical distributions of two samples of n points in d dimensions,
//
//	W2 = √( min over permutations π of (1/n) Σ ‖x[i] − y[π(i)]‖² ),
//
// exact up to rounding. x and y are row-major, of n·d numbers each. It takes time in the order of n³ at worst, much less on samples that
// resemble each other, and memory in the order of n.
//
// A d below 1, lengths that are no multiple of d, samples that are empty or of different sizes, numbers that are not finite, and
// points whose squared distance overflows are errors, and so is the end of ctx.
func W2(ctx context.Context, x, y []float64, d int) (float64, error) {
	if err := check(x, y, d); err != nil {
		return 0, err
	}
	if len(x) != len(y) {
		return 0, fmt.Errorf("transport: x has %d points and y %d; want as many of each", len(x)/d, len(y)/d)
	}
	if err := checkCosts(x, y, d); err != nil {
		return 0, err
	}
	s, err := solve(ctx, x, y, d)
	if err != nil {
		return 0, err
	}
	var sum float64
	for i, j := range s.colOf {
		sum += s.cost(i, j) / float64(s.n)
	}
	return math.Sqrt(sum), nil
}

func check(x, y []float64, d int) error {
	if d < 1 {
		return fmt.Errorf("transport: d is %d; want at least 1", d)
	}
	for _, sample := range []struct {
		name   string
		values []float64
	}{{"x", x}, {"y", y}} {
		if len(sample.values) == 0 || len(sample.values)%d != 0 {
			return fmt.Errorf("transport: %s holds %d numbers; want a positive multiple of d = %d", sample.name, len(sample.values), d)
		}
		for i, value := range sample.values {
			if math.IsNaN(value) || math.IsInf(value, 0) {
				return fmt.Errorf("transport: point %d of %s has the coordinate %v; want finite ones", i/d, sample.name, value)
			}
		}
	}
	return nil
}

// checkCosts looks for squared distances that overflow, at each pair only if the largest coordinates leave it open.
func checkCosts(x, y []float64, d int) error {
	largest := 0.0
	for _, points := range [][]float64{x, y} {
		for _, value := range points {
			largest = max(largest, math.Abs(value))
		}
	}
	if 4*largest*largest*float64(d) <= maxCost {
		return nil
	}
	for i := range len(x) / d {
		for j := range len(y) / d {
			if !(squaredDistance(point(x, i, d), point(y, j, d)) <= maxCost) {
				return fmt.Errorf("transport: point %d of x and point %d of y are so far apart that their squared distance overflows", i, j)
			}
		}
	}
	return nil
}

func point(points []float64, i, d int) []float64 { return points[i*d : (i+1)*d] }

// reducedCosts sets dst[j] to ‖p − points[j]‖² − price[j].
func reducedCosts(dst, p, points, price []float64) {
	if len(p) == 2 { // the plane is what most samples lie in, and a loop over its axes costs as much as the rest
		u, v := p[0], p[1]
		points, price = points[:2*len(dst)], price[:len(dst)]
		for j := range dst {
			du, dv := u-points[2*j], v-points[2*j+1]
			dst[j] = float64(du*du) + float64(dv*dv) - price[j]
		}
		return
	}
	for j := range dst {
		dst[j] = squaredDistance(p, point(points, j, len(p))) - price[j]
	}
}

// squaredDistance returns ‖p − q‖².
func squaredDistance(p, q []float64) (sum float64) {
	for k, v := range q {
		diff := p[k] - v
		sum += float64(diff * diff)
	}
	return sum
}
