package cuda

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

var long = flag.Bool("long", false, "break kernels on purpose and see tests fail; assemble the kernels for more architectures")

// TestKernelsAreUpToDate needs no compiler: a module says what it was made of.
func TestKernelsAreUpToDate(t *testing.T) {
	modules, err := ptx.Modules("kernels")
	require.NoError(t, err)
	for _, m := range modules {
		require.NoError(t, m.Check())
	}
}

func TestKernelsAreWhatTheCompilerMakes(t *testing.T) {
	version := ptx.NeedCompiler(t)
	modules, err := ptx.Modules("kernels")
	require.NoError(t, err)
	for _, m := range modules {
		if m.Compiler() != version {
			t.Logf("%s was made by %s; this is %s", m.Path(), m.Compiler(), version)
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			want, err := m.Compile()
			require.NoError(t, err)
			have, err := os.ReadFile(m.Path())
			require.NoError(t, err)
			require.True(t, want == string(have), "%s is stale; run go generate", m.Path())
		})
	}
}

// TestKernelsAssemble gives every module to NVIDIA's assembler, for the oldest architecture that they run on and, with -long, for a later one.
func TestKernelsAssemble(t *testing.T) {
	assembler := ptx.NeedAssembler(t)
	modules, err := ptx.Modules("kernels")
	require.NoError(t, err)
	architectures := []string{ptx.Arch}
	if *long {
		architectures = append(architectures, "sm_90")
	}
	for _, m := range modules {
		for _, arch := range architectures {
			t.Run(m.Name+" "+arch, func(t *testing.T) {
				t.Parallel()
				assembles(t, assembler, arch, m)
			})
		}
	}
}

func assembles(t *testing.T, assembler, arch string, m ptx.Module) {
	text, err := os.ReadFile(m.Path())
	require.NoError(t, err)
	usage, err := ptx.Assemble(assembler, arch, string(text))
	require.NoError(t, err)
	for _, u := range usage {
		require.Zero(t, u.Spilled, "%s spills %d bytes of registers", u.Kernel, u.Spilled)
		t.Logf("%s: %d registers, %d bytes of shared memory", u.Kernel, u.Registers, u.Shared)
	}
}
