package page

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/bench"
)

func power10(x float64) float64 { return math.Pow(10, x) }

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

// overWorkers draws, for every backend with several numbers of workers, the geometric mean over matrix products and training steps of the speed relative to
// the fewest.
func (v *view) overWorkers() *chart {
	type place struct {
		backend string
		workers int
	}
	medians := map[place]map[string]float64{}
	for i := range v.report.Results {
		x := &v.report.Results[i]
		if strings.HasPrefix(x.Name, "matmul/") || strings.HasPrefix(x.Name, "mle/step/") {
			at := place{x.Backend, x.Workers}
			if medians[at] == nil {
				medians[at] = map[string]float64{}
			}
			medians[at][x.Name] = x.Median
		}
	}
	fewest := map[string]int{}
	for at := range medians {
		if have, ok := fewest[at.backend]; !ok || at.workers < have {
			fewest[at.backend] = at.workers
		}
	}
	points, xs, ys := map[int][][2]float64{}, []float64{}, []float64{}
	for i, label := range v.labels { // a backend's line has the mark of its first column
		backend, _, _ := strings.Cut(label, "×")
		if slices.ContainsFunc(v.labels[:i], func(l string) bool { b, _, _ := strings.Cut(l, "×"); return b == backend }) {
			continue
		}
		for at, now := range medians {
			speed, n := 0.0, 0
			for name, before := range medians[place{backend, fewest[backend]}] {
				if ns := now[name]; at.backend == backend && ns > 0 {
					speed, n = speed+math.Log(before/ns), n+1
				}
			}
			if n > 0 {
				points[i] = append(points[i], [2]float64{float64(at.workers), math.Exp(speed / float64(n))})
			}
		}
		slices.SortFunc(points[i], func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
		if len(points[i]) < 2 {
			delete(points, i)
		}
		for _, p := range points[i] {
			xs, ys = append(xs, p[0]), append(ys, p[1], p[0]/points[i][0][0])
		}
	}
	if len(points) == 0 {
		return nil
	}
	c := newChart("Speed over workers", "workers", "times as fast", xs, ys)
	c.X.mark(xs)
	c.Note = "Geometric mean over matrix products and training steps; dashed: as many times as fast as there are workers."
	least, most := slices.Min(xs), slices.Max(xs)
	c.connect("roof", [][2]float64{{least, 1}, {most, most / least}})
	v.draw(c, points, func(p [2]float64) string { return fmt.Sprintf("workers: %g: ×%.2f", p[0], p[1]) })
	return c
}
