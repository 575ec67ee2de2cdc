package simd

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAssemblyIsWhatTheGeneratorWrites(t *testing.T) {
	fresh := t.TempDir()
	for _, generator := range []string{".", "./map"} {
		output, err := exec.Command("go", "-C", "_asm", "run", generator, fresh).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	written, err := filepath.Glob(filepath.Join(fresh, "*"))
	require.NoError(t, err)
	kept, err := filepath.Glob("*.s")
	require.NoError(t, err)
	require.Len(t, assembly(written), len(kept), "a file is missing or left over; run go generate")
	for _, path := range written {
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Base(path))
		require.NoError(t, err)
		if string(got) != string(want) {
			t.Errorf("%s is stale; run go generate", filepath.Base(path))
		}
	}
}

func assembly(paths []string) (s []string) {
	for _, p := range paths {
		if filepath.Ext(p) == ".s" {
			s = append(s, p)
		}
	}
	return s
}
