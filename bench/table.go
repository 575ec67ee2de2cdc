package bench

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteTable writes the report for people: the machine, then a row for each case with every backend's median time, spread, rate and share of the ceiling,
// and how many times as fast as the first backend it is; rates only if there are one or two backends. With a comparison, the differences that exceed the
// noise and what that means follow. Its error is that of w.
func (r *Report) WriteTable(w io.Writer, c *Comparison) error {
	out := bufio.NewWriter(w)
	r.writeMachine(out)
	writeAligned(out, r.tableRows())
	if len(r.Refused) > 0 {
		fmt.Fprintln(out)
		for _, x := range r.Refused {
			fmt.Fprintln(out, x)
		}
	}
	if c != nil {
		fmt.Fprintln(out)
		c.write(out)
	}
	return out.Flush()
}

func (r *Report) writeMachine(w io.Writer) {
	m := &r.Machine
	fmt.Fprintf(w, "%s; %d cores; %s, %s/%s; %s\n", m.Processor, m.Cores, m.Go, m.OS, m.Arch, m.Date.Format("2006-01-02"))
	for _, c := range m.Ceilings {
		workers := "worker"
		if c.Workers > 1 {
			workers = "workers"
		}
		fmt.Fprintf(w, "ceilings of %d %s: %s GFLOP/s in float32, %s in float64 (%s), %s GB/s\n",
			c.Workers, workers, threeDigits(c.FMA), threeDigits(c.FMA64), c.By, threeDigits(c.Triad))
	}
	if r.Precision != "" {
		fmt.Fprintf(w, "products of float32 in %s\n", r.Precision)
	}
	if r.MatMul != "" {
		fmt.Fprintf(w, "matrix products by %s\n", r.MatMul)
	}
	fmt.Fprintln(w)
}

// tableRows returns the cells of the table; the first column is text, the others are numbers. A row of one cell is a heading.
func (r *Report) tableRows() [][]string {
	columns, labels, results := r.columns(), r.Columns(), r.byName()
	wide := len(columns) <= widest
	head := []string{""}
	for i, label := range labels {
		if head = append(head, label, "±"); wide {
			head = append(head, "rate")
		}
		if head = append(head, "share"); i > 0 {
			head = append(head, "to "+labels[0])
		}
	}
	rows := [][]string{head}
	suite := ""
	for _, name := range r.Names() {
		if s, _, _ := strings.Cut(name, "/"); s != suite {
			suite = s
			rows = append(rows, []string{s})
		}
		rows = append(rows, tableRow(name, columns, results[name], wide))
	}
	return rows
}

// widest is the most columns that have room for rates.
const widest = 2

func tableRow(name string, columns []column, results map[column]*Result, wide bool) []string {
	_, rest, _ := strings.Cut(name, "/")
	row := []string{"  " + rest}
	first := results[columns[0]]
	for i, c := range columns {
		x := results[c]
		cells := []string{"–", "", "", ""}
		if x != nil {
			cells = []string{FormatTime(x.Median), fmt.Sprintf("%.0f%%", 100*x.Spread), x.Rate(), x.Share()}
		}
		if !wide {
			cells = slices.Delete(cells, 2, 3)
		}
		row = append(row, cells...)
		switch {
		case i == 0:
		case x == nil || first == nil:
			row = append(row, "")
		default:
			row = append(row, FormatRatio(first.Median/x.Median))
		}
	}
	return row
}

// writeAligned writes cells in columns: the first one flush left, the others flush right.
func writeAligned(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			if len(row) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell)))
			if i == 0 {
				line.WriteString(cell + pad)
				continue
			}
			line.WriteString("  " + pad + cell)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
