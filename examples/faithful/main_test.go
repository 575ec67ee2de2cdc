package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/dataset"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/train"
)

// The summary is that of R's faithful: mean, sd and cor.
func TestTheDataAreComplete(t *testing.T) {
	table, err := dataset.OpenCSV("faithful.csv")
	require.NoError(t, err)
	require.Equal(t, 272, table.Rows)
	require.Equal(t, []string{"eruptions", "waiting"}, table.Columns)
	z, err := dataset.Standardize(table)
	require.NoError(t, err)
	sample := math.Sqrt(272.0 / 271)
	require.InDelta(t, 3.487783, z.Mean[0], 5e-7)
	require.InDelta(t, 70.89706, z.Mean[1], 5e-6)
	require.InDelta(t, 1.141371, z.Std[0]*sample, 5e-7)
	require.InDelta(t, 13.59497, z.Std[1]*sample, 5e-6)
	rows, err := z.Transform(table.Data)
	require.NoError(t, err)
	correlation := 0.0
	for i := range table.Rows {
		correlation += rows[2*i] * rows[2*i+1] / 272
	}
	require.InDelta(t, 0.9008112, correlation, 5e-8)
}

func TestATableThatCannotBeDrawnIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "line.csv")
	require.NoError(t, os.WriteFile(path, []byte("x\n1\n2\n"), 0o644))
	_, err := open(path)
	require.EqualError(t, err, path+" has 1 columns; want two to draw")
	_, err = open("faithful.csv")
	require.NoError(t, err)
}

func TestFitDrawsPairsInTheDatasUnits(t *testing.T) {
	samples, err := fit(train.Config{Data: "faithful.csv", Steps: 2, Batch: 16})
	require.NoError(t, err)
	require.Len(t, samples, 2000)
	waiting := 0.0
	for i := 1; i < len(samples); i += 2 {
		waiting += samples[i] / 1000
	}
	require.InDelta(t, 70, waiting, 20)
}

// A single Gaussian cannot be two clusters. The margin is about half of what a full training reaches.
func TestTheHeldOutBoundBeatsAGaussian(t *testing.T) {
	const margin = 0.25
	s := testdevice.On(t, "cpu", 0)
	c := train.Config{
		Data: "faithful.csv", Steps: 250, EMA: 0.97, LearnVariance: true, DiagonalVariance: true,
		Process: diffusion.Process{NumSteps: 16}, Net: diffusion.NetConfig{Harmonics: 16, Embed: 32, Hidden: 32},
	}
	e, err := train.NewExperiment(s, c)
	require.NoError(t, err)
	require.NoError(t, e.Run(t.Context(), train.Watch{}))
	bound, err := e.HeldOutBound(t.Context())
	require.NoError(t, err)

	seen, held, err := train.SplitData(c)
	require.NoError(t, err)
	require.Less(t, bound.Bound.Value, gaussianNLL(seen, held)-margin)
}

// gaussianNLL fits a Gaussian to the rows of seen, which have two columns, and returns the mean negative log-likelihood of those of held.
func gaussianNLL(seen, held *dataset.Table) (nll float64) {
	n := float64(seen.Rows)
	var mean, variance [2]float64
	covariance := 0.0
	for i := range seen.Rows {
		for k, v := range seen.Row(i) {
			mean[k] += v / n
		}
	}
	for i := range seen.Rows {
		a, b := seen.Row(i)[0]-mean[0], seen.Row(i)[1]-mean[1]
		variance[0], variance[1], covariance = variance[0]+a*a/n, variance[1]+b*b/n, covariance+a*b/n
	}
	det := variance[0]*variance[1] - covariance*covariance
	for i := range held.Rows {
		a, b := held.Row(i)[0]-mean[0], held.Row(i)[1]-mean[1]
		square := (variance[1]*a*a - 2*covariance*a*b + variance[0]*b*b) / det
		nll += (square/2 + math.Log(2*math.Pi) + math.Log(det)/2) / float64(held.Rows)
	}
	return nll
}
