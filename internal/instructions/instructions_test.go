package instructions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/internal/instructions"
)

var root = filepath.Join("..", "..")

func list(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, instructions.List))
	require.NoError(t, err)
	return string(text)
}

func TestCommittedFilesAreThoseOfTheList(t *testing.T) {
	files, err := instructions.Generate(root, []byte(list(t)))
	require.NoError(t, err)
	require.Len(t, files, len(instructions.Packages))
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "%s is not of %s; run go generate ./backend", name, instructions.List)
	}
}

func TestAnInstructionIsDocumented(t *testing.T) {
	undocumented := strings.Replace(list(t), "// ln(1 + eˣ), without overflow", "", 1)
	_, err := instructions.Generate(root, []byte(undocumented))
	require.EqualError(t, err, "instructions: backend/prog.go: Softplus has no comment that says what it returns")
	_, err = instructions.Generate(root, []byte("package backend"))
	require.EqualError(t, err, "instructions: backend/prog.go lists no instructions")
}
