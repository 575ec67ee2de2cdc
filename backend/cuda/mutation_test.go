//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/internal/emulator"
)

var long = flag.Bool("long", false, "break kernels on purpose, and see the tests on the emulated driver fail")

// mutations are mistakes that a kernel must not be able to make unseen. Each replaces the n-th occurrence of a text, counted from 0.
var mutations = []struct {
	name, file string
	old, new   string
	n          int
	group      string // of the conformance tests, which must fail
}{
	{"barrier before a tile is read", "copy.cu", "sync();", "", 0, "copy"},
	{"barrier before a tile is overwritten", "copy.cu", "sync();", "", 1, "copy"},
	{"barrier in a tree of leaves", "reduce.cu", "sync();", "", 0, "reduce"},
	{"barrier between tiles of a scan", "scan.cu", "sync();", "", 2, "scan"},
	{"barrier in a sorting network", "sort.cu", "sync();", "", 0, "sort"},
	{"barrier after the cuts of a merge", "sort.cu", "sync();", "", 2, "sort"},
	{"bounds of a destination", "copy.cu", "if (r < p.rows && c < p.columns) dst", "if (r < p.rows) dst", 0, "copy"},
	{"one element too many", "gather.cu", "i < p.count", "i <= p.count", 0, "index"},
	{"one term too few", "arg.cu", "p.piece + p.piece :", "p.piece + p.piece - 1 :", 0, "reduce"},
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

// conform runs a group of the conformance tests on a driver, in a process of its own, and returns what it prints and whether they pass.
func conform(t *testing.T, driver, group string, settings ...string) (string, bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.short", "-test.run", "^TestConformance$/^"+group+"$")
	cmd.Env = append(os.Environ(), append(settings, emulator.Variable+"="+driver)...)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestMistakesAreSeen(t *testing.T) {
	if !*long {
		t.Skip("run with -long")
	}
	emulator.Need(t)
	if !emulator.Active() {
		t.Skip("for the emulated driver")
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			out, passes := conform(t, mutated(t, m.file, m.old, m.new, m.n), m.group)
			require.False(t, passes, "nothing fails without it")
			require.Contains(t, out, "--- FAIL: TestConformance/"+m.group)
		})
	}
}
