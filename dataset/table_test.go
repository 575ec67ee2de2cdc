package dataset

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// numbered returns a table of one column that holds 0, 1, …, rows−1.
func numbered(rows int) *Table {
	t := &Table{Columns: []string{"i"}, Rows: rows}
	for i := range rows {
		t.Data = append(t.Data, float64(i))
	}
	return t
}

func TestSelect(t *testing.T) {
	table := &Table{Columns: []string{"x", "y", "1"}, Rows: 2, Data: []float64{1, 2, 3, 4, 5, 6}}
	tests := []struct {
		name    string
		columns []string
		want    *Table
	}{
		{"by name", []string{"y"}, &Table{[]string{"y"}, 2, []float64{2, 5}}},
		{"by number", []string{"2"}, &Table{[]string{"y"}, 2, []float64{2, 5}}},
		{"in another order", []string{"y", "x"}, &Table{[]string{"y", "x"}, 2, []float64{2, 1, 5, 4}}},
		{"name before number", []string{"1"}, &Table{[]string{"1"}, 2, []float64{3, 6}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := table.Select(tt.columns...)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestSelectErrors(t *testing.T) {
	table := &Table{Columns: []string{"x", "y", "y"}, Rows: 1, Data: []float64{1, 2, 3}}
	tests := []struct {
		columns []string
		want    string
	}{
		{nil, `dataset: no columns are selected; have "x", "y", "y"`},
		{[]string{"z"}, `dataset: there is no column "z"; have "x", "y", "y"`},
		{[]string{"0"}, `dataset: there is no column "0"; have "x", "y", "y"`},
		{[]string{"4"}, `dataset: there is no column "4"; have "x", "y", "y"`},
		{[]string{"y"}, `dataset: several columns are named "y"; select them by number`},
		{[]string{"x", "1"}, `dataset: column "x" is selected twice`},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.columns), func(t *testing.T) {
			_, err := table.Select(tt.columns...)
			require.EqualError(t, err, tt.want)
		})
	}
	wide := &Table{Columns: make([]string, 12), Rows: 1, Data: make([]float64, 12)}
	_, err := wide.Select("z")
	require.ErrorContains(t, err, `"", … (12 in all)`)
}

func TestSplitIsAPartitionInOrder(t *testing.T) {
	for _, tt := range []struct {
		rows, held int
		fraction   float64
	}{{1000, 200, 0.2}, {10, 1, 0.01}, {10, 9, 0.999}, {2, 1, 0.5}, {7, 2, 0.25}} {
		t.Run(fmt.Sprintf("%d rows, %v", tt.rows, tt.fraction), func(t *testing.T) {
			train, held, err := numbered(tt.rows).Split(1, tt.fraction)
			require.NoError(t, err)
			require.Equal(t, tt.held, held.Rows)
			require.Equal(t, tt.rows-tt.held, train.Rows)
			require.IsNonDecreasing(t, train.Data)
			require.IsNonDecreasing(t, held.Data)
			all := append(slices.Clone(train.Data), held.Data...)
			require.ElementsMatch(t, numbered(tt.rows).Data, all)
		})
	}
}

func TestSplitDependsOnTheSeedAlone(t *testing.T) {
	_, first, err := numbered(12).Split(1, 0.25)
	require.NoError(t, err)
	require.Equal(t, []float64{3, 5, 6}, first.Data, "the choice must never change: published splits depend on it")
	_, other, err := numbered(12).Split(2, 0.25)
	require.NoError(t, err)
	require.NotEqual(t, first.Data, other.Data)
}

// Each row must be held out about equally often over seeds: with 2,000 seeds and p = ¼ the standard deviation is 19.4.
func TestSplitIsFair(t *testing.T) {
	var counts [8]int
	for seed := range uint64(2000) {
		_, held, err := numbered(len(counts)).Split(seed, 0.25)
		require.NoError(t, err)
		for _, i := range held.Data {
			counts[int(i)]++
		}
	}
	for i, n := range counts {
		require.InDelta(t, 500, n, 5*19.4, "row %d", i)
	}
}

func TestSplitErrors(t *testing.T) {
	for _, fraction := range []float64{0, 1, -1, nan} {
		_, _, err := numbered(4).Split(1, fraction)
		require.ErrorContains(t, err, "want one between 0 and 1")
	}
	_, _, err := numbered(1).Split(1, 0.5)
	require.EqualError(t, err, "dataset: 1 rows cannot be split; want at least 2")
}
