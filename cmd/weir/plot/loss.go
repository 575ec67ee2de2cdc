package plot

import (
	"errors"
	"fmt"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Curve is a loss by training step. Steps ascend. A loss that is not finite leaves a gap.
type Curve struct {
	Steps  []int
	Losses []float64
}

// Loss draws the training loss, with a smoothed line if it has many steps. The limits of the vertical axis disregard a few extreme values, like the
// first.
//
// Slices of different lengths, steps that do not ascend and a curve without a finite loss are errors.
func Loss(path, title string, train Curve) error {
	if err := train.check("training loss"); err != nil {
		return err
	}
	limits, ok := robustSpan(train.Losses, 0.02)
	if !ok {
		return errors.New("plot: the training loss has no finite value")
	}
	p := newPlot("step", "loss", 12, 5)
	keys := []key{{"training loss", targetColor, true}}
	raw := draw.LineStyle{Color: targetColor, Width: 1.5}
	const many = 50
	if len(train.Steps) >= many {
		raw = draw.LineStyle{Color: withAlpha(targetColor, 0.3), Width: 0.6}
		keys[0].text = "training loss, smoothed"
		keys = append(keys, key{"each step", withAlpha(targetColor, 0.4), true})
	}
	addLine(p, train.envelope(), raw)
	if len(train.Steps) >= many {
		addLine(p, train.smoothed(), draw.LineStyle{Color: targetColor, Width: 1.8})
	}
	return train.save(path, title, p, limits, keys)
}

// save writes a plot over the steps of the curve.
func (c Curve) save(path, title string, p *gonum.Plot, limits span, keys []key) error {
	p.X.Min, p.X.Max = float64(c.Steps[0]), float64(c.Steps[len(c.Steps)-1])
	p.Y.Min, p.Y.Max = limits.lo, limits.hi
	page := newPage()
	page.heading(title, keys...)
	p.Draw(draw.Crop(page.body, 0, -vg.Points(6), 0, 0)) // room for half a tick label
	return page.save(path)
}

func (c Curve) check(what string) error {
	if len(c.Steps) != len(c.Losses) {
		return fmt.Errorf("plot: the %s has %d steps and %d values; want as many of each", what, len(c.Steps), len(c.Losses))
	}
	for i := 1; i < len(c.Steps); i++ {
		if c.Steps[i] <= c.Steps[i-1] {
			return fmt.Errorf("plot: the %s has step %d after step %d; want them ascending", what, c.Steps[i], c.Steps[i-1])
		}
	}
	return nil
}

// addLine adds the curve, broken where it is not finite. A point between two gaps becomes a dot.
func addLine(p *gonum.Plot, c Curve, style draw.LineStyle) {
	var run plotter.XYs
	flush := func() {
		switch {
		case len(run) == 1:
			glyph := draw.GlyphStyle{Color: style.Color, Radius: max(style.Width, 2), Shape: draw.CircleGlyph{}}
			p.Add(&plotter.Scatter{XYs: run, GlyphStyle: glyph})
		case len(run) > 1:
			p.Add(&plotter.Line{XYs: run, LineStyle: style})
		}
		run = nil
	}
	for i, y := range c.Losses {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			flush()
			continue
		}
		run = append(run, plotter.XY{X: float64(c.Steps[i]), Y: y})
	}
	flush()
}

// envelope returns the curve itself or, if it has more points than the plot has columns of pixels, the least and the greatest of
// each bin of neighbours: it looks the same.
func (c Curve) envelope() Curve {
	const bins = 1000
	n := len(c.Steps)
	if n <= 2*bins {
		return c
	}
	var e Curve
	for b := range bins {
		start, end := b*n/bins, (b+1)*n/bins
		least, greatest := start, start
		for i := start; i < end; i++ {
			if !(c.Losses[i] >= c.Losses[least]) {
				least = i
			}
			if !(c.Losses[i] <= c.Losses[greatest]) {
				greatest = i
			}
		}
		for _, i := range []int{min(least, greatest), max(least, greatest)} {
			if len(e.Steps) == 0 || c.Steps[i] > e.Steps[len(e.Steps)-1] {
				e.Steps, e.Losses = append(e.Steps, c.Steps[i]), append(e.Losses, c.Losses[i])
			}
		}
	}
	return e
}

// smoothed returns the mean of the finite losses around each step, a fortieth of the curve on either side, so that nothing lags; at the
// ends the outer side is cut off.
func (c Curve) smoothed() Curve {
	n := len(c.Losses)
	half := n / 40
	sums, counts := make([]float64, n+1), make([]float64, n+1)
	for i, y := range c.Losses {
		sums[i+1], counts[i+1] = sums[i], counts[i]
		if !math.IsNaN(y) && !math.IsInf(y, 0) {
			sums[i+1] += y
			counts[i+1]++
		}
	}
	s := Curve{Steps: c.Steps, Losses: make([]float64, n)}
	for i := range n {
		start, end := max(i-half, 0), min(i+half+1, n)
		s.Losses[i] = (sums[end] - sums[start]) / (counts[end] - counts[start])
	}
	return s
}
