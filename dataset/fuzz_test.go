package dataset

import (
	"bytes"
	"encoding/csv"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzReadCSV checks that any bytes are either an error of one short line or a table of finite numbers that survives being
// written and read again.
func FuzzReadCSV(f *testing.F) {
	for _, text := range []string{"x,y\n1,2\n", "\ufeff1\r\n2\r\n\r\n", "\"a\nb\",c\n1,\"2\"\n", "nan\n", "1,2\n3\n", "x\n1e999\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := ReadCSV(bytes.NewReader(text), "data.csv")
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			require.Less(t, len(err.Error()), 1000)
			return
		}
		require.Positive(t, got.Rows)
		require.Len(t, got.Data, got.Rows*len(got.Columns))
		back, err := ReadCSV(bytes.NewReader(written(t, got)), "again.csv")
		require.NoError(t, err)
		require.Equal(t, got.Data, back.Data)
	})
}

func written(t *testing.T, table *Table) []byte {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for i := range table.Rows {
		var record []string
		for _, x := range table.Row(i) {
			require.False(t, math.IsNaN(x) || math.IsInf(x, 0))
			record = append(record, strconv.FormatFloat(x, 'g', -1, 64))
		}
		require.NoError(t, w.Write(record))
	}
	w.Flush()
	require.NoError(t, w.Error())
	return b.Bytes()
}
