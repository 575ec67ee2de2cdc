package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The drawing, in units of a viewBox that is about as wide as a phone: text keeps a readable size there.
const (
	width, height = 420.0, 300.0
	left, right   = 52.0, 12.0
	top, bottom   = 12.0, 44.0
)

// chart is a drawing with logarithmic axes.
type chart struct {
	Title, XLabel, YLabel string
	Note                  string
	X, Y                  axis
	Lines                 []line
	Marks                 []mark
}

// View returns the viewBox.
func (c *chart) View() string { return fmt.Sprintf("0 0 %g %g", width, height) }

// Frame is where the axes are.
func (c *chart) Frame() frame {
	return frame{Left: left, Right: width - right, Top: top, Bottom: height - bottom, Middle: (left + width - right) / 2, Center: (top + height - bottom) / 2,
		Below: height - 8}
}

// Width returns that of the frame.
func (c *chart) Width() float64 { return width - left - right }

// Height returns that of the frame.
func (c *chart) Height() float64 { return height - top - bottom }

type frame struct{ Left, Right, Top, Bottom, Middle, Center, Below float64 }

// line is a series of points, or a roof.
type line struct {
	Class, Points string
}

// mark is a point.
type mark struct {
	Series int
	Path   string
	Title  string
}

// axis maps values to places by their logarithm.
type axis struct {
	lo, hi, from, to float64
	Ticks            []tick
}

type tick struct {
	At   float64
	Text string
}

// newAxis returns an axis from one place to another that has room for all values.
func newAxis(values []float64, from, to float64) axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, x := range values {
		lo, hi = min(lo, math.Log10(x)), max(hi, math.Log10(x))
	}
	room := max(0.05*(hi-lo), 0.05)
	a := axis{lo: lo - room, hi: hi + room, from: from, to: to}
	a.Ticks = a.ticks()
	return a
}

// ticks stand at powers of ten, at twice and five times those if there are few, and at every second one if there are many.
func (a *axis) ticks() []tick {
	steps, every := []float64{1}, 1
	switch span := a.hi - a.lo; {
	case span < 2.2:
		steps = []float64{1, 2, 5}
	case span > 5:
		every = 2
	}
	var found []tick
	for e := int(math.Floor(a.lo)); e <= int(math.Ceil(a.hi)); e++ {
		if e%every != 0 {
			continue
		}
		for _, s := range steps {
			if x := s * power10(float64(e)); math.Log10(x) >= a.lo && math.Log10(x) <= a.hi {
				found = append(found, tick{a.at(x), formatTick(x)})
			}
		}
	}
	return found
}

func power10(x float64) float64 { return math.Pow(10, x) }

// mark puts ticks at some values in place of those of an axis.
func (a *axis) mark(values []float64) {
	a.Ticks = nil
	for _, x := range slices.Compact(slices.Sorted(slices.Values(values))) {
		a.Ticks = append(a.Ticks, tick{a.at(x), formatTick(x)})
	}
}

func formatTick(x float64) string {
	digits := func(x float64) string { return strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64) }
	switch {
	case x >= 0.9999e6:
		return digits(x/1e6) + "M"
	case x >= 0.9999e4:
		return digits(x/1e3) + "k"
	}
	return digits(x)
}

// at returns the place of a value.
func (a *axis) at(x float64) float64 {
	share := (math.Log10(x) - a.lo) / (a.hi - a.lo)
	return math.Round(10*(a.from+share*(a.to-a.from))) / 10
}

// newChart returns a chart whose axes have room for all points.
func newChart(title, xLabel, yLabel string, xs, ys []float64) *chart {
	return &chart{Title: title, XLabel: xLabel, YLabel: yLabel, X: newAxis(xs, left, width-right), Y: newAxis(ys, height-bottom, top)}
}

// add marks a point.
func (c *chart) add(series int, x, y float64, title string) {
	c.Marks = append(c.Marks, mark{series % marks, shape(series%marks, c.X.at(x), c.Y.at(y)), title})
}

// connect draws a line through points.
func (c *chart) connect(class string, points [][2]float64) {
	texts := make([]string, len(points))
	for i, p := range points {
		texts[i] = fmt.Sprintf("%g,%g", c.X.at(p[0]), c.Y.at(p[1]))
	}
	c.Lines = append(c.Lines, line{Class: class, Points: strings.Join(texts, " ")})
}

// shape returns the outline of a series' mark, so that series differ without colours, too.
func shape(series int, x, y float64) string {
	corners := [][][2]float64{
		nil, // a circle
		{{-3.4, -3.4}, {3.4, -3.4}, {3.4, 3.4}, {-3.4, 3.4}},
		{{0, -4.8}, {4.4, 3.4}, {-4.4, 3.4}},
		{{0, -5}, {4.4, 0}, {0, 5}, {-4.4, 0}},
		{{-4.4, -3.4}, {4.4, -3.4}, {0, 4.8}},
		{{-1.6, -4.8}, {1.6, -4.8}, {1.6, 4.8}, {-1.6, 4.8}},
	}[series]
	if corners == nil {
		const r = 3.9
		return fmt.Sprintf("M%g %gm-%g 0a%g %g 0 1 0 %g 0a%g %g 0 1 0 -%g 0z", x, y, r, r, r, 2*r, r, r, 2*r)
	}
	var b strings.Builder
	for i, c := range corners {
		fmt.Fprintf(&b, "%c%.1f %.1f", "ML"[min(i, 1)], x+c[0], y+c[1])
	}
	return b.String() + "z"
}
