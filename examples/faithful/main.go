// Command faithful fits a sampler to the eruptions of the Old Faithful geyser and draws its samples over the data.
package main

import (
	"context"
	"flag"
	"fmt"
	"image/color"
	"log"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

func main() {
	data := flag.String("data", "examples/faithful/faithful.csv", "CSV file of two columns")
	out := flag.String("out", "faithful.png", "picture to write")
	steps := flag.Int("steps", 600, "training steps")
	flag.Parse()
	table, err := open(*data)
	if err != nil {
		log.Fatal(err)
	}
	samples, err := fit(train.Config{Data: *data, Steps: *steps, Batch: 128, LR: 3e-3})
	if err != nil {
		log.Fatal(err)
	}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = table.Columns[0], table.Columns[1]
	p.Legend.Top, p.Legend.Left = true, true
	addPoints(p, "samples", samples, color.NRGBA{R: 0xD5, G: 0x5E, A: 0x80})
	addPoints(p, "data", table.Data, color.NRGBA{G: 0x72, B: 0xB2, A: 0xFF})
	if err := p.Save(5*vg.Inch, 5*vg.Inch, *out); err != nil {
		log.Fatal(err)
	}
}

// open reads a table that can be drawn.
func open(path string) (*dataset.Table, error) {
	table, err := dataset.OpenCSV(path)
	if err == nil && len(table.Columns) != 2 {
		return nil, fmt.Errorf("%s has %d columns; want two to draw", path, len(table.Columns))
	}
	return table, err
}

// fit trains a sampler and returns 1000 of its samples in the data's units, row by row.
func fit(c train.Config) ([]float64, error) {
	device, err := tensor.Open("", backend.Options{})
	if err != nil {
		return nil, err
	}
	stream, err := device.NewStream()
	if err != nil {
		return nil, err
	}
	e, err := train.NewExperiment(stream, c)
	if err != nil {
		return nil, err
	}
	err = e.Run(context.Background(), train.Watch{OnStep: func(p train.Progress) error {
		if p.Step%100 == 0 {
			fmt.Printf("step %d of %d: loss %.3f\n", p.Step, c.Steps, p.Loss)
		}
		return nil
	}})
	if err != nil {
		return nil, err
	}
	return e.Model().Draw(context.Background(), tensor.NewRNG(stream, 1), 1000, 1000)
}

// addPoints draws pairs, row by row.
func addPoints(p *plot.Plot, name string, pairs []float64, c color.Color) {
	points := make(plotter.XYs, len(pairs)/2)
	for i := range points {
		points[i] = plotter.XY{X: pairs[2*i], Y: pairs[2*i+1]}
	}
	scatter := &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: c, Radius: 2, Shape: draw.CircleGlyph{}}}
	p.Add(scatter)
	p.Legend.Add(name, scatter)
}
