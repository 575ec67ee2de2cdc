package docs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/internal/instructions"
)

// mostPlaces is in how many files an instruction is written: the contract's list, the reference kernel, the derivative rule, the row of the test.
const mostPlaces = 4

// The instruction that docs/OPERATIONS.md adds is added, in an overlay over the repository, by its lines and by go generate alone, and then
// everything of it works: the generated functions, derivatives, conformance on the two CPU backends. CUDA has no function for it, says so, and conforms
// with the others.
func TestAnInstructionIsAddedInFourPlaces(t *testing.T) {
	changed := map[string]string{}
	for _, b := range blocks(t, filepath.Join(root, "docs", "OPERATIONS.md")) {
		if b.language == "diff" {
			changed[b.source] = patch(t, b)
		}
	}
	require.Len(t, changed, mostPlaces)
	generated, err := instructions.Generate(root, []byte(changed[instructions.List]))
	require.NoError(t, err)
	for name, text := range generated {
		changed[name] = string(text)
	}
	added, err := os.ReadFile(filepath.Join("testdata", "cbrt_test.go.txt"))
	require.NoError(t, err)
	changed["autograd/cbrt_test.go"] = string(added)

	overlaid := overlay(t, changed)
	run(t, "the added instruction", root, "go", "test", overlaid, "-run", "AddedInstruction|EveryInstruction", "./autograd")
	run(t, "the added instruction", root, "go", "test", overlaid, "-short", "-run", "Conformance", "./backend/cpu", "./backend/simd", "./backend/cuda")
}

// patch returns a file with the lines of a diff without line numbers: "@@" stands between places, whose unchanged lines say where.
func patch(t *testing.T, b block) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, b.source))
	require.NoError(t, err)
	file := string(text)
	for _, place := range strings.Split(b.text, "@@\n") {
		var before, after strings.Builder
		for line := range strings.Lines(place) {
			switch line[0] {
			case '+':
				after.WriteString(line[1:])
			case '-':
				before.WriteString(line[1:])
			default:
				before.WriteString(line[1:])
				after.WriteString(line[1:])
			}
		}
		require.Equal(t, 1, strings.Count(file, before.String()), "%s has these lines once:\n%s", b.source, before.String())
		file = strings.Replace(file, before.String(), after.String(), 1)
	}
	return file
}

// overlay returns the flag by which the go command sees the changed files in place of the repository's.
func overlay(t *testing.T, changed map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	replace := map[string]string{}
	for name, text := range changed {
		at, err := filepath.Abs(filepath.Join(root, name))
		require.NoError(t, err)
		replace[at] = filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		require.NoError(t, os.WriteFile(replace[at], []byte(text), 0o644))
	}
	settings, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	path := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, settings, 0o644))
	return "-overlay=" + path
}
