package dataset

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestReadCSV(t *testing.T) {
	tests := []struct {
		name, text string
		columns    []string
		data       []float64
	}{
		{"header", "x,y\n1,2\n3,4\n", []string{"x", "y"}, []float64{1, 2, 3, 4}},
		{"no header", "1,2\n3,4", []string{"1", "2"}, []float64{1, 2, 3, 4}},
		{"unnamed column", ",y\n1,2\n", []string{"", "y"}, []float64{1, 2}},
		{"byte order mark", "\ufeff1\n2\n", []string{"1"}, []float64{1, 2}},
		{"byte order mark before quoted name", "\ufeff\"x\"\n2\n", []string{"x"}, []float64{2}},
		{"CRLF", "x,y\r\n1,2\r\n", []string{"x", "y"}, []float64{1, 2}},
		{"quoted", "\"x, in m\",\"y\ntwo\"\n\"1\",2\n", []string{"x, in m", "y\ntwo"}, []float64{1, 2}},
		{"spaces", " x , y\n 1 ,\t2\n", []string{"x", "y"}, []float64{1, 2}},
		{"blank lines", "\n1,2\n\n3,4\n\r\n  \n\n", []string{"1", "2"}, []float64{1, 2, 3, 4}},
		{"notations", "-1.5e-3,+2,.5,1e-400\n", []string{"1", "2", "3", "4"}, []float64{-0.0015, 2, 0.5, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReadCSV(strings.NewReader(tt.text), "data.csv")
			require.NoError(t, err)
			require.Equal(t, &Table{Columns: tt.columns, Rows: len(tt.data) / len(tt.columns), Data: tt.data}, got)
		})
	}
}

func TestReadCSVErrorsSayWhere(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "file is empty; want rows of numbers"},
		{"only a byte order mark", "\ufeff", "file is empty; want rows of numbers"},
		{"only blank lines", "\n \n", "file is empty; want rows of numbers"},
		{"header only", "x,y\n\n", "file has a header and no rows"},
		{"short row", "x,y\n1,2\n\n3\n", "line 4 has 1 cells; want 2"},
		{"long row", "1,2\n3,4,5\n", "line 2 has 3 cells; want 2"},
		{"word", "x,y\n1,two\n", `line 2, column 2 ("y"): "two" is not a number`},
		{"semicolons", "x;y\n1;2\n", `line 2, column 1 ("x;y"): "1;2" is not a number; separate cells by commas`},
		{"missing cell", "x,y\n1,\n", `line 2, column 2 ("y"): "" is not a number`},
		{"comment", "x\n1\n# end\n", `line 3, column 1 ("x"): "# end" is not a number`},
		{"second header", "x\n1\nx\n", `line 3, column 1 ("x"): "x" is not a number`},
		{"NaN", "x\nNaN\n", `line 2, column 1 ("x"): "NaN" is not finite`},
		{"word in a first row of numbers", "1,two\n3,4\n", `line 1, column 2 ("2"): "two" is not a number`},
		{"NaN first", "nan,1\n2,3\n", `line 1, column 1 ("1"): "nan" is not finite`},
		{"infinite", "x\n-Inf\n", `line 2, column 1 ("x"): "-Inf" is not finite`},
		{"out of range", "x\n1e999\n", `line 2, column 1 ("x"): "1e999" is not finite`},
		{"open quote", "x\n\"1\n2\n", `line 3, byte 3: extraneous or missing " in quoted-field`},
		{"bare quote", "x\n1\"\n", `line 2, byte 2: bare " in non-quoted-field`},
		{"line after quoted line break", "\"x\ny\"\n1\nz\n", `line 4, column 1 ("x\ny"): "z" is not a number`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadCSV(strings.NewReader(tt.text), "data.csv")
			require.EqualError(t, err, "dataset: data.csv: "+tt.want)
		})
	}
}

func TestReadersErrorComesThrough(t *testing.T) {
	broken := errors.New("broken")
	_, err := ReadCSV(io.MultiReader(strings.NewReader("1,2\n"), iotest.ErrReader(broken)), "data.csv")
	require.ErrorIs(t, err, broken)
}

func TestOpenCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.csv")
	_, err := OpenCSV(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, path)

	require.NoError(t, os.WriteFile(path, []byte("x\n1\n"), 0o600))
	got, err := OpenCSV(path)
	require.NoError(t, err)
	require.Equal(t, []float64{1}, got.Data)

	require.NoError(t, os.WriteFile(path, []byte("x\n?\n"), 0o600))
	_, err = OpenCSV(path)
	require.EqualError(t, err, "dataset: "+path+`: line 2, column 1 ("x"): "?" is not a number`)
}
