package page

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/bench"
)

// step is a result of a whole training step.
type step struct {
	*bench.Result
	size [5]int // B, T, d, h, L
}

var stepName = regexp.MustCompile(`^mle/step/B(\d+)_T(\d+)_d(\d+)_h(\d+)_L(\d+)$`)

// dimensions are what charts of steps vary, each by its place in the size.
var dimensions = []struct {
	place         int
	symbol, title string
}{{0, "B", "samples a batch"}, {1, "T", "steps of the process"}, {3, "h", "width of the hidden layers"}}

// scaling draws how the time of a training step grows with the batch, the steps and the width, and how speed grows with workers, where the report has at
// least two of them.
func (v *view) scaling() []*chart {
	var charts []*chart
	for _, d := range dimensions {
		if c := v.over(d.place, d.symbol, d.title); c != nil {
			charts = append(charts, c)
		}
	}
	if c := v.overWorkers(); c != nil {
		charts = append(charts, c)
	}
	return charts
}

// over draws the steps that differ in one dimension alone: of the most such, if there are several lots.
func (v *view) over(place int, symbol, title string) *chart {
	lots := map[string][]step{}
	for _, s := range v.steps() {
		rest := s.size
		rest[place] = 0
		key := fmt.Sprint(rest)
		lots[key] = append(lots[key], s)
	}
	var best []step
	for _, key := range slices.Sorted(maps.Keys(lots)) {
		if distinct(lots[key], place) > distinct(best, place) {
			best = lots[key]
		}
	}
	if distinct(best, place) < 2 {
		return nil
	}
	slices.SortStableFunc(best, func(a, b step) int { return cmp.Compare(a.size[place], b.size[place]) })
	var xs, ys []float64
	points := map[int][][2]float64{}
	for _, s := range best {
		x, ms := float64(s.size[place]), s.Median/1e6
		xs, ys = append(xs, x), append(ys, ms)
		points[v.index(s.Result)] = append(points[v.index(s.Result)], [2]float64{x, ms})
	}
	c := newChart("Training step over "+symbol, symbol+", "+title, "ms a step", xs, ys)
	c.X.mark(xs)
	c.Note = others(best[0].size, place)
	v.draw(c, points, func(p [2]float64) string { return fmt.Sprintf("%s = %g: %.3g ms", symbol, p[0], p[1]) })
	return c
}

// others names the sizes that stay the same.
func others(size [5]int, place int) string {
	var parts []string
	for i, symbol := range []string{"B", "T", "d", "h", "L"} {
		if i != place {
			parts = append(parts, fmt.Sprintf("%s = %d", symbol, size[i]))
		}
	}
	return strings.Join(parts, ", ")
}

func distinct(steps []step, place int) int {
	seen := map[int]bool{}
	for _, s := range steps {
		seen[s.size[place]] = true
	}
	return len(seen)
}

func (v *view) steps() []step {
	var found []step
	for i := range v.report.Results {
		m := stepName.FindStringSubmatch(v.report.Results[i].Name)
		if m == nil {
			continue
		}
		s := step{Result: &v.report.Results[i]}
		for k := range s.size {
			s.size[k], _ = strconv.Atoi(m[k+1]) // digits, as matched
		}
		found = append(found, s)
	}
	return found
}

// draw connects each series' points and marks them.
func (v *view) draw(c *chart, points map[int][][2]float64, title func([2]float64) string) {
	for _, i := range slices.Sorted(maps.Keys(points)) {
		c.connect(fmt.Sprintf("line s%d", i%marks), points[i])
		for _, p := range points[i] {
			c.add(i, p[0], p[1], v.labels[i]+", "+title(p))
		}
	}
}
