package diffusion

import (
	"fmt"
	"math"
)

// cholesky returns the lower factor L of a = L·Lᵀ, row-major.
func cholesky(a [][]float64) ([]float64, error) {
	n := len(a)
	l := make([]float64, n*n)
	for i := range n {
		if len(a[i]) != n {
			return nil, fmt.Errorf("the covariance is not square")
		}
		for j := range i + 1 {
			sum := a[i][j]
			if math.Abs(a[i][j]-a[j][i]) > 1e-6*math.Abs(sum) {
				return nil, fmt.Errorf("the covariance is not symmetric")
			}
			for m := range j {
				sum -= float64(l[i*n+m] * l[j*n+m])
			}
			if i != j {
				l[i*n+j] = sum / l[j*n+j]
				continue
			}
			if !positive(sum) {
				return nil, fmt.Errorf("the covariance is not positive definite")
			}
			l[i*n+i] = math.Sqrt(sum)
		}
	}
	return l, nil
}

// invertLower returns the inverse of a lower triangular matrix, row-major. Row i solves L·X = I by forward substitution from the rows above it.
func invertLower(l []float64, n int) []float64 {
	inv := make([]float64, n*n)
	for i := range n {
		row := inv[i*n : i*n+i+1]
		for m := range i {
			for j, x := range inv[m*n : m*n+m+1] {
				row[j] -= float64(l[i*n+m] * x)
			}
		}
		for j := range i {
			row[j] /= l[i*n+i]
		}
		row[i] = 1 / l[i*n+i]
	}
	return inv
}
