package dataset

import (
	"fmt"
	"math"
	"slices"

	"github.com/weir-ml/weir/internal/quote"
)

// Remarks says, a sentence each, what in a table to learn from is likely to spoil the result: columns that say the same, values far from all others,
// and too few rows. A table without remarks is not thereby a good one.
func (t *Table) Remarks() []string {
	remarks := t.fewRows()
	standard := t.standardized()
	for a := range t.Columns {
		for b := range a {
			if dependent(standard[b], standard[a]) {
				remarks = append(remarks, fmt.Sprintf("columns %d (%s) and %d (%s) say the same, up to scale: together they have no density; leave one out",
					b+1, quote.Short(t.Columns[b]), a+1, quote.Short(t.Columns[a])))
			}
		}
	}
	for c := range t.Columns {
		if far, worst := t.outliers(c); far > 0 {
			remarks = append(remarks, fmt.Sprintf("column %d (%s): %d of %d values lie far from the others, like %v in row %d: they stretch the scale on which the rest is learned",
				c+1, quote.Short(t.Columns[c]), far, t.Rows, t.Row(worst)[c], worst+1))
		}
	}
	return remarks
}

func (t *Table) fewRows() []string {
	const perColumn = 20
	if d := len(t.Columns); t.Rows < perColumn*d {
		return []string{fmt.Sprintf("%d rows are few for %d columns: the sampler will know them by heart; watch the held-out bound, and stop early", t.Rows, d)}
	}
	return nil
}

// column is one of a table, shifted and scaled to mean 0 and standard deviation 1 as it is read.
type column struct {
	table     *Table
	index     int
	mean, std float64 // std is 0 if it has none
}

func (t *Table) standardized() []column {
	columns := make([]column, len(t.Columns))
	for c := range columns {
		columns[c] = column{table: t, index: c}
		if mean, std, err := t.moments(c); err == nil {
			columns[c].mean, columns[c].std = mean, std
		}
	}
	return columns
}

func (c *column) at(i int) float64 { return (c.table.Row(i)[c.index] - c.mean) / c.std }

// dependent reports whether a column is another one, shifted and scaled.
func dependent(a, b column) bool {
	const tolerance = 1e-9
	rows := a.table.Rows
	if rows < 4 || a.std == 0 || b.std == 0 { // three points are soon in line
		return false
	}
	same, opposite := true, true
	for i := 0; i < rows && (same || opposite); i++ {
		x, y := a.at(i), b.at(i)
		same = same && math.Abs(x-y) <= tolerance*(1+math.Abs(x))
		opposite = opposite && math.Abs(x+y) <= tolerance*(1+math.Abs(x))
	}
	return same || opposite
}

// outliers counts the values of a column that lie more than twenty times as far from the median as half of all do, which is more than thirteen
// standard deviations of a Gaussian, and returns the row of the farthest. A column of which half the values are equal has none.
func (t *Table) outliers(c int) (far, worst int) {
	const reach = 20
	sample := t.sampled(c, 100_000)
	if len(sample) == 0 {
		return 0, 0
	}
	slices.Sort(sample)
	median := sample[len(sample)/2]
	for i, x := range sample {
		sample[i] = math.Abs(x - median)
	}
	slices.Sort(sample)
	typical := sample[len(sample)/2]
	if typical == 0 {
		return 0, 0
	}
	most := 0.0
	for i := range t.Rows {
		away := math.Abs(t.Row(i)[c] - median)
		if away > reach*typical {
			far++
		}
		if away > most {
			most, worst = away, i
		}
	}
	return far, worst
}

// sampled returns at most about n values of a column, spread evenly.
func (t *Table) sampled(c, n int) (values []float64) {
	for i := 0; i < t.Rows; i += t.Rows/n + 1 {
		values = append(values, t.Row(i)[c])
	}
	return values
}
