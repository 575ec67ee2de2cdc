//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/internal/emulator"
)

// mutations are mistakes that a kernel must not be able to make unseen. Each replaces the n-th occurrence of a text, counted from 0.
var mutations = []struct {
	name, file string
	old, new   string
	n          int
	test       string // which must fail
}{
	{"barrier before a tile is read", "copy.cu", "sync();", "", 0, "TestConformance/^copy$"},
	{"barrier before a tile is overwritten", "copy.cu", "sync();", "", 1, "TestFewBlocksDoTheWorkOfMany"},
	{"barrier in a tree of leaves", "reduce.h", "sync();", "", 0, "TestConformance/^reduce$"},
	{"barrier between tiles of a scan", "scan.cu", "sync();", "", 2, "TestConformance/^scan$"},
	{"barrier in a sorting network", "sort.cu", "sync();", "", 0, "TestConformance/^sort$"},
	{"barrier after the cuts of a merge", "sort.cu", "sync();", "", 2, "TestConformance/^large$"},
	{"barrier before a stage is multiplied", "matmul.h", "sync();", "", 0, "TestConformance/^matmul$"},
	{"wait for the copies of a stage", "matmul.h", "cp_async_wait<ahead - 1>();", "", 0, "TestConformance/^matmul$"},
	{"barrier before results take the place of panels", "matmul.h", "sync();", "", 1, "TestConformance/^matmul$"},
	{"barrier before an epilogue reads the results", "matmul.h", "sync();", "", 2, "TestALayerHasTheBits"},
	{"rounding before a bias is added", "epilogue.h", "y = N::load(result)", "y = x", 0, "TestALayerHasTheBits"},
	{"bounds of an epilogue", "matmul.h", "if (c >= tile.cols) return;", "", 0, "TestALayerHasTheBits"},
	{"bounds of a destination", "copy.cu", "if (r < p.rows && c < p.columns) dst", "if (r < p.rows) dst", 0, "TestConformance/^copy$"},
	{"one element too many", "gather.cu", "i < p.count", "i <= p.count", 0, "TestConformance/^index$"},
	{"one term too few", "arg.cu", "p.piece + p.piece :", "p.piece + p.piece - 1 :", 0, "TestConformance/^reduce$"},
}

// mutated returns a driver with that mistake.
func mutated(t *testing.T, file, old, replaced string, n int) string {
	t.Helper()
	s, err := emulator.Committed()
	require.NoError(t, err)
	parts := strings.Split(s[file], old)
	require.Greater(t, len(parts), n+1, "%s has no %q number %d", file, old, n)
	s[file] = strings.Join(parts[:n+1], old) + replaced + strings.Join(parts[n+1:], old)
	path, err := s.Build()
	require.NoError(t, err)
	return path
}

// passes runs a test on a driver, in a process of its own, and returns whether it passes and what it prints.
func passes(driver, test string) (bool, string) {
	cmd := exec.Command(os.Args[0], "-test.short", "-test.run", test)
	cmd.Env = append(os.Environ(), emulator.Variable+"="+driver)
	out, err := cmd.CombinedOutput()
	return err == nil, string(out)
}

func TestMistakesAreSeen(t *testing.T) {
	if !*long {
		t.Skip("run with -long")
	}
	emulator.Need(t)
	if !emulator.Active() {
		t.Skip("for the emulated driver")
	}
	ok, out := passes(os.Getenv(emulator.Variable), "TestConformance/^(copy|reduce|scan|sort|large|matmul|index)$")
	require.True(t, ok, "they fail without a mistake: %s", out)
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			ok, out := passes(mutated(t, m.file, m.old, m.new, m.n), m.test)
			require.False(t, ok, "%s does not see it", m.test)
			test, _, _ := strings.Cut(m.test, "/")
			require.Contains(t, out, "--- FAIL: "+test, "it does not run")
		})
	}
}
