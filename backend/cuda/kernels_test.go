package cuda

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

// TestKernelsAreUpToDate needs no compiler: a module says what it was made of.
func TestKernelsAreUpToDate(t *testing.T) {
	modules, err := ptx.Modules("kernels")
	require.NoError(t, err)
	for _, m := range modules {
		require.NoError(t, m.Check())
	}
}

func TestKernelsAreWhatTheCompilerMakes(t *testing.T) {
	version, err := ptx.Version()
	if err != nil {
		t.Skip(err)
	}
	modules, err := ptx.Modules("kernels")
	require.NoError(t, err)
	for _, m := range modules {
		if m.Compiler() != version {
			t.Logf("%s was made by %s; this is %s", m.Path(), m.Compiler(), version)
			continue
		}
		want, err := m.Compile()
		require.NoError(t, err)
		have, err := os.ReadFile(m.Path())
		require.NoError(t, err)
		require.Equal(t, want, string(have), "%s is stale; run go generate", m.Path())
	}
}

// TestKernelsAssemble gives every module to NVIDIA's assembler, for the oldest architecture and for some that are later.
func TestKernelsAssemble(t *testing.T) {
	assembler := ptx.Assembler()
	if assembler == "" {
		t.Skip("ptxas is not installed")
	}
	modules, err := ptx.Modules("kernels")
	require.NoError(t, err)
	for _, m := range modules {
		text, err := os.ReadFile(m.Path())
		require.NoError(t, err)
		for _, arch := range []string{ptx.Arch, "sm_90"} {
			usage, err := ptx.Assemble(assembler, arch, string(text))
			require.NoError(t, err)
			for _, u := range usage {
				require.Zero(t, u.Spilled, "%s spills %d bytes of registers on %s", u.Kernel, u.Spilled, arch)
				t.Logf("%s %s: %d registers, %d bytes of shared memory", arch, u.Kernel, u.Registers, u.Shared)
			}
		}
	}
}
