package readat

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type failing struct{ error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.error }

func TestFullSaysWhereAFileEnds(t *testing.T) {
	p := make([]byte, 3)
	require.NoError(t, Full(strings.NewReader("abcd"), p, 1))
	require.Equal(t, "bcd", string(p))
	require.EqualError(t, Full(strings.NewReader("abcd"), p, 2), "file ends at byte 4; want 5")
	broken := errors.New("broken")
	require.ErrorIs(t, Full(failing{broken}, p, 0), broken)
}

func TestRangeTakesNoMemoryForAShortFile(t *testing.T) {
	got, err := Range(strings.NewReader("abcd"), 1, 3)
	require.NoError(t, err)
	require.Equal(t, "bc", string(got))
	got, err = Range(strings.NewReader(""), 7, 7)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = Range(strings.NewReader("abcd"), 0, math.MaxInt64)
	require.ErrorContains(t, err, "want 9223372036854775807")
}

func TestOpenReturnsTheSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "five")
	require.NoError(t, os.WriteFile(path, []byte("abcde"), 0o600))
	f, size, err := Open(path)
	require.NoError(t, err)
	require.EqualValues(t, 5, size)
	require.NoError(t, f.Close())
	_, _, err = Open(path + ".not")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
