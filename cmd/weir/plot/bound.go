package plot

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Bound draws the held-out bound with a band of one standard error to either side. Where an error is not finite there is no band. The limits of
// the vertical axis disregard a few extreme values, like the first.
//
// Slices of different lengths, steps that do not ascend and a curve without a finite value are errors.
func Bound(path, title string, bound Curve, standardErrors []float64) error {
	if err := bound.check("held-out bound"); err != nil {
		return err
	}
	if len(standardErrors) != len(bound.Steps) {
		return fmt.Errorf("plot: the held-out bound has %d values and %d errors; want as many of each", len(bound.Steps), len(standardErrors))
	}
	limits, ok := robustSpan(bound.Losses, 0.1)
	if !ok {
		return errors.New("plot: the held-out bound has no finite value")
	}
	p := newPlot("step", "held-out bound, nats", 12, 5)
	keys := []key{{"held-out bound", modelColor, true}}
	if lower, upper := bound.band(standardErrors); len(lower) > 1 {
		outline := append(plotter.XYs{}, lower...)
		for i := len(upper) - 1; i >= 0; i-- {
			outline = append(outline, upper[i])
		}
		p.Add(&plotter.Polygon{XYs: []plotter.XYs{outline}, Color: withAlpha(modelColor, 0.2)})
		keys = append(keys, key{"± standard error", withAlpha(modelColor, 0.3), true})
	}
	addLine(p, bound, draw.LineStyle{Color: modelColor, Width: 1.8})
	return bound.save(path, title, p, limits, keys)
}

// band returns the curve less and plus an error, where both are finite.
func (c Curve) band(errors []float64) (lower, upper plotter.XYs) {
	for i, y := range c.Losses {
		if len(finite([]float64{y, errors[i]})) == 2 {
			lower = append(lower, plotter.XY{X: float64(c.Steps[i]), Y: y - errors[i]})
			upper = append(upper, plotter.XY{X: float64(c.Steps[i]), Y: y + errors[i]})
		}
	}
	return lower, upper
}
