//go:build linux && cgo && (amd64 || arm64)

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/internal/emulator"
)

// The driver is emulated, and what runs does not know it: its library is not where the tests of other packages have it.
func TestABundlePassesOnAnEmulatedGPU(t *testing.T) {
	emulator.Need(t)
	if !emulator.Active() {
		t.Skip("for the emulated driver")
	}
	dir := t.TempDir()
	bundle := filepath.Join(dir, "bundle")
	built, err := exec.Command("./build.sh", bundle).CombinedOutput()
	require.NoError(t, err, "%s", built)
	require.FileExists(t, bundle+".tar.gz")

	driver, err := os.ReadFile(os.Getenv(emulator.Variable))
	require.NoError(t, err)
	library, out := filepath.Join(dir, "libcuda.so.1"), filepath.Join(dir, "out.json")
	require.NoError(t, os.WriteFile(library, driver, 0o755))
	c := exec.Command(filepath.Join(bundle, "gpu"), "-small", "-python", "no-python", "-out", out)
	c.Dir, c.Env = dir, append(os.Environ(), emulator.Variable+"="+library, "WEIR_CUBLASLT_LIBRARY="+library)
	printed, err := c.CombinedOutput()
	require.NoError(t, err, "%s", printed)

	found := read(t, out)
	require.Equal(t, "Emulated GPU", found.GPU)
	require.Contains(t, found.Weir, "weir ")
	required := 0
	for _, s := range found.Steps {
		if !s.Required {
			continue
		}
		required++
		require.Equal(t, passed, s.Status, "%s: %s", s.Name, s.Why)
		if strings.Contains(s.Command, "weir bench") {
			require.Contains(t, string(s.Report), `"backend": "cuda"`, s.Name)
			require.Equal(t, strings.Contains(s.Name, "tf32"), strings.Contains(string(s.Report), `"precision": "`+s.Name+`"`), s.Name)
		}
	}
	require.Equal(t, 12, required)
	require.Equal(t, absent, byName(t, found, "PyTorch's kernels").Status)
	byLibrary := byName(t, found, "cublasLt")
	require.Equal(t, passed, byLibrary.Status, byLibrary.Why)
	require.Contains(t, string(byLibrary.Report), `"matmul": "cublaslt"`)
	require.Positive(t, byName(t, found, "start-up, nothing compiled before").SaidAfter)
}

// Without a driver every required step fails, none passes for want of anything to do, and the file says so.
func TestWithoutADriverNothingPasses(t *testing.T) {
	dir := t.TempDir()
	bundle := filepath.Join(dir, "bundle")
	require.NoError(t, os.MkdirAll(filepath.Join(bundle, "backend/cuda"), 0o755))
	out := filepath.Join(dir, "out.json")
	r := runner{bundle: bundle, stdout: &bytes.Buffer{}, deadline: time.Now().Add(time.Minute), installed: map[string]string{}}
	found := &result{}
	for _, s := range steps(options{small: true, python: "no-python"}, dir) {
		found.Steps = append(found.Steps, r.run(t.Context(), s))
	}
	require.NoError(t, found.write(out))
	for _, s := range read(t, out).Steps {
		require.NotEqual(t, passed, s.Status, s.Name)
	}
	require.ErrorContains(t, found.err(), "required and not passed: GPU (failed), conformance (failed), ")
}

func read(t *testing.T, path string) *result {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	found := &result{}
	require.NoError(t, json.Unmarshal(text, found))
	return found
}

func byName(t *testing.T, r *result, name string) outcome {
	t.Helper()
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no step %q", name)
	return outcome{}
}
