package ptx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend/cuda/internal/ptx"
)

const (
	source = "#include \"gpu.h\"\nstruct P { float *p; };\nKERNEL(one, P, p) { p.p[thread().x] = 1; }\n"
	header = "../../kernels/gpu.h"
)

func write(t *testing.T, dir, name, text string) {
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

// compiled returns a directory with one module that is up to date.
func compiled(t *testing.T) ptx.Module {
	ptx.NeedCompiler(t)
	dir := t.TempDir()
	gpu, err := os.ReadFile(header)
	require.NoError(t, err)
	write(t, dir, "gpu.h", string(gpu))
	write(t, dir, "one.cu", source)
	modules, err := ptx.Modules(dir)
	require.NoError(t, err)
	require.Len(t, modules, 1)
	text, err := modules[0].Compile()
	require.NoError(t, err)
	write(t, dir, "one.ptx", text)
	require.NoError(t, modules[0].Check())
	return modules[0]
}

func TestChangesMakeAModuleStale(t *testing.T) {
	changes := map[string]func(t *testing.T, m ptx.Module){
		"source": func(t *testing.T, m ptx.Module) { write(t, m.Dir, "one.cu", source+"\n") },
		"header": func(t *testing.T, m ptx.Module) { write(t, m.Dir, "gpu.h", "\n") },
		"text": func(t *testing.T, m ptx.Module) {
			text, err := os.ReadFile(m.Path())
			require.NoError(t, err)
			write(t, m.Dir, "one.ptx", strings.Replace(string(text), "st.global", "st.shared", 1))
		},
		"flags": func(t *testing.T, m ptx.Module) {
			text, err := os.ReadFile(m.Path())
			require.NoError(t, err)
			write(t, m.Dir, "one.ptx", strings.Replace(string(text), "-O3", "-O2", 1))
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			m := compiled(t)
			change(t, m)
			require.ErrorContains(t, m.Check(), "run go generate")
		})
	}
}

func TestCompilingIsReproducible(t *testing.T) {
	m := compiled(t)
	committed, err := os.ReadFile(m.Path())
	require.NoError(t, err)
	again, err := m.Compile()
	require.NoError(t, err)
	require.Equal(t, string(committed), again)
}

func TestCompilerComplaintsAreShown(t *testing.T) {
	m := compiled(t)
	write(t, m.Dir, "one.cu", strings.Replace(source, "= 1", "= unknown", 1))
	_, err := m.Compile()
	require.ErrorContains(t, err, "use of undeclared identifier 'unknown'")
}

func TestModulesWithoutSourceAreRefused(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "old.ptx", "")
	_, err := ptx.Modules(dir)
	require.ErrorContains(t, err, "old.ptx has no source; remove it")
}

func TestUnwantedTextIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		".visible .entry a()\n.extern .func (.param .b32 r) erff": "line 2 calls a function that no module has: .extern .func",
		"{\n\t.local .align 4 .b8 \t__local_depot0[16];\n}":       "line 2 keeps variables in local memory: .local .align 4",
	} {
		require.ErrorContains(t, ptx.Verify(text), want)
	}
	require.NoError(t, ptx.Verify(".extern .shared .align 16 .b8 dynamic_shared[];\n// .local is what comments may say"))
}

func TestAssemblerReportsWhatKernelsUse(t *testing.T) {
	assembler := ptx.NeedAssembler(t)
	text, err := compiled(t).Compile()
	require.NoError(t, err)
	usage, err := ptx.Assemble(assembler, ptx.Arch, text)
	require.NoError(t, err)
	require.Len(t, usage, 1)
	require.Equal(t, "one", usage[0].Kernel)
	require.Positive(t, usage[0].Registers)
	require.Zero(t, usage[0].Spilled)
	_, err = ptx.Assemble(assembler, ptx.Arch, text+"\n.nonsense")
	require.ErrorContains(t, err, "error")
}
