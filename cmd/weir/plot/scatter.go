package plot

import (
	"image/color"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// points draws rows of d numbers as dots at their columns x and y, limit of them at most: more would only darken the picture.
type points struct {
	rows    []float64
	d, x, y int
	color   color.NRGBA
	radius  vg.Length
	limit   int
}

// Plot implements gonum's Plotter.
func (s points) Plot(c draw.Canvas, p *gonum.Plot) {
	toX, toY := p.Transforms(&c)
	n := len(s.rows) / s.d
	drawn := min(n, s.limit)
	// The fuller the plot, the fainter the dots, so that the density shows.
	alpha := min(max(0.4/math.Sqrt(float64(drawn)/float64(s.limit)), 0.4), 0.8)
	style := draw.GlyphStyle{Color: withAlpha(s.color, alpha), Radius: s.radius, Shape: draw.CircleGlyph{}}
	for k := range drawn {
		row := s.rows[k*n/drawn*s.d:]
		x, y := row[s.x], row[s.y]
		if x >= p.X.Min && x <= p.X.Max && y >= p.Y.Min && y <= p.Y.Max {
			c.DrawGlyph(style, vg.Point{X: toX(x), Y: toY(y)})
		}
	}
}

// scatter draws two columns.
func (c *Comparison) scatter(page *page) error {
	p := newPlot(c.Columns[0], c.Columns[1], 12, 5)
	area := draw.Crop(page.body, 0, -6, 0, 0)
	x, _ := c.span(0)
	y, _ := c.span(1)
	equalScales(p, area, x, y)
	name := c.targetName()
	if c.LogDensity != nil {
		field, err := newField(c.LogDensity, span{p.X.Min, p.X.Max}, span{p.Y.Min, p.Y.Max})
		if err != nil {
			return err
		}
		p.Add(field)
		name = "target density"
	} else {
		p.Add(points{c.Target, 2, 0, 1, targetColor, 1.6, 4000})
	}
	p.Add(points{c.Model, 2, 0, 1, modelColor, 1.6, 4000})
	hidden := c.outside(span{p.X.Min, p.X.Max}, span{p.Y.Min, p.Y.Max})
	page.heading(c.Title, c.keys(name, hidden)...)
	p.Draw(area)
	return nil
}

// equalScales sets limits that hold x and y and give a unit the same length on both axes. The room for tick labels depends on
// the limits, hence the repetition.
func equalScales(p *gonum.Plot, area draw.Canvas, x, y span) {
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = x.lo, x.hi, y.lo, y.hi
	for range 3 {
		size := p.DataCanvas(area).Size()
		unit := max(x.width()/float64(size.X), y.width()/float64(size.Y))
		wide, high := x.about(unit*float64(size.X)), y.about(unit*float64(size.Y))
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = wide.lo, wide.hi, high.lo, high.hi
	}
}
