package dataset

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// gaussians returns n rows of independent columns.
func gaussians(n int, columns ...string) *Table {
	r := rand.New(rand.NewPCG(1, 2))
	t := &Table{Columns: columns, Rows: n}
	for range n * len(columns) {
		t.Data = append(t.Data, r.NormFloat64())
	}
	return t
}

func TestRemarks(t *testing.T) {
	const few = "39 rows are few for 2 columns: the sampler will know them by heart; watch the held-out bound, and stop early"
	for _, tt := range []struct {
		name string
		edit func(t *Table)
		want []string
	}{
		{"nothing", func(*Table) {}, nil},
		{"none", func(t *Table) { t.Rows, t.Data = 0, nil }, []string{strings.Replace(few, "39", "0", 1)}},
		{"few", func(t *Table) { t.Rows, t.Data = 39, t.Data[:78] }, []string{few}},
		{"twice the same", func(t *Table) {
			for i := range t.Rows {
				t.Row(i)[1] = 3 - 1e-6*t.Row(i)[0]
			}
		}, []string{`columns 1 ("a") and 2 ("b") say the same, up to scale: together they have no density; leave one out`}},
		{"nearly the same", func(t *Table) {
			for i := range t.Rows {
				t.Row(i)[1] = t.Row(i)[0] + 1e-6*t.Row(i)[1]
			}
		}, nil},
		{"outlier", func(t *Table) { t.Row(41)[1], t.Row(40)[1] = -1e9, 77 }, []string{
			`column 2 ("b"): 2 of 1000 values lie far from the others, like -1e+09 in row 42: they stretch the scale on which the rest is learned`,
		}},
		{"half a column is equal", func(t *Table) {
			for i := range t.Rows {
				t.Row(i)[0] = math.Max(t.Row(i)[0], 0.1)
			}
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := gaussians(1000, "a", "b")
			tt.edit(table)
			require.Equal(t, tt.want, table.Remarks())
		})
	}
}
