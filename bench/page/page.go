// Package page writes a report of package bench as one HTML file for a browser, a phone or a printer: a roofline, bars by case and backend, how training
// steps scale, all numbers, and the machine. The file needs nothing beside it, no script, and follows the reader's choice of light or dark.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/weir-ml/weir/bench"
)

//go:embed page.tmpl
var source string

var page = template.Must(template.New("page").Parse(source))

// content is what the template shows.
type content struct {
	Title       string
	Facts       []fact
	Series      []series
	Summary     []summary
	Roofline    *chart
	Scaling     []*chart
	Suites      []suite
	Refused     []bench.Refusal
	Comparison  *bench.Comparison
	Differences []difference
}

// NoisePercent is how far passes of a case strayed.
func (c *content) NoisePercent() float64 { return 100 * c.Comparison.Noise }

// fact is a line about the machine.
type fact struct{ Name, Value string }

// series is a column of the report: a backend, or one with so many workers.
type series struct {
	Index int // of its colour and mark
	Label string
}

// marks is how many colours and marks there are; further series begin anew.
const marks = 6

// difference is one from the baseline, in words.
type difference struct{ Name, On, Before, Now, Ratio string }

// Write writes the page. c is a comparison with a baseline, or nil.
func Write(w io.Writer, r *bench.Report, c *bench.Comparison) error {
	v := view{report: r, labels: r.Columns()}
	x := content{
		Title: "Weir: " + strings.Join(v.labels, ", "), Facts: facts(&r.Machine),
		Roofline: v.roofline(), Scaling: v.scaling(), Suites: v.suites(), Summary: v.summary(), Refused: r.Refused, Comparison: c,
	}
	for i, label := range v.labels {
		x.Series = append(x.Series, series{i % marks, label})
	}
	if c != nil {
		for _, d := range c.Differences {
			x.Differences = append(x.Differences, difference{
				d.Name, d.Column, bench.FormatTime(d.Before), bench.FormatTime(d.Now), bench.FormatRatio(d.Ratio),
			})
		}
	}
	return page.Execute(w, &x)
}

func facts(m *bench.Machine) []fact {
	found := []fact{{"Processor", m.Processor}, {"Cores", fmt.Sprint(m.Cores)}}
	for _, c := range []struct {
		name  string
		bytes int64
	}{{"L1", m.L1}, {"L2", m.L2}, {"L3", m.L3}, {"Memory", m.Memory}} {
		if c.bytes > 0 {
			found = append(found, fact{c.name, formatBytes(c.bytes)})
		}
	}
	for _, c := range m.Ceilings {
		found = append(found, fact{
			fmt.Sprintf("Ceilings, workers: %d", c.Workers),
			fmt.Sprintf("%.0f GFLOP/s float32, %.0f float64 (%s); %.1f GB/s", c.FMA, c.FMA64, c.By, c.Triad),
		})
	}
	found = append(found, fact{"Go", m.Go + " " + m.OS + "/" + m.Arch}, fact{"Date", m.Date.Format("2 January 2006, 15:04 MST")})
	if m.Revision != "" {
		found = append(found, fact{"Revision", m.Revision})
	}
	return found
}

func formatBytes(n int64) string {
	for _, unit := range []struct {
		name  string
		shift int
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if n >= 1<<unit.shift {
			return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(n)/float64(int64(1)<<unit.shift)), ".0") + " " + unit.name
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// view is a report with the labels of its columns.
type view struct {
	report *bench.Report
	labels []string
}

// index returns the number of a result's column.
func (v *view) index(x *bench.Result) int {
	label := v.report.Label(x)
	for i, l := range v.labels {
		if l == label {
			return i
		}
	}
	return 0
}
