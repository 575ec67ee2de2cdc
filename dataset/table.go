// Package dataset holds numeric tables to train on: reading them from .csv, .npy and .safetensors, picking columns, standardizing, holding rows out,
// and remarking on what will not train well. [Table] is in memory; [Rows] and [Stream] are for what does not fit there.
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
	picked, err := pick(t.Columns, columns)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(picked))
	for i, c := range picked {
		names[i] = t.Columns[c]
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

// pick returns the positions, among the columns there are, of those wanted; see [Table.Select].
func pick(have, wanted []string) ([]int, error) {
	if len(wanted) == 0 {
		return nil, fmt.Errorf("dataset: no columns are selected; have %s", columnList(have))
	}
	picked := make([]int, len(wanted))
	for i, column := range wanted {
		c, err := find(have, column)
		if err != nil {
			return nil, err
		}
		if slices.Contains(picked[:i], c) {
			return nil, fmt.Errorf("dataset: column %q is selected twice", have[c])
		}
		picked[i] = c
	}
	return picked, nil
}

func find(have []string, column string) (int, error) {
	if c := slices.Index(have, column); c >= 0 {
		if slices.Contains(have[c+1:], column) {
			return 0, fmt.Errorf("dataset: several columns are named %q; select them by number", column)
		}
		return c, nil
	}
	if n, err := strconv.Atoi(column); err == nil && n >= 1 && n <= len(have) {
		return n - 1, nil
	}
	return 0, fmt.Errorf("dataset: there is no column %q; have %s", column, columnList(have))
}

// columnList names the first columns, for error messages.
func columnList(columns []string) string {
	const limit = 10
	quoted := make([]string, 0, limit)
	for _, name := range columns[:min(len(columns), limit)] {
		quoted = append(quoted, quote.Short(name))
	}
	if len(columns) > limit {
		quoted = append(quoted, fmt.Sprintf("… (%d in all)", len(columns)))
	}
	return strings.Join(quoted, ", ")
}

// Split divides the rows at random into those to train on and those held out, of which there are fraction·Rows, rounded, but at least
// one on either side. Both keep the order of the rows. The choice is a function of seed and Rows alone: row i is held out
// if its word pair of Philox4x32 at counter i under seed is among the smallest. fraction must lie strictly between 0 and 1, and
// there must be two rows or more. Anything else is an error.
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
		order[i], keys[i] = i, word(seed, uint64(i))
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(keys[a], keys[b]) })
	n := min(max(int(math.Round(fraction*float64(t.Rows))), 1), t.Rows-1)
	return t.rowsAt(order[n:]), t.rowsAt(order[:n]), nil
}

// word returns the word pair of Philox4x32 at a counter under a seed.
func word(seed, counter uint64) uint64 {
	w := backend.Philox4x32(seed, counter)
	return uint64(w[0]) | uint64(w[1])<<32
}

// rowsAt returns a table of the given rows in ascending order. It sorts its argument.
func (t *Table) rowsAt(rows []int) *Table {
	slices.Sort(rows)
	data := make([]float64, 0, len(rows)*len(t.Columns))
	for _, i := range rows {
		data = append(data, t.Row(i)...)
	}
	return &Table{Columns: slices.Clone(t.Columns), Rows: len(rows), Data: data}
}
