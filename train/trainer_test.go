package train_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/train"
)

func BenchmarkStep(b *testing.B) {
	e, err := train.NewExperiment(testdevice.Stream(b, 0), train.Config{
		Steps: 1 << 30, Batch: 500, Process: diffusion.Process{NumSteps: 100},
	})
	require.NoError(b, err)
	require.NoError(b, stepTo(e, 1))
	for b.Loop() {
		require.NoError(b, stepTo(e, e.Trainer.Step+1))
	}
}

func stepTo(e *train.Experiment, step int) error {
	return e.Trainer.Run(context.Background(), step, nil)
}
