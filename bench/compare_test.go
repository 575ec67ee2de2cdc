package bench_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/bench"
)

// fake makes a report of cases that take about a microsecond: passes stray by pass, samples by sample, and the times of case 0 are multiplied by factor.
func fake(seed uint64, pass, sample, factor float64) *bench.Report {
	rng := rand.New(rand.NewPCG(seed, 1))
	r := &bench.Report{}
	for i := range 40 {
		x := bench.Result{Name: "ops/" + string(rune('A'+i)), Backend: "cpu", Workers: 1, DType: "float32"}
		for range 5 {
			level := 1000 * (1 + pass*rng.Float64())
			if i == 0 {
				level *= factor
			}
			var samples []float64
			for range 3 {
				samples = append(samples, level*(1+sample*rng.Float64()))
			}
			x.Samples = append(x.Samples, samples)
		}
		x.Summarize()
		r.Results = append(r.Results, x)
	}
	return r
}

func TestARunAndItsRepetitionDoNotDiffer(t *testing.T) {
	for _, noise := range []float64{0.001, 0.03, 0.3, 2} {
		differ := 0
		for seed := range uint64(100) {
			c := bench.Compare(fake(2*seed, noise, noise/4, 1), fake(2*seed+1, noise, noise/4, 1))
			require.Equal(t, 40, c.Compared)
			differ += len(c.Differences)
		}
		require.LessOrEqual(t, differ, 4, "of 4000 equal cases, at a noise of %v", noise)
	}
}

func TestAReportDoesNotDifferFromItself(t *testing.T) {
	r := fake(1, 0.1, 0.1, 1)
	require.Empty(t, bench.Compare(r, r).Differences)
}

func TestDifferencesBeyondTheNoiseAreFound(t *testing.T) {
	for _, factor := range []float64{1.2, 1 / 1.2, 3} {
		c := bench.Compare(fake(1, 0.03, 0.01, factor), fake(2, 0.03, 0.01, 1))
		require.Len(t, c.Differences, 1)
		require.Equal(t, "ops/A", c.Differences[0].Name)
		require.InEpsilon(t, 1/factor, c.Differences[0].Ratio, 0.05)
	}
	require.Empty(t, bench.Compare(fake(1, 0.3, 0.1, 1.2), fake(2, 0.3, 0.1, 1)).Differences, "a fifth drowns in noise of a third")
}

func TestComparisonsAreWritten(t *testing.T) {
	var out bytes.Buffer
	now, before := fake(1, 0.03, 0.01, 2), fake(2, 0.03, 0.01, 1)
	before.Machine.Processor = "another"
	require.NoError(t, now.WriteTable(&out, bench.Compare(now, before)))
	require.Regexp(t, `(?s)the baseline is of another processor: another\n40 cases compared .* strayed by \d%; beyond the noise:\n.*  ops/A +cpu +1.0\d µs +2.0\d µs +×0\.\d+\n$`, out.String())
	out.Reset()
	require.NoError(t, now.WriteTable(&out, bench.Compare(now, now)))
	require.Contains(t, out.String(), "\nno difference: 40 cases compared with the baseline; ")
}

func TestFewSamplesShowNothing(t *testing.T) {
	now, before := fake(1, 0, 0.01, 2), fake(2, 0, 0.01, 1)
	for _, r := range []*bench.Report{now, before} {
		for i := range r.Results {
			r.Results[i].Samples = r.Results[i].Samples[:1]
		}
	}
	c := bench.Compare(now, before)
	require.Equal(t, 40, c.Few)
	require.Empty(t, c.Differences)
}
