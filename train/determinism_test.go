package train_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/train"
)

// weights returns the bytes of every parameter and buffer.
func weights(t *testing.T, e *train.Experiment) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, p := range append(e.Loss.Params(), e.Trainer.Optim.State()...) {
		data, err := p.Value.Bytes()
		require.NoError(t, err)
		all[p.Name] = data
	}
	return all
}

func TestSameSeedGivesTheSameBits(t *testing.T) {
	for _, c := range []struct {
		name   string
		config train.Config
	}{
		{"fixed", train.Config{}},
		{"few numbers", train.Config{Batch: 8, Net: small, Process: diffusion.Process{NumSteps: 4}}},
		{"learned variance", train.Config{LearnVariance: true, Exploration: 0.3}},
		{"scaled", train.Config{Scaled: true, DiagonalVariance: true}},
		{"learned backward", train.Config{LearnVariance: true, LearnPB: train.LearnPBMeanVariance, IncludeLogPB: true}},
	} {
		for _, dtype := range []backend.DType{backend.Float32, backend.Float64} {
			for _, on := range testdevice.Backends(t) {
				t.Run(fmt.Sprintf("%s/%v/%s", c.name, dtype, on), func(t *testing.T) {
					config := c.config
					config.Target, config.Seed, config.DType.DType = "gmm2", 5, dtype
					if config.Batch == 0 {
						config.Batch, config.Net = 70, diffusion.NetConfig{Harmonics: 8, Embed: 24, Hidden: 24}
						config.Process.NumSteps = 12
					}
					requireSameBits(t, on, config)
				})
			}
		}
	}
}

// requireSameBits trains a few steps eagerly and recorded, by one worker and by two.
func requireSameBits(t *testing.T, on string, config train.Config) {
	t.Helper()
	var want map[string][]byte
	for _, eager := range []bool{false, true} {
		for _, workers := range []int{1, 2} {
			e, err := train.NewExperiment(testdevice.On(t, on, workers), config)
			require.NoError(t, err)
			e.Trainer.Eager = eager
			before := weights(t, e)
			require.NoError(t, stepTo(e, 6))
			got := weights(t, e)
			if want == nil {
				want = got
			}
			for name := range want {
				require.NotEqual(t, before[name], got[name], "%s was not trained", name)
				require.Equal(t, want[name], got[name], "%s, eager %v, %d workers", name, eager, workers)
			}
		}
	}
}
