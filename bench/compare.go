package bench

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
)

// Comparison is a report beside an earlier one, the baseline.
type Comparison struct {
	Differences []Difference // that exceed the noise, the greatest first
	Compared    int          // cases that both have
	Few         int          // cases that neither could show to differ, with fewer than five samples in one of them
	Noise       float64      // by how much the passes of a case strayed from each other, as a fraction, in the noisier of the two
	OtherCPU    string       // the baseline's processor, if it is another: then all differences are those of machines
}

// Difference is a case whose times differ by more than noise. Its times are levels: the median, over the passes, of the fastest sample of each.
type Difference struct {
	Name, Column string
	Before, Now  float64 // ns
	Ratio        float64 // before over now: above 1 is faster
}

// What a difference must be, all of it.
const (
	level      = 0.01 // of the rank test
	leastRatio = 0.05 // of the levels, and half of it of the minima
	noiseRoom  = 2    // how often the noise
)

// Compare says where a report differs from a baseline by more than noise. A case differs if
//
//   - all samples of both, ranked together, are unlikely to be of one distribution: p < 1 % in the two-sided test of Mann and Whitney,
//   - the ratio of their levels, each the median over the passes of the fastest sample of a pass, exceeds 1 by 5 %, by twice the noise of either run, and
//     by the range that the case's own passes have in either run,
//   - and the fastest samples of all differ the same way by at least half of that: other work on a machine seldom slows these, a slower program does.
//
// The noise of a run is measured in it: the upper quartile, over its cases, of the range of the passes' fastest samples. The rank test alone would
// not do, for the samples of a run lie close together in time: its level holds for one case whose samples are independent, so one case in a hundred
// would be taken for different with nothing changed, and many more on a machine that others use. The other two conditions are what keeps two runs of
// one build equal; the price is that smaller differences go unseen. How small shows in Noise.
func Compare(now, baseline *Report) *Comparison {
	c := &Comparison{Noise: max(now.noise(), baseline.noise())}
	if now.Machine.Processor != baseline.Machine.Processor {
		c.OtherCPU = baseline.Machine.Processor
	}
	before := baseline.byName()
	for i := range now.Results {
		x := &now.Results[i]
		y := before[x.Name][column{x.Backend, x.Workers}]
		if y == nil || len(x.Samples) == 0 || len(y.Samples) == 0 {
			continue
		}
		c.Compared++
		a, b := slices.Concat(x.Samples...), slices.Concat(y.Samples...)
		if min(len(a), len(b)) < 5 {
			c.Few++
			continue
		}
		if rankTest(a, b) < level && c.exceeds(x, y) {
			c.Differences = append(c.Differences, Difference{x.Name, now.Label(x), y.level(), x.level(), y.level() / x.level()})
		}
	}
	slices.SortStableFunc(c.Differences, func(a, b Difference) int {
		return cmp.Compare(math.Abs(math.Log(b.Ratio)), math.Abs(math.Log(a.Ratio)))
	})
	return c
}

// exceeds reports whether levels and minima of two results differ by more than the noise.
func (c *Comparison) exceeds(x, y *Result) bool {
	room := math.Log1p(max(leastRatio, noiseRoom*c.Noise, x.wander(), y.wander()))
	levels, minima := math.Log(x.level()/y.level()), math.Log(x.Min/y.Min)
	return math.Abs(levels) > room && math.Copysign(1, levels)*minima > room/2
}

// fastest returns the fastest sample of every pass, sorted.
func (r *Result) fastest() []float64 {
	var found []float64
	for _, pass := range r.Samples {
		if len(pass) > 0 {
			found = append(found, slices.Min(pass))
		}
	}
	slices.Sort(found)
	return found
}

// level returns the median of the passes' fastest samples.
func (r *Result) level() float64 { return quantile(r.fastest(), 0.5) }

// wander returns by how much the slowest pass exceeds the fastest one, as a fraction.
func (r *Result) wander() float64 {
	passes := r.fastest()
	return passes[len(passes)-1]/passes[0] - 1
}

// noise returns the upper quartile of how far the passes of a case wander.
func (r *Report) noise() float64 {
	var all []float64
	for i := range r.Results {
		if x := &r.Results[i]; len(x.fastest()) > 1 {
			all = append(all, x.wander())
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return quantile(all, 0.75)
}

func (c *Comparison) write(w io.Writer) {
	if c.OtherCPU != "" {
		fmt.Fprintf(w, "the baseline is of another processor: %s\n", c.OtherCPU)
	}
	what := fmt.Sprintf("%d cases compared with the baseline; passes of a case strayed by %.0f%%", c.Compared, 100*c.Noise)
	if c.Few > 0 {
		what += fmt.Sprintf("; %d had too few samples", c.Few)
	}
	if len(c.Differences) == 0 {
		fmt.Fprintf(w, "no difference: %s\n", what)
		return
	}
	fmt.Fprintf(w, "%s; beyond the noise:\n", what)
	rows := [][]string{{"", "on", "before", "now", "as fast"}}
	for _, d := range c.Differences {
		rows = append(rows, []string{"  " + d.Name, d.Column, FormatTime(d.Before), FormatTime(d.Now), FormatRatio(d.Ratio)})
	}
	writeAligned(w, rows)
}
