package diffusion_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/gflownet/diffusion"
)

func TestMeanOf(t *testing.T) {
	got := diffusion.MeanOf([]float64{1, 2, 3, 6})
	require.Equal(t, 3.0, got.Value)
	require.InEpsilon(t, math.Sqrt(14.0/3/4), got.SE, 1e-15)
	require.Equal(t, "3 ± 1.1", got.String())

	one := diffusion.MeanOf([]float64{5})
	require.Equal(t, 5.0, one.Value)
	require.True(t, math.IsNaN(one.SE), "one number says nothing about its error")
	require.True(t, math.IsNaN(diffusion.MeanOf(nil).Value))
}

func TestLogMeanExp(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name      string
		w         []float64
		value, se float64
	}{
		{"equal weights", []float64{2, 2, 2}, 2, 0},
		{"1 and 3", []float64{0, math.Log(3)}, math.Log(2), 0.5},
		{"beyond the range of exp", []float64{1000, 1000 + math.Log(3)}, 1000 + math.Log(2), 0.5},
		{"one weight is nothing", []float64{-inf, 0}, math.Log(0.5), 1},
		{"all are nothing", []float64{-inf, -inf}, -inf, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := diffusion.LogMeanExp(c.w)
			if math.IsInf(c.value, 0) {
				require.Equal(t, c.value, got.Value)
			} else {
				require.InDelta(t, c.value, got.Value, 1e-12)
			}
			require.InDelta(t, c.se, got.SE, 1e-12)
		})
	}
	one := diffusion.LogMeanExp([]float64{-3})
	require.Equal(t, -3.0, one.Value)
	require.True(t, math.IsNaN(one.SE))
	require.True(t, math.IsNaN(diffusion.LogMeanExp([]float64{0, math.NaN()}).Value), "NaN is not lost")
}

func TestESSPercent(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		name string
		w    []float64
		want float64
	}{
		{"equal weights", []float64{7, 7, 7, 7}, 100},
		{"one counts", []float64{0, -inf, -inf, -inf}, 25},
		{"one alone", []float64{-2}, 100},
		{"1 and 3", []float64{0, math.Log(3)}, 80},
		{"beyond the range of exp", []float64{1e5, 1e5 + math.Log(3)}, 80},
		{"none counts", []float64{-inf, -inf}, 0},
		{"no weights", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) { require.InDelta(t, c.want, diffusion.ESSPercent(c.w), 1e-9) })
	}
	require.True(t, math.IsNaN(diffusion.ESSPercent([]float64{0, math.NaN()})), "NaN is not lost")
}
