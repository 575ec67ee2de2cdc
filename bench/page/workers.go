package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// overWorkers draws, for every backend with several numbers of workers, the geometric mean over matrix products and training steps of the speed relative to
// the fewest; nil if there is no such backend.
func (v *view) overWorkers() *chart {
	points, xs, ys := map[int][][2]float64{}, []float64{}, []float64{}
	for series, medians := range v.byWorkers() {
		found := speedups(medians)
		if len(found) < 2 {
			continue
		}
		points[series] = found
		for _, p := range found {
			xs, ys = append(xs, p[0]), append(ys, p[1], p[0]/found[0][0])
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

// byWorkers returns the medians of matrix products and training steps, by the first column of their backend, workers and name.
func (v *view) byWorkers() map[int]map[int]map[string]float64 {
	first := map[string]int{}
	found := map[int]map[int]map[string]float64{}
	for i := range v.report.Results {
		x := &v.report.Results[i]
		if _, known := first[x.Backend]; !known {
			first[x.Backend] = v.index(x)
		}
		if !strings.HasPrefix(x.Name, "matmul/") && !strings.HasPrefix(x.Name, "mle/step/") {
			continue
		}
		series := first[x.Backend]
		if found[series] == nil {
			found[series] = map[int]map[string]float64{}
		}
		if found[series][x.Workers] == nil {
			found[series][x.Workers] = map[string]float64{}
		}
		found[series][x.Workers][x.Name] = x.Median
	}
	return found
}

// speedups returns for each number of workers how many times as fast it is as the fewest, over the cases that both have.
func speedups(medians map[int]map[string]float64) [][2]float64 {
	var found [][2]float64
	workers := slices.Sorted(maps.Keys(medians))
	for _, n := range workers {
		var ratios []float64
		for _, name := range slices.Sorted(maps.Keys(medians[n])) {
			if before, both := medians[workers[0]][name]; both {
				ratios = append(ratios, before/medians[n][name])
			}
		}
		if len(ratios) > 0 {
			found = append(found, [2]float64{float64(n), geometricMean(ratios)})
		}
	}
	return found
}
