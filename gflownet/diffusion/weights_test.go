package diffusion_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

func TestCheckWeightsCountsThoseOfAPolicy(t *testing.T) {
	rng := tensor.NewRNG(testdevice.Stream(t, 1), 0)
	net := diffusion.NetConfig{Harmonics: 3, Embed: 5, Hidden: 7}
	deep := net
	deep.JointLayers = 4
	for _, c := range []diffusion.PolicyConfig{
		{}, {Net: net}, {Net: deep}, {Net: deep, LearnVariance: true}, {Net: deep, LearnVariance: true, Diagonal: true},
	} {
		pf, err := diffusion.NewForward(rng, backend.Float32, 3, diffusion.Process{NumSteps: 2, Sigma: 1, TScale: 1}, c)
		require.NoError(t, err)
		n := nn.Count(pf.Params()) + nn.Count(pf.Buffers())
		require.NoError(t, c.CheckWeights(3, n))
		require.ErrorContains(t, c.CheckWeights(3, n-1), fmt.Sprintf("in 3 dimensions has %d weights; there are %d", n, n-1))
	}
	require.ErrorContains(t, diffusion.PolicyConfig{Net: diffusion.NetConfig{Hidden: 1 << 21}}.CheckWeights(3, 1<<62), "hidden is 2097152")
}
