package bench

import (
	"cmp"
	"math"
	"slices"
)

// rankTest returns the two-sided p-value of Mann and Whitney's U test: how likely ranks as uneven as those of a and b are, if both were drawn from one
// distribution. It is exact for up to 400 pairs without ties, else the normal approximation, corrected for ties and continuity.
//
// H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger than the other", 1947.
func rankTest(a, b []float64) float64 {
	u, ties := statistic(a, b)
	m, n := float64(len(a)), float64(len(b))
	if ties == 0 && m*n <= 400 {
		return exactTest(len(a), len(b), int(min(u, m*n-u)))
	}
	total := m + n
	variance := m * n / 12 * (total + 1 - ties/(total*(total-1)))
	if variance <= 0 {
		return 1
	}
	z := (math.Abs(u-m*n/2) - 0.5) / math.Sqrt(variance)
	return min(1, math.Erfc(max(z, 0)/math.Sqrt2))
}

// statistic returns U, the number of pairs in which a's is the greater, a tie counting half, and Σ t³ − t over groups of t ties.
func statistic(a, b []float64) (u, ties float64) {
	type ranked struct {
		x     float64
		fromA bool
	}
	all := make([]ranked, 0, len(a)+len(b))
	for _, x := range a {
		all = append(all, ranked{x, true})
	}
	for _, x := range b {
		all = append(all, ranked{x, false})
	}
	slices.SortFunc(all, func(p, q ranked) int { return cmp.Compare(p.x, q.x) })
	sum := 0.0
	for i := 0; i < len(all); {
		j := i
		for j < len(all) && all[j].x == all[i].x {
			j++
		}
		t := float64(j - i)
		ties += t*t*t - t
		for ; i < j; i++ {
			if all[i].fromA {
				sum += float64(j) - (t-1)/2 // the mean of the group's ranks, which end with j
			}
		}
	}
	m := float64(len(a))
	return sum - m*(m+1)/2, ties
}

// exactTest returns the share of all orders of m and n numbers whose U is at most u or at least m·n − u. It counts them by the recursion on
// which sample the greatest number is from.
func exactTest(m, n, u int) float64 {
	// counts[i][k] is the number of orders of i of a and, after j rounds, j of b with U = k.
	counts := make([][]float64, m+1)
	for i := range counts {
		counts[i] = make([]float64, m*n+1)
		counts[i][0] = 1
	}
	for j := 1; j <= n; j++ {
		for i := 1; i <= m; i++ {
			next := make([]float64, m*n+1)
			for k := range next {
				next[k] = counts[i][k] // the greatest is from b
				if k >= j {
					next[k] += counts[i-1][k-j] // from a, and exceeds all j of b
				}
			}
			counts[i] = next
		}
	}
	total, tail := 0.0, 0.0
	for k, c := range counts[m] {
		total += c
		if k <= u {
			tail += c
		}
	}
	return min(1, 2*tail/total)
}
