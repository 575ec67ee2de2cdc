package atomicfile

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	require.NoError(t, Write(path, text("old and longer")))
	require.NoError(t, Write(path, text("new")))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
}

func TestWriteTakesBareNames(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, Write("out", text("x")))
	require.FileExists(t, "out")
}

func TestFailureLeavesTheOldFileAndNothingElse(t *testing.T) {
	broken := errors.New("broken")
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	require.NoError(t, Write(path, text("old")))

	require.ErrorIs(t, Write(path, func(w io.Writer) error {
		_ = text("half")(w)
		return broken
	}), broken)
	require.Panics(t, func() { _ = Write(path, func(io.Writer) error { panic("broken") }) })

	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
	requireOneFile(t, dir)
}

func TestCleanRemovesOnlyWhatKilledWritesLeave(t *testing.T) {
	dir := t.TempDir()
	random := rand.Text()
	stays := []string{"out", ".out.tmp", ".out.short.tmp", ".other." + random + ".tmp", "out." + random + ".tmp", ".out." + random}
	for _, name := range append(stays, ".out."+random+".tmp", ".out."+rand.Text()+".tmp") {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o644))
	}
	require.NoError(t, Clean(dir, func(base string) bool { return base == "out" }))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	require.ElementsMatch(t, stays, names)
	require.ErrorIs(t, Clean(filepath.Join(dir, "none"), nil), os.ErrNotExist)
}

func TestRenameOntoDirectoryFailsCleanly(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "out"), 0o755))
	err := Write(filepath.Join(dir, "out"), text("x"))
	require.ErrorContains(t, err, "replace "+filepath.Join(dir, "out")+": ")
	requireOneFile(t, dir)
}

func TestMissingDirectoryIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "out")
	err := Write(path, text("x"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, path+":")
}

func TestLinksAndDevicesStay(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.WriteFile(target, nil, 0o644))
	if err := os.Symlink(target, link); err != nil {
		require.Equal(t, "windows", runtime.GOOS, "%v", err) // where links need a privilege
		return
	}
	require.NoError(t, Write(link, text("x")))
	got, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Equal(t, "x", string(got))
	requireOneFile(t, dir)

	require.NoError(t, os.Remove(link))
	require.NoError(t, os.Symlink(os.DevNull, link))
	require.NoError(t, Write(link, text("x")))
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
}

func requireOneFile(t *testing.T, dir string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
}

func TestCheckLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, Check(path))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)

	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	require.NoError(t, Check(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(text))

	require.NoError(t, Check(os.DevNull))
	require.ErrorContains(t, Check(dir), "replace "+dir)
	require.ErrorIs(t, Check(filepath.Join(dir, "absent", "file")), fs.ErrNotExist)
}
