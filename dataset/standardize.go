package dataset

import (
	"errors"
	"fmt"
	"math"

	"github.com/weir-ml/weir/internal/quote"
)

// Standardizer shifts and scales columns to mean 0 and standard deviation 1:
//
//	z = (x − Mean) / Std
type Standardizer struct {
	Mean, Std []float64 // one a column
}

// Standardize returns the standardizer of the table's columns. Std is the population's, √(Σ(x−mean)²/n). Fewer than two rows, and
// a column that is constant or whose spread a float64 cannot hold, are errors.
func Standardize(t *Table) (Standardizer, error) {
	if t.Rows < 2 {
		return Standardizer{}, fmt.Errorf("dataset: %d rows cannot be standardized; want at least 2", t.Rows)
	}
	s := Standardizer{Mean: make([]float64, len(t.Columns)), Std: make([]float64, len(t.Columns))}
	for c := range t.Columns {
		var err error
		if s.Mean[c], s.Std[c], err = t.moments(c); err != nil {
			return Standardizer{}, fmt.Errorf("dataset: column %d (%s) cannot be standardized: %w", c+1, quote.Short(t.Columns[c]), err)
		}
	}
	return s, nil
}

// moments returns the mean and standard deviation of column c. The deviations are scaled by the largest, so that squares neither
// overflow nor vanish.
func (t *Table) moments(c int) (mean, std float64, err error) {
	d := len(t.Columns)
	lo, hi := math.Inf(1), math.Inf(-1)
	for i := range t.Rows {
		x := t.Data[i*d+c]
		lo, hi = min(lo, x), max(hi, x)
		mean += (x - mean) / float64(i+1)
	}
	if lo == hi { // a rounded mean would leave a tiny deviation
		return 0, 0, fmt.Errorf("all %d values are %v", t.Rows, lo)
	}
	largest := max(hi-mean, mean-lo)
	var sum float64
	for i := range t.Rows {
		z := (t.Data[i*d+c] - mean) / largest
		sum += float64(z * z)
	}
	std = largest * math.Sqrt(sum/float64(t.Rows))
	if std == 0 || math.IsNaN(std) || math.IsInf(std, 0) {
		return 0, 0, fmt.Errorf("values from %v to %v have no standard deviation in float64", lo, hi)
	}
	return mean, std, nil
}

// Transform returns the standardized rows. x has len(Mean) numbers a row, row-major. Numbers that are no whole rows are an error.
func (s Standardizer) Transform(x []float64) ([]float64, error) {
	return s.each(x, func(x, mean, std float64) float64 { return (x - mean) / std })
}

// Inverse returns the rows in the data's units. z has len(Mean) numbers a row, row-major. Numbers that are no whole rows are an error.
func (s Standardizer) Inverse(z []float64) ([]float64, error) {
	return s.each(z, func(z, mean, std float64) float64 { return float64(z*std) + mean })
}

func (s Standardizer) each(rows []float64, f func(x, mean, std float64) float64) ([]float64, error) {
	d := len(s.Mean)
	if d == 0 || len(s.Std) != d {
		return nil, errors.New("dataset: the standardizer is empty; make one with Standardize")
	}
	if len(rows)%d != 0 {
		return nil, fmt.Errorf("dataset: %d numbers are no rows of %d columns", len(rows), d)
	}
	out := make([]float64, len(rows))
	for i, x := range rows {
		out[i] = f(x, s.Mean[i%d], s.Std[i%d])
	}
	return out, nil
}

// LogDetJacobian returns log |det ∂z/∂x| = −Σ log Std, the same at every point. Added to a log density of z it gives that of x, in
// the data's units; a bound on the negative log-likelihood in nats becomes one of the data when it is subtracted.
func (s Standardizer) LogDetJacobian() float64 {
	var sum float64
	for _, std := range s.Std {
		sum -= math.Log(std)
	}
	return sum
}
