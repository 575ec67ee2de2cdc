// Package plot draws what the command reports: loss curves, and samples beside the target, as PNG files of 900×900 pixels.
package plot

import (
	"fmt"
	"image/color"
	"io"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/weir-ml/weir/internal/atomicfile"
)

const (
	side   = 6 * vg.Inch
	dpi    = 150
	margin = 0.16 * vg.Inch
	header = 0.62 * vg.Inch // title and legend
)

// The two colours are Okabe and Ito's blue and vermillion, which readers with any kind of colour vision tell apart.
var (
	targetColor = color.NRGBA{0x00, 0x72, 0xB2, 0xFF}
	modelColor  = color.NRGBA{0xD5, 0x5E, 0x00, 0xFF}
	inkColor    = color.NRGBA{0x26, 0x26, 0x26, 0xFF}
	axisColor   = color.NRGBA{0x8C, 0x8C, 0x8C, 0xFF}
	gridColor   = color.NRGBA{0xEB, 0xEB, 0xEB, 0xFF}
)

func withAlpha(c color.NRGBA, alpha float64) color.NRGBA {
	c.A = uint8(255*alpha + 0.5)
	return c
}

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// newPlot returns an empty plot in the house style: thin grey axes, a light grid, about that
// many ticks an axis, text of that size.
func newPlot(x, y string, size vg.Length, ticks int) *gonum.Plot {
	p := gonum.New()
	p.BackgroundColor = nil // the page is white, and plots may overlap at their edges
	for _, axis := range []*gonum.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(size)
		axis.Label.TextStyle.Color = inkColor
		axis.Label.Padding = size / 3
		axis.Tick.Label.Font = sans(size * 0.85)
		axis.Tick.Label.Color = inkColor
		axis.Tick.Length = 3
		axis.Tick.LineStyle = draw.LineStyle{Color: axisColor, Width: 0.5}
		axis.LineStyle = axis.Tick.LineStyle
		axis.Padding = 0
		axis.Tick.Marker = roundTicks{ticks}
	}
	p.X.Label.Text, p.Y.Label.Text = x, y
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: gridColor, Width: 0.5}
	grid.Vertical = grid.Horizontal
	p.Add(grid)
	return p
}

// key is an entry of the legend.
type key struct {
	text  string
	color color.Color
	line  bool // else a dot
}

// page is a white square with a title and a legend on top and room for plots below.
type page struct {
	image  *vgimg.Canvas
	body   draw.Canvas
	header draw.Canvas
}

func newPage() *page {
	image := vgimg.NewWith(vgimg.UseWH(side, side), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	inner := draw.Crop(draw.New(image), margin, -margin, margin, -margin)
	height := inner.Max.Y - inner.Min.Y
	return &page{
		image:  image,
		body:   draw.Crop(inner, 0, 0, 0, -header),
		header: draw.Crop(inner, 0, 0, height-header, 0),
	}
}

// heading draws the title, and the legend on the line below it.
func (p *page) heading(title string, keys ...key) {
	style := draw.TextStyle{Color: inkColor, Font: sans(14), Handler: gonum.DefaultTextHandler}
	style.Font.Weight = 3 // bold
	c := &p.header
	y := c.Max.Y - 15
	c.FillText(style, vg.Point{X: c.Min.X, Y: y}, title)

	style.Font = sans(11)
	const mark, gap = 14, 16
	x := c.Min.X
	y -= 20
	for _, k := range keys {
		middle := y + style.Font.Size*0.33
		if k.line {
			c.StrokeLine2(draw.LineStyle{Color: k.color, Width: 2}, x, middle, x+mark-4, middle)
		} else {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: k.color, Radius: 3.5, Shape: draw.CircleGlyph{}}, vg.Point{X: x + 4, Y: middle})
		}
		x += mark
		c.FillText(style, vg.Point{X: x, Y: y}, k.text)
		x += style.Width(k.text) + gap
	}
}

// save writes the page to path, whole or not at all.
func (p *page) save(path string) error {
	err := atomicfile.Write(path, func(w io.Writer) error {
		_, err := vgimg.PngCanvas{Canvas: p.image}.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}
