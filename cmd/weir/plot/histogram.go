package plot

import (
	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// addHistograms draws the density of the target as an area and that of the model as a line above it.
func addHistograms(p *gonum.Plot, s span, target, model []float64, bins int) {
	top := 0.0
	outline := func(values []float64) plotter.XYs {
		steps, highest := histogram(values, s, bins)
		top = max(top, highest)
		return steps
	}
	if len(target) > 0 {
		p.Add(&plotter.Polygon{XYs: []plotter.XYs{outline(target)}, Color: withAlpha(targetColor, 0.45)})
	}
	p.Add(&plotter.Line{XYs: outline(model), LineStyle: draw.LineStyle{Color: modelColor, Width: 1.5}})
	p.X.Min, p.X.Max = s.lo, s.hi
	p.Y.Min, p.Y.Max = 0, max(top*1.08, 1e-300)
}

// histogram returns the outline of the density of values in equal bins of s, and its highest value. Values outside count in
// the total, so the area is the share of those within.
func histogram(values []float64, s span, bins int) (outline plotter.XYs, highest float64) {
	counts := make([]float64, bins)
	width := s.width() / float64(bins)
	for _, v := range values {
		if s.has(v) {
			counts[min(int((v-s.lo)/width), bins-1)]++
		}
	}
	outline = plotter.XYs{{X: s.lo}}
	for b, count := range counts {
		density := count / (float64(len(values)) * width)
		highest = max(highest, density)
		left := s.lo + float64(float64(b)*width)
		outline = append(outline, plotter.XY{X: left, Y: density}, plotter.XY{X: left + width, Y: density})
	}
	return append(outline, plotter.XY{X: s.hi}), highest
}
