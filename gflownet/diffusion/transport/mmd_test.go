package transport

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMMD2OfFewPoints(t *testing.T) {
	k := func(distance, h float64) float64 { return math.Exp(-distance * distance / (2 * h * h)) }
	x, y := []float64{0, 1}, []float64{3, 5, 6}
	for _, bandwidths := range [][]float64{{1}, {0.5, 2}} {
		want := 0.0
		for _, h := range bandwidths {
			within := k(1, h) + (k(2, h)+k(3, h)+k(1, h))/3
			across := (k(3, h) + k(5, h) + k(6, h) + k(2, h) + k(4, h) + k(5, h)) / 6
			want += (within - 2*across) / float64(len(bandwidths))
		}
		got, err := MMD2(t.Context(), x, y, 1, bandwidths...)
		require.NoError(t, err)
		require.InDelta(t, want, got, 1e-15)
	}
}

// Between N(0, 1) and N(m, 1) in one dimension the kernel of bandwidth h has the squared discrepancy 2·√(h²/(h²+2))·(1 − exp(−m²/(2(h²+2)))).
func TestMMD2IsUnbiased(t *testing.T) {
	const repeats, n = 200, 40
	const h = 1.5
	r := rand.New(rand.NewPCG(5, 1))
	for _, m := range []float64{0, 1} {
		sum, squares := 0.0, 0.0
		for range repeats {
			x, y := gaussian(r, n, 1, 1), gaussian(r, n, 1, 1)
			for i := range y {
				y[i] += m
			}
			got, err := MMD2(t.Context(), x, y, 1, h)
			require.NoError(t, err)
			sum, squares = sum+got, squares+got*got
		}
		mean := sum / repeats
		se := math.Sqrt((squares/repeats - mean*mean) / repeats)
		want := 2 * math.Sqrt(h*h/(h*h+2)) * (1 - math.Exp(-m*m/(2*(h*h+2))))
		require.InDelta(t, want, mean, 4*se)
	}
}

// plainMMD2 is the definition.
func plainMMD2(x, y []float64, d int, bandwidths []float64) float64 {
	mean := func(x, y []float64, same bool) (sum float64) {
		count := 0.0
		for i := range len(x) / d {
			for j := range len(y) / d {
				if same && i == j {
					continue
				}
				count += float64(len(bandwidths))
				for _, h := range bandwidths {
					sum += math.Exp(-squaredDistance(point(x, i, d), point(y, j, d)) / (2 * h * h))
				}
			}
		}
		return sum / count
	}
	return mean(x, x, true) + mean(y, y, true) - 2*mean(x, y, false)
}

func TestMMD2IsItsDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 2))
	for _, c := range []struct {
		n, m, d    int
		bandwidths []float64
	}{
		{300, 200, 3, []float64{0.5, 1, 2, 4, 8}}, // powers of each other
		{65, 129, 1, []float64{2, 0.3, 1}},
		{2, 3, 2, []float64{1, 1}},
	} {
		x, y := gaussian(r, c.n, c.d, 1), gaussian(r, c.m, c.d, 2)
		got, err := MMD2(t.Context(), x, y, c.d, c.bandwidths...)
		require.NoError(t, err)
		require.InDelta(t, plainMMD2(x, y, c.d, c.bandwidths), got, 1e-12)
	}
}

func TestMMD2DoesNotDependOnWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 3))
	x := gaussian(r, 500, 2, 1)
	k := newKernel([]float64{1, 3})
	row := func(i int) float64 { return k.at(squaredDistance(x[:2], point(x, i, 2))) }
	var sums []float64
	for _, workers := range []int{1, 7} {
		rows := make([]float64, 500)
		eachRow(t.Context(), 500, workers, func() func(int) { return func(i int) { rows[i] = row(i) } })
		total := 0.0
		for _, r := range rows {
			total += r
		}
		sums = append(sums, total)
	}
	require.Equal(t, sums[0], sums[1])
}

func TestMMD2EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := MMD2(ctx, []float64{0, 1}, []float64{1, 2}, 1, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func BenchmarkMMD2(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 4))
	x, y := gaussian(r, 2000, 2, 1), gaussian(r, 2000, 2, 1)
	for b.Loop() {
		_, err := MMD2(b.Context(), x, y, 2, 0.25, 0.5, 1, 2, 4)
		require.NoError(b, err)
	}
}

func TestMedianDistance(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		d    int
		want float64
	}{{[]float64{0, 0, 3, 4}, 2, 5}, {[]float64{0, 1, 3}, 1, 2}, {[]float64{7}, 1, 0}, {nil, 2, 0}} {
		got, err := MedianDistance(c.x, c.d)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, d := range []int{-1, 0, 2} {
		_, err := MedianDistance([]float64{0, 1, 3}, d)
		require.ErrorContains(t, err, fmt.Sprintf("transport: x holds 3 numbers in %d dimensions", d))
	}
}

func TestMMD2RefusesWhatItCannotCompare(t *testing.T) {
	two := []float64{0, 1}
	for _, c := range []struct {
		x, y       []float64
		bandwidths []float64
		want       string
	}{
		{two[:1], two, []float64{1}, "transport: a sample of one point has no discrepancy; want at least two"},
		{two, two, nil, "transport: no bandwidths; want at least one, as of MedianDistance"},
		{two, two, []float64{0}, "transport: bandwidth 0; want a positive number"},
		{two, []float64{math.NaN(), 0}, []float64{1}, "transport: point 0 of y has the coordinate NaN; want finite ones"},
	} {
		_, err := MMD2(t.Context(), c.x, c.y, 1, c.bandwidths...)
		require.EqualError(t, err, c.want)
	}
}
