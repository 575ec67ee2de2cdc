package plot

import (
	"fmt"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// corner draws the first columns: a histogram of each on the diagonal, a scatter plot of each pair below it.
func (c *Comparison) corner(page *page) {
	const limit = 4
	d := len(c.Columns)
	k := min(d, limit)
	spans := make([]span, k)
	for i := range spans {
		spans[i], _ = c.span(i)
	}
	plots := make([][]*gonum.Plot, k)
	for row := range plots {
		plots[row] = make([]*gonum.Plot, k)
		for col := range row + 1 {
			plots[row][col] = c.panel(row, col, k, spans)
		}
	}
	tiles := draw.Tiles{Rows: k, Cols: k, PadX: 6, PadY: 6}
	canvases := gonum.Align(plots, tiles, draw.Crop(page.body, 0, -6, 0, 0))
	for row := range plots {
		for col := range row + 1 {
			plots[row][col].Draw(canvases[row][col])
		}
	}
	title := c.Title
	if d > k {
		title = fmt.Sprintf("%s: the first %d of %d columns", title, k, d)
	}
	page.heading(title, c.keys(c.targetName(), c.outside(spans...))...)
}

// panel returns the plot of a pair of columns, or of one if they are the same. Only those at the left and the lower edge of the page
// have labels.
func (c *Comparison) panel(row, col, k int, spans []span) *gonum.Plot {
	p := newPlot("", "", 9, 5)
	if row == col {
		addHistograms(p, spans[row], c.column(c.Target, row), c.column(c.Model, row), 30)
		p.Y.Tick.Marker = gonum.ConstantTicks{}
	} else {
		p.X.Min, p.X.Max = spans[col].lo, spans[col].hi
		p.Y.Min, p.Y.Max = spans[row].lo, spans[row].hi
		p.Add(points{c.Target, len(c.Columns), col, row, targetColor, 0.9, 1000})
		p.Add(points{c.Model, len(c.Columns), col, row, modelColor, 0.9, 1000})
	}
	if row == k-1 {
		p.X.Label.Text = c.Columns[col]
	} else {
		p.X.Tick.Marker = unlabelled{p.X.Tick.Marker}
	}
	if col == 0 && row > 0 {
		p.Y.Label.Text = c.Columns[row]
	} else if row != col {
		p.Y.Tick.Marker = unlabelled{p.Y.Tick.Marker}
	}
	return p
}

// unlabelled keeps the ticks, and so the grid, and drops their labels.
type unlabelled struct{ gonum.Ticker }

func (u unlabelled) Ticks(lo, hi float64) []gonum.Tick {
	ticks := u.Ticker.Ticks(lo, hi)
	for i := range ticks {
		ticks[i].Label = " " // an empty one would make it a minor tick, which the grid leaves out
	}
	return ticks
}
