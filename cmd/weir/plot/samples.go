package plot

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/vg/draw"
)

// Comparison is a model's samples beside what they should look like. Points are rows of len(Columns) numbers, row-major; those that
// are not finite are left out and counted in the legend.
type Comparison struct {
	Title   string
	Columns []string
	Model   []float64 // samples of the model
	Target  []float64 // data, or samples of the target; may be empty

	// LogDensity returns the log density of the target, up to a constant, at points of two numbers each. If it is set, and there are
	// two columns, it is drawn in place of Target.
	LogDensity func(points []float64) ([]float64, error)
}

// Samples draws the comparison: histograms of one column, a scatter plot of two with equal scales, and of more the pairs of the first
// four. A few points far from all others do not stretch the axes; the legend says how many are not shown.
//
// No columns, no samples and rows of another length are errors.
func Samples(path string, c Comparison) error {
	if err := c.check(); err != nil {
		return err
	}
	page := newPage()
	switch len(c.Columns) {
	case 1:
		c.histogram(page)
	case 2:
		if err := c.scatter(page); err != nil {
			return err
		}
	default:
		c.corner(page)
	}
	return page.save(path)
}

func (c *Comparison) check() error {
	d := len(c.Columns)
	if d == 0 {
		return errors.New("plot: there are no columns to draw")
	}
	if len(c.Model) == 0 {
		return errors.New("plot: there are no samples to draw")
	}
	if len(c.Model)%d != 0 {
		return fmt.Errorf("plot: %d numbers of the model are no rows of %d columns", len(c.Model), d)
	}
	if len(c.Target)%d != 0 {
		return fmt.Errorf("plot: %d numbers of the target are no rows of %d columns", len(c.Target), d)
	}
	for i := range d {
		if _, ok := c.span(i); !ok {
			return fmt.Errorf("plot: no sample is finite in column %d (%q)", i+1, c.Columns[i])
		}
	}
	return nil
}

// column returns column i of rows.
func (c *Comparison) column(rows []float64, i int) []float64 {
	d := len(c.Columns)
	values := make([]float64, 0, len(rows)/d)
	for ; i < len(rows); i += d {
		values = append(values, rows[i])
	}
	return values
}

// span returns the limits of column i: those of the target and, if the model's samples have gone elsewhere, of the model.
func (c *Comparison) span(i int) (span, bool) {
	const tail = 0.005
	model, ok := robustSpan(c.column(c.Model, i), tail)
	if !ok {
		return span{}, false
	}
	target, ok := robustSpan(c.column(c.Target, i), tail)
	if !ok {
		return model, true
	}
	return target.union(model), true
}

// keys returns the legend. hidden is how many of the model's samples are not within the axes.
func (c *Comparison) keys(target string, hidden int) []key {
	var keys []key
	if target != "" {
		keys = append(keys, key{text: target, color: targetColor})
	}
	text := "model samples"
	if hidden > 0 {
		text = fmt.Sprintf("model samples (%d of %d outside)", hidden, len(c.Model)/len(c.Columns))
	}
	return append(keys, key{text: text, color: modelColor})
}

// targetName names the target's points in the legend, "" if there are none.
func (c *Comparison) targetName() string {
	if len(c.Target) == 0 {
		return ""
	}
	return "target"
}

// outside counts the model's rows with a number outside of the spans of the first columns.
func (c *Comparison) outside(spans ...span) int {
	n, d := 0, len(c.Columns)
	for i := 0; i < len(c.Model); i += d {
		for k, s := range spans {
			if !s.has(c.Model[i+k]) {
				n++
				break
			}
		}
	}
	return n
}

// histogram draws one column.
func (c *Comparison) histogram(page *page) {
	s, _ := c.span(0)
	p := newPlot(c.Columns[0], "density", 12, 5)
	addHistograms(p, s, c.Target, c.Model, 60)
	page.heading(c.Title, c.keys(c.targetName(), c.outside(s))...)
	p.Draw(draw.Crop(page.body, 0, -6, 0, 0))
}
