package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensorio/safetensors"
)

func testCase(name string) string {
	return filepath.Join("..", "..", "gflownet", "mle", "testdata", "cases", name+".safetensors")
}

// The limits are those of package recorded.
func TestLossAgreesWithEveryRecordedCase(t *testing.T) {
	paths, err := filepath.Glob(testCase("*"))
	require.NoError(t, err)
	require.Len(t, paths, 9)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".safetensors"), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "grads.safetensors")
			r := weir("loss", "--case", path, "--grads", out, "--json")
			require.Zero(t, r.code, r.stderr)
			var got struct {
				Loss       any     `json:"loss"`
				Reduction  string  `json:"reduction"`
				LossRelErr float64 `json:"loss_rel_err"`
				GradRelErr float64 `json:"grad_rel_err"`
			}
			decode(t, r.stdout, &got)
			recorded, err := safetensors.Open(path)
			require.NoError(t, err)
			batch, ok := recorded.Entry("batch")
			require.True(t, ok)
			limit := 1e-12
			if batch.DType == backend.Float32 {
				limit = 5e-5
			}
			require.LessOrEqual(t, got.LossRelErr, limit)
			require.LessOrEqual(t, got.GradRelErr, limit)
			if got.Reduction == "none" {
				require.Len(t, got.Loss, batch.Shape[0])
			} else {
				require.IsType(t, 0.0, got.Loss)
			}
			requireGradients(t, recorded, out)
		})
	}
}

// requireGradients checks that the file holds one gradient a parameter, of its shape.
func requireGradients(t *testing.T, recorded *safetensors.File, path string) {
	t.Helper()
	grads, err := safetensors.Open(path)
	require.NoError(t, err)
	count := 0
	for _, e := range recorded.Entries {
		name, ok := strings.CutPrefix(e.Name, "param.")
		if !ok {
			continue
		}
		count++
		g, ok := grads.Entry("grad." + name)
		require.True(t, ok, name)
		require.Equal(t, e.Shape, g.Shape, name)
	}
	require.Len(t, grads.Entries, count)
}

func TestLossInAnotherDType(t *testing.T) {
	r := weir("loss", "--case", testCase("fixed_variance"), "--dtype", "float32", "--json")
	require.Zero(t, r.code, r.stderr)
	var got map[string]any
	decode(t, r.stdout, &got)
	require.Greater(t, got["loss_rel_err"], 1e-12, "float64 was used")
	require.Less(t, got["loss_rel_err"], 5e-5)
}

func TestLossInWords(t *testing.T) {
	r := weir("loss", "--case", testCase("one_step"))
	require.Zero(t, r.code, r.stderr)
	require.Regexp(t, `^loss \(mean\)  \d+\.\d+\nrelative error of the loss  \S+\nrelative error of the gradients  \S+\n$`, r.stdout)
}

// decode reads a line of JSON.
func decode(t *testing.T, line string, v any) {
	t.Helper()
	require.Equal(t, 1, strings.Count(line, "\n"), line)
	require.NoError(t, json.Unmarshal([]byte(line), v), line)
}
