package transport

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// gaussian returns n·d normal numbers of that standard deviation.
func gaussian(r *rand.Rand, n, d int, std float64) []float64 {
	x := make([]float64, n*d)
	for i := range x {
		x[i] = std * r.NormFloat64()
	}
	return x
}

// grid returns n·d small integers, so that many costs are equal.
func grid(r *rand.Rand, n, d int) []float64 {
	x := make([]float64, n*d)
	for i := range x {
		x[i] = float64(r.IntN(3))
	}
	return x
}

// bruteForce returns W2 by trying every permutation.
func bruteForce(x, y []float64, d int) float64 {
	n := len(x) / d
	taken := make([]bool, n)
	var least func(i int) float64
	least = func(i int) float64 {
		if i == n {
			return 0
		}
		best := math.Inf(1)
		for j := range n {
			if taken[j] {
				continue
			}
			taken[j] = true
			best = min(best, squaredDistance(point(x, i, d), point(y, j, d))+least(i+1))
			taken[j] = false
		}
		return best
	}
	return math.Sqrt(least(0) / float64(n))
}

func TestW2EqualsBruteForce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= 7; n++ {
		for d := 1; d <= 3; d++ {
			for range 10 {
				for name, pair := range map[string][2][]float64{
					"normal": {gaussian(r, n, d, 1), gaussian(r, n, d, 2)},
					"ties":   {grid(r, n, d), grid(r, n, d)},
				} {
					got, err := W2(t.Context(), pair[0], pair[1], d)
					require.NoError(t, err)
					require.InDelta(t, bruteForce(pair[0], pair[1], d), got, 1e-12, "%s, n = %d, d = %d: %v", name, n, d, pair)
				}
			}
		}
	}
}

// In one dimension the sorted samples are matched.
func TestW2OfNumbersMatchesThemSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for _, n := range []int{2, 50, 300} {
		x, y := gaussian(r, n, 1, 1), gaussian(r, n, 1, 3)
		got, err := W2(t.Context(), x, y, 1)
		require.NoError(t, err)
		slices.Sort(x)
		slices.Sort(y)
		var sum float64
		for i := range x {
			sum += (x[i] - y[i]) * (x[i] - y[i])
		}
		require.InEpsilon(t, math.Sqrt(sum/float64(n)), got, 1e-12)
	}
}

// The optimal map between a sample and its translation, or its scaling about a point, is that map itself.
func TestW2OfMovedSamples(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	const n, d = 200, 3
	x := gaussian(r, n, d, 1)
	moved, scaled, copied := slices.Clone(x), slices.Clone(x), slices.Clone(x)
	var squares float64
	for i := range x {
		moved[i] += 5
		scaled[i] *= 3
		squares += x[i] * x[i]
	}
	shuffle := func(x []float64) {
		r.Shuffle(n, func(i, j int) {
			for k := range d {
				x[i*d+k], x[j*d+k] = x[j*d+k], x[i*d+k]
			}
		})
	}
	tests := []struct {
		name string
		y    []float64
		want float64
	}{
		{"same", copied, 0},
		{"moved", moved, math.Sqrt(d * 25)},
		{"scaled", scaled, 2 * math.Sqrt(squares/n)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			shuffle(tt.y)
			got, err := W2(t.Context(), x, tt.y, d)
			require.NoError(t, err)
			require.InDelta(t, tt.want, got, 1e-10)
		})
	}
}

func TestW2OfDuplicates(t *testing.T) {
	const n = 100
	x, y := make([]float64, 2*n), make([]float64, 2*n)
	for i := range n {
		y[2*i], y[2*i+1] = 3, 4
	}
	got, err := W2(t.Context(), x, y, 2)
	require.NoError(t, err)
	require.Equal(t, 5.0, got)
}

// The sum of the prices and of each row's least reduced cost is a lower bound of every permutation's cost. That the
// bound is met proves the permutation optimal, at sizes that brute force does not reach.
func TestAssignmentIsProvedOptimalByItsPrices(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	const n = 600 // more than a shortlist holds, so that searches go beyond it
	oneMode := append(gaussian(r, n-5, 2, 0.01), gaussian(r, 5, 2, 10)...)
	for name, pair := range map[string][2][]float64{
		"normal":    {gaussian(r, n, 2, 1), gaussian(r, n, 2, 1)},
		"collapsed": {oneMode, gaussian(r, n, 2, 10)},
		"ties":      {grid(r, n, 2), grid(r, n, 2)},
		"wide":      {gaussian(r, n, 32, 1), gaussian(r, n, 32, 1)},
		"far":       {gaussian(r, n, 2, 1e-3), gaussian(r, n, 2, 1e6)},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := solve(t.Context(), pair[0], pair[1], len(pair[0])/n)
			require.NoError(t, err)
			var total, bound float64
			seen := map[int]bool{}
			for i, j := range s.colOf {
				require.Equal(t, i, s.rowOf[j])
				seen[j] = true
				total += s.cost(i, j)
				least := math.Inf(1)
				for k, price := range s.price {
					least = min(least, s.cost(i, k)-price)
				}
				bound += least + s.price[j]
			}
			require.Len(t, seen, n)
			require.InEpsilon(t, 1+bound, 1+total, 1e-11)
		})
	}
}

func TestW2EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := W2(ctx, []float64{0, 1}, []float64{1, 2}, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func TestW2Errors(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		name string
		x, y []float64
		d    int
		want string
	}{
		{"no points", nil, nil, 2, "transport: x holds 0 numbers; want a positive multiple of d = 2"},
		{"no dimension", []float64{1}, []float64{1}, 0, "transport: d is 0; want at least 1"},
		{"half a point", []float64{1, 2}, []float64{1, 2, 3}, 2, "transport: y holds 3 numbers; want a positive multiple of d = 2"},
		{"different sizes", []float64{1, 2}, []float64{1, 2, 3, 4}, 2, "transport: x has 1 points and y 2; want as many of each"},
		{"NaN", []float64{1, 2, 3, nan}, make([]float64, 4), 2, "transport: point 1 of x has the coordinate NaN; want finite ones"},
		{"infinite", []float64{1}, []float64{inf}, 1, "transport: point 0 of y has the coordinate +Inf; want finite ones"},
		{"overflow", []float64{1e200, 0}, []float64{0, -1e200}, 1, "transport: point 0 of x and point 0 of y are so far apart that their squared distance overflows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := W2(t.Context(), tt.x, tt.y, tt.d)
			require.EqualError(t, err, tt.want)
		})
	}
}

func BenchmarkW2(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 1))
	modes := func(n, count int) []float64 { // a mixture of Gaussians on a 5×5 grid, the first count of its modes
		x := gaussian(r, n, 2, math.Sqrt(0.3))
		for i := range n {
			mode := r.IntN(count)
			x[2*i] += float64(mode%5*5 - 10)
			x[2*i+1] += float64(mode/5*5 - 10)
		}
		return x
	}
	for _, n := range []int{500, 2000, 5000} {
		for name, pair := range map[string][2][]float64{
			"normal":    {gaussian(r, n, 2, 1), gaussian(r, n, 2, 1)},
			"gmm25":     {modes(n, 25), modes(n, 25)},
			"collapsed": {modes(n, 1), modes(n, 25)},
			"point":     {make([]float64, 2*n), modes(n, 25)},
		} {
			b.Run(fmt.Sprintf("%s/2x%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if _, err := W2(b.Context(), pair[0], pair[1], 2); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		wide := [2][]float64{gaussian(r, n, 32, 1), gaussian(r, n, 32, 1)}
		b.Run(fmt.Sprintf("normal/32x%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, err := W2(b.Context(), wide[0], wide[1], 32); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
