package dataset

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

var nan = math.NaN()

func TestStandardizeGivesMeanZeroAndDeviationOne(t *testing.T) {
	table := &Table{Columns: []string{"x", "far", "tiny", "huge"}, Rows: 4, Data: []float64{
		1, 1e9 + 1, 1e-200, -8e307,
		2, 1e9 + 2, 2e-200, 8e307,
		3, 1e9 + 3, 3e-200, -8e307,
		6, 1e9 + 6, 6e-200, 8e307,
	}}
	s, err := Standardize(table)
	require.NoError(t, err)
	require.InDelta(t, 3, s.Mean[0], 1e-15)
	require.InDelta(t, math.Sqrt(3.5), s.Std[0], 1e-15)

	z, err := s.Transform(table.Data)
	require.NoError(t, err)
	for c := range table.Columns {
		var sum, squares float64
		for i := range table.Rows {
			sum += z[i*4+c]
			squares += z[i*4+c] * z[i*4+c]
		}
		require.InDelta(t, 0, sum/4, 1e-12, table.Columns[c])
		require.InDelta(t, 1, squares/4, 1e-12, table.Columns[c])
	}
	x, err := s.Inverse(z)
	require.NoError(t, err)
	for i := range x {
		require.InEpsilon(t, table.Data[i], x[i], 1e-14)
	}
}

// The density of x = 3 + 2·z with z standard normal, at x = 4, once directly and once by way of z.
func TestLogDetJacobianMovesADensityToTheDatasUnits(t *testing.T) {
	logNormal := func(x, mean, std float64) float64 {
		return -(x-mean)*(x-mean)/(2*std*std) - math.Log(std) - math.Log(2*math.Pi)/2
	}
	s := Standardizer{Mean: []float64{3}, Std: []float64{2}}
	z, err := s.Transform([]float64{4})
	require.NoError(t, err)
	require.InDelta(t, logNormal(4, 3, 2), logNormal(z[0], 0, 1)+s.LogDetJacobian(), 1e-15)
}

func TestStandardizeErrors(t *testing.T) {
	tenths := make([]float64, 10) // their rounded mean is not 0.1
	for i := range tenths {
		tenths[i] = 0.1
	}
	tests := []struct {
		name  string
		table *Table
		want  string
	}{
		{"one row", numbered(1), "dataset: 1 rows cannot be standardized; want at least 2"},
		{"constant", &Table{[]string{"x"}, 10, tenths}, `dataset: column 1 ("x") cannot be standardized: all 10 values are 0.1`},
		{"second constant", &Table{[]string{"x", "y"}, 2, []float64{1, 5, 2, 5}}, `dataset: column 2 ("y") cannot be standardized: all 2 values are 5`},
		{"too wide", &Table{[]string{"x"}, 2, []float64{math.MaxFloat64, -math.MaxFloat64}}, `dataset: column 1 ("x") cannot be standardized: values ` +
			"from -1.7976931348623157e+308 to 1.7976931348623157e+308 have no standard deviation in float64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Standardize(tt.table)
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestTransformRefusesOtherWidths(t *testing.T) {
	s := Standardizer{Mean: []float64{0, 0}, Std: []float64{1, 1}}
	_, err := s.Transform(make([]float64, 3))
	require.EqualError(t, err, "dataset: 3 numbers are no rows of 2 columns")
	_, err = Standardizer{}.Inverse(nil)
	require.ErrorContains(t, err, "make one with Standardize")
}
