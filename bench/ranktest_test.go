package bench

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The p-values are those of scipy.stats.mannwhitneyu, method exact for the first ones and asymptotic for those with ties.
func TestRankTest(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []float64
		want float64
	}{
		{"apart", []float64{1, 2, 3, 4, 5}, []float64{6, 7, 8, 9, 10}, 2.0 / 252},
		{"apart the other way", []float64{6, 7, 8, 9, 10}, []float64{1, 2, 3, 4, 5}, 2.0 / 252},
		{"mixed", []float64{1, 4, 5, 8}, []float64{2, 3, 6, 7}, 1},
		{"one pair swapped", []float64{1, 2, 4}, []float64{3, 5, 6}, 0.2},
		{"different numbers", []float64{1, 2}, []float64{3, 4, 5}, 0.2},
		{"ties", []float64{1, 1, 2, 2, 3}, []float64{2, 3, 3, 4, 4}, 0.05241},
		{"all the same", []float64{1, 1, 1}, []float64{1, 1, 1}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.InDelta(t, c.want, rankTest(c.a, c.b), 1e-4)
		})
	}
}

// For many samples the exact value and the approximation agree.
func TestRankTestIsTheSameByBothWays(t *testing.T) {
	var a, b, tied []float64
	for i := range 20 {
		a = append(a, float64(2*i))
		b = append(b, float64(2*i+9))
		tied = append(tied, float64(2*i+9))
	}
	tied[19] = tied[18]
	require.InDelta(t, rankTest(a, b), rankTest(a, tied), 5e-3)
}

func TestQuantiles(t *testing.T) {
	require.Equal(t, 2.0, quantile([]float64{1, 2, 3}, 0.5))
	require.Equal(t, 2.5, quantile([]float64{1, 2, 3, 4}, 0.5))
	require.Equal(t, 1.0, quantile([]float64{1}, 0.75))
	require.Equal(t, 4.0, quantile([]float64{1, 4}, 1))
}
