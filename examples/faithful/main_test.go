package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/dataset"
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
