package diffusion_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

func TestProcessCheckNamesTheSetting(t *testing.T) {
	good := diffusion.Process{NumSteps: 4, Sigma: 2, TScale: 1}
	require.NoError(t, good.Check())
	for _, c := range []struct {
		change func(p *diffusion.Process)
		want   string
	}{
		{func(p *diffusion.Process) { p.NumSteps = 0 }, "diffusion: num-steps is 0; want at least 1"},
		{func(p *diffusion.Process) { p.NumSteps = -3 }, "diffusion: num-steps is -3; want at least 1"},
		{func(p *diffusion.Process) { p.Sigma = 0 }, "diffusion: sigma is 0; want a positive number"},
		{func(p *diffusion.Process) { p.Sigma = math.NaN() }, "diffusion: sigma is NaN; want a positive number"},
		{func(p *diffusion.Process) { p.Sigma = math.Inf(1) }, "diffusion: sigma is +Inf; want a positive number"},
		{func(p *diffusion.Process) { p.TScale = -1 }, "diffusion: t-scale is -1; want a positive number"},
	} {
		p := good
		c.change(&p)
		require.EqualError(t, p.Check(), c.want)
	}
}

func TestForwardVariance(t *testing.T) {
	for _, sigma := range []float64{0.5, 1, 5} {
		for _, n := range []int{1, 10, 100} {
			for _, scale := range []float64{1, 5} {
				for _, e := range []float64{-1, 0, 0.3, 2} {
					p := diffusion.Process{NumSteps: n, Sigma: sigma, TScale: scale}
					want := sigma*sigma/float64(n)*scale + math.Max(e, 0)*math.Max(e, 0)
					require.InEpsilon(t, want, p.ForwardVar(0, e), 1e-15)
				}
			}
		}
	}
}

// With N = 2 the bridge's one random step, from t = 1 to ½, has std σ·sqrt(dt(1−dt)).
func TestBridgeStd(t *testing.T) {
	p := diffusion.Process{NumSteps: 2, Sigma: 3, TScale: 1}
	require.InEpsilon(t, 3*math.Sqrt(0.5*0.5), p.BridgeStd(1), 1e-15)
	require.Zero(t, p.BridgeStd(0))
}

func TestSampledPathsEndAtTimeOneAfterNSteps(t *testing.T) {
	s := testdevice.Stream(t, 1)
	for _, n := range []int{1, 4, 5, 10, 20, 100, 5000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := diffusion.Process{NumSteps: n, Sigma: 1, TScale: 1}
			require.Equal(t, 0.0, p.Time(0))
			require.Equal(t, 1.0, p.Time(n))
			pf := newForward(t, s, backend.Float32, 2, p, diffusion.PolicyConfig{Net: tiny})
			sampler, err := diffusion.NewSampler(pf, diffusion.NewBridge(p, 2))
			require.NoError(t, err)
			s.Scope(func() {
				tr := sampler.Forward(autograd.NewInference(s), tensor.NewRNG(s, 1), 3)
				require.Equal(t, []int{3, n + 1, 2}, tr.States.Shape())
				require.Equal(t, []int{3, n}, tr.LogPF.Shape())
				require.Equal(t, []int{3, n}, tr.LogPB.Shape())
			})
		})
	}
}
