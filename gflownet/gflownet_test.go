package gflownet_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

func TestReductionNames(t *testing.T) {
	for r, name := range map[gflownet.Reduction]string{gflownet.Mean: "mean", gflownet.Sum: "sum", gflownet.None: "none"} {
		require.Equal(t, name, r.String())
		parsed, err := gflownet.ParseReduction(name)
		require.NoError(t, err)
		require.Equal(t, r, parsed)
	}
	require.Equal(t, "unknown", gflownet.Reduction(-1).String())
	require.Equal(t, "unknown", gflownet.Reduction(3).String())
	_, err := gflownet.ParseReduction("max")
	require.EqualError(t, err, `gflownet: unknown reduction "max"; want mean, sum, none`)
}

func TestReductionsOfLosses(t *testing.T) {
	s := testdevice.Stream(t, 1)
	losses := autograd.NewInference(s).Const(tensor.FromSlice(s, []float64{1, 2, 6}, 3))
	for r, want := range map[gflownet.Reduction][]float64{
		gflownet.Mean: {3}, gflownet.Sum: {9}, gflownet.None: {1, 2, 6},
	} {
		got := r.Apply(losses)
		require.Equal(t, want, testdevice.Values(t, got.Value()))
		require.Equal(t, r == gflownet.None, got.Rank() == 1)
	}
}

// sumReward is an Env in one dimension.
type sumReward struct{}

func (sumReward) Dim() int                                { return 1 }
func (sumReward) LogReward(x *autograd.Var) *autograd.Var { return autograd.Sum(x, 1) }

func TestLogWeightsBalanceRewardAndPaths(t *testing.T) {
	s := testdevice.Stream(t, 1)
	tape := autograd.NewInference(s)
	constant := func(values []float64, shape ...int) *autograd.Var {
		return tape.Const(tensor.FromSlice(s, values, shape...))
	}
	tr := &gflownet.Trajectories{
		States: constant([]float64{0, 1, 5, 0, 2, 7}, 2, 3, 1),
		LogPF:  constant([]float64{-1, -2, -3, -4}, 2, 2),
		LogPB:  constant([]float64{0, -10, 0, -20}, 2, 2),
	}
	require.Equal(t, []float64{5, 7}, testdevice.Values(t, tr.Terminal().Value()))
	require.Equal(t, []float64{5 - 10 + 3, 7 - 20 + 7}, testdevice.Values(t, tr.LogWeights(sumReward{}).Value()))
}
