// Package dataset holds numeric tables to train on: reading them from CSV, picking columns, standardizing, holding rows out.
package dataset

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/quote"
)

// Table is a matrix of finite numbers with named columns.
type Table struct {
	Columns []string
	Rows    int
	Data    []float64 // Rows × len(Columns), row-major
}

// Row returns row i, counted from 0, aliasing the table.
func (t *Table) Row(i int) []float64 {
	d := len(t.Columns)
	return t.Data[i*d : (i+1)*d : (i+1)*d]
}

// Select returns a table of the given columns, in the given order. A column is given by its name or, if none has that name, by its
// number, counted from 1. An unknown, repeated or ambiguous column is an error, and so is an empty list.
func (t *Table) Select(columns ...string) (*Table, error) {
	if len(columns) == 0 {
		return nil, fmt.Errorf("dataset: no columns are selected; have %s", t.columnList())
	}
	picked := make([]int, len(columns))
	names := make([]string, len(columns))
	for i, column := range columns {
		c, err := t.find(column)
		if err != nil {
			return nil, err
		}
		if slices.Contains(picked[:i], c) {
			return nil, fmt.Errorf("dataset: column %q is selected twice", t.Columns[c])
		}
		picked[i], names[i] = c, t.Columns[c]
	}
	data := make([]float64, 0, t.Rows*len(picked))
	for i := range t.Rows {
		row := t.Row(i)
		for _, c := range picked {
			data = append(data, row[c])
		}
	}
	return &Table{Columns: names, Rows: t.Rows, Data: data}, nil
}

func (t *Table) find(column string) (int, error) {
	if c := slices.Index(t.Columns, column); c >= 0 {
		if slices.Contains(t.Columns[c+1:], column) {
			return 0, fmt.Errorf("dataset: several columns are named %q; select them by number", column)
		}
		return c, nil
	}
	if n, err := strconv.Atoi(column); err == nil && n >= 1 && n <= len(t.Columns) {
		return n - 1, nil
	}
	return 0, fmt.Errorf("dataset: there is no column %q; have %s", column, t.columnList())
}

// columnList names the first columns, for error messages.
func (t *Table) columnList() string {
	const limit = 10
	quoted := make([]string, 0, limit)
	for _, name := range t.Columns[:min(len(t.Columns), limit)] {
		quoted = append(quoted, quote.Short(name))
	}
	if len(t.Columns) > limit {
		quoted = append(quoted, fmt.Sprintf("… (%d in all)", len(t.Columns)))
	}
	return strings.Join(quoted, ", ")
}

// Split divides the rows at random into those to train on and those held out, of which there are fraction·Rows, rounded, but at least
// one on either side. Both keep the order of the rows. The choice is a function of seed and Rows alone: row i is held out
// if its word pair of Philox4x32 at counter i under seed is among the smallest. fraction must lie strictly between 0 and 1, and
// there must be two rows or more.
func (t *Table) Split(seed uint64, fraction float64) (train, held *Table, err error) {
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("dataset: the held-out fraction is %v; want one between 0 and 1", fraction)
	}
	if t.Rows < 2 {
		return nil, nil, fmt.Errorf("dataset: %d rows cannot be split; want at least 2", t.Rows)
	}
	order := make([]int, t.Rows)
	keys := make([]uint64, t.Rows)
	for i := range order {
		w := backend.Philox4x32(seed, uint64(i))
		order[i], keys[i] = i, uint64(w[0])|uint64(w[1])<<32
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
	n := min(max(int(math.Round(fraction*float64(t.Rows))), 1), t.Rows-1)
	return t.pick(order[n:]), t.pick(order[:n]), nil
}

// pick returns a table of the given rows in ascending order. It sorts its argument.
func (t *Table) pick(rows []int) *Table {
	slices.Sort(rows)
	data := make([]float64, 0, len(rows)*len(t.Columns))
	for _, i := range rows {
		data = append(data, t.Row(i)...)
	}
	return &Table{Columns: slices.Clone(t.Columns), Rows: len(rows), Data: data}
}
