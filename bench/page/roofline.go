package page

import (
	"fmt"

	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/machine"
)

// roofline draws every float32 result that has flops and bytes, under the ceilings of the most workers; nil if there is nothing to draw.
//
// S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance model for multicore architectures", 2009.
func (v *view) roofline() *chart {
	var drawn []*bench.Result
	var xs, ys []float64
	for i := range v.report.Results {
		x := &v.report.Results[i]
		if x.Flops > 0 && x.Bytes > 0 && x.GFLOPS > 0 && x.DType == "float32" {
			drawn = append(drawn, x)
			xs, ys = append(xs, x.Flops/x.Bytes), append(ys, x.GFLOPS)
		}
	}
	roof, ok := mostWorkers(v.report.Machine.Ceilings)
	if len(drawn) == 0 || !ok {
		return nil
	}
	ridge := roof.FMA / roof.Triad
	xs = append(xs, ridge/2, ridge*4)
	ys = append(ys, roof.FMA*1.3)
	c := newChart("Roofline", "flops a byte that has to be moved", "GFLOP/s", xs, ys)
	c.drawRoof(roof, ridge)
	c.Note = fmt.Sprintf("Roofs: %.1f GB/s of the triad in memory, %.0f GFLOP/s of float32 multiply-adds; workers: %d. What a cache holds can lie above the slope.",
		roof.Triad, roof.FMA, roof.Workers)
	for _, x := range drawn {
		i := v.index(x)
		c.add(i, x.Flops/x.Bytes, x.GFLOPS, fmt.Sprintf("%s on %s: %.3g GFLOP/s, %.3g GB/s", x.Name, v.labels[i], x.GFLOPS, x.GBPS))
	}
	return c
}

func mostWorkers(ceilings []machine.Ceilings) (most machine.Ceilings, ok bool) {
	for _, c := range ceilings {
		if c.Workers > most.Workers && c.FMA > 0 && c.Triad > 0 {
			most, ok = c, true
		}
	}
	return most, ok
}

// drawRoof draws the slope of the bandwidth, where the drawing has it, and the flat roof of the multiply-adds.
func (c *chart) drawRoof(roof machine.Ceilings, ridge float64) {
	least, most := power10(c.X.lo), power10(c.X.hi)
	if bottom := power10(c.Y.lo); least*roof.Triad < bottom {
		least = bottom / roof.Triad
	}
	c.connect("roof", [][2]float64{{least, least * roof.Triad}, {ridge, roof.FMA}, {most, roof.FMA}})
}
