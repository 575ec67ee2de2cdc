package page

import (
	"fmt"
	"math"
	"strings"

	"github.com/weir-ml/weir/bench"
)

// suite is a suite with its cases.
type suite struct {
	Name  string
	Cases []caseBars
}

// caseBars is a case with a bar for each column that has a result.
type caseBars struct {
	Name string
	Bars []bar
}

// bar is a result; Width is its speed in percent of the case's fastest.
type bar struct {
	Series                    int
	Label                     string
	Width                     string
	Median, Min, Spread       string
	Rate, Share, Ratio, Alloc string
}

// suites returns every result.
func (v *view) suites() []suite {
	results := map[string][]*bench.Result{}
	for i := range v.report.Results {
		x := &v.report.Results[i]
		results[x.Name] = append(results[x.Name], x)
	}
	var found []suite
	for _, name := range v.report.Names() {
		in, rest, _ := strings.Cut(name, "/")
		if len(found) == 0 || found[len(found)-1].Name != in {
			found = append(found, suite{Name: in})
		}
		s := &found[len(found)-1]
		s.Cases = append(s.Cases, caseBars{rest, v.bars(results[name])})
	}
	return found
}

func (v *view) bars(results []*bench.Result) []bar {
	fastest := math.Inf(1)
	for _, x := range results {
		fastest = min(fastest, x.Median)
	}
	var bars []bar
	for _, x := range results {
		i := v.index(x)
		b := bar{
			Series: i % marks, Label: v.labels[i], Width: fmt.Sprintf("%.2f", 100*fastest/x.Median),
			Median: bench.FormatTime(x.Median), Min: bench.FormatTime(x.Min), Spread: x.Noise(),
			Rate: x.Rate(), Share: x.Share(), Alloc: fmt.Sprintf("%.0f", x.Allocs),
		}
		if x != results[0] {
			b.Ratio = bench.FormatRatio(results[0].Median / x.Median)
		}
		bars = append(bars, b)
	}
	return bars
}

// summary is how a column compares with the first one over a suite.
type summary struct {
	Series int
	Label  string
	Suites []fact
}

// summary returns for every column but the first the geometric mean of the ratios to the first, suite by suite.
func (v *view) summary() []summary {
	var found []summary
	for i := 1; i < len(v.labels); i++ {
		s := summary{Series: i % marks, Label: v.labels[i]}
		for _, suite := range v.suites() {
			var ratios []float64
			for _, c := range suite.Cases {
				if ratio := v.ratio(suite.Name+"/"+c.Name, i); ratio > 0 {
					ratios = append(ratios, ratio)
				}
			}
			if len(ratios) > 0 {
				s.Suites = append(s.Suites, fact{suite.Name, bench.FormatRatio(geometricMean(ratios))})
			}
		}
		if len(s.Suites) > 0 {
			found = append(found, s)
		}
	}
	return found
}

// geometricMean returns the geometric mean of positive numbers.
func geometricMean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(xs)))
}

// ratio returns how many times as fast as the first column another is at a case, 0 if one of them has no result.
func (v *view) ratio(name string, column int) float64 {
	var first, other float64
	for i := range v.report.Results {
		x := &v.report.Results[i]
		if x.Name != name {
			continue
		}
		switch v.index(x) {
		case 0:
			first = x.Median
		case column:
			other = x.Median
		}
	}
	if first == 0 || other == 0 {
		return 0
	}
	return first / other
}
