package recorded_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet/mle/recorded"
	"github.com/weir-ml/weir/tensor"
)

func newStream(t *testing.T) *tensor.Stream {
	t.Helper()
	dev, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	return s
}

// The limits are those of the recording: a time-batched evaluation in PyTorch reproduces the float64 cases to 1e-14 and the
// float32 case to 6e-6.
func TestEveryRecordedCaseAgreesWithTheReference(t *testing.T) {
	paths, err := filepath.Glob("../testdata/cases/*.safetensors")
	require.NoError(t, err)
	require.Len(t, paths, 9)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".safetensors")
		t.Run(name, func(t *testing.T) {
			c, err := recorded.Open(newStream(t), path, backend.Invalid)
			require.NoError(t, err)
			r, err := c.Run()
			require.NoError(t, err)
			limit := 1e-12
			if c.Batch.DType() == backend.Float32 {
				limit = 5e-5
			}
			require.LessOrEqual(t, r.LossRelErr, limit)
			require.LessOrEqual(t, r.GradRelErr, limit)
			t.Logf("loss %.2g, gradients %.2g", r.LossRelErr, r.GradRelErr)
		})
	}
}
