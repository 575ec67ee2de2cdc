package dirlock

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// lockIn names a variable of the environment by which a test makes its own program lock a directory, say so, and wait.
const lockIn = "DIRLOCK_TEST_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(lockIn)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := Acquire(dir); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("locked")
	select {}
}

func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	l, err := Acquire(dir)
	require.NoError(t, err)
	_, err = Acquire(dir)
	var held *HeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, HeldError{dir, os.Getpid()}, *held)
	require.EqualError(t, err, fmt.Sprintf("process %d writes to %s", os.Getpid(), dir))

	require.NoError(t, l.Release())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries, "nothing is left behind")
	l, err = Acquire(dir)
	require.NoError(t, err)
	require.NoError(t, l.Release())
}

// A process that is killed cannot release what it has locked.
func TestAKilledProcessHoldsNothing(t *testing.T) {
	dir := t.TempDir()
	process := exec.Command(os.Args[0])
	process.Env = append(os.Environ(), lockIn+"="+dir)
	out, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	var said string
	_, err = fmt.Fscan(out, &said)
	require.NoError(t, err)
	require.Equal(t, "locked", said)

	_, err = Acquire(dir)
	require.EqualError(t, err, fmt.Sprintf("process %d writes to %s", process.Process.Pid, dir))
	require.NoError(t, process.Process.Kill())
	require.Error(t, process.Wait())
	require.FileExists(t, filepath.Join(dir, name))
	l, err := Acquire(dir)
	require.NoError(t, err)
	require.NoError(t, l.Release())
}

// Removing the file must not let two in, whatever the moment.
func TestManyTakeTurns(t *testing.T) {
	dir := t.TempDir()
	var inside, turns atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				l, err := Acquire(dir)
				if err != nil {
					continue
				}
				if inside.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				turns.Add(1)
				inside.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	require.Positive(t, turns.Load())
}

func TestADirectoryMustExist(t *testing.T) {
	_, err := Acquire(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestReleaseInADirectoryThatHasVanished(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.Mkdir(dir, 0o755))
	l, err := Acquire(dir)
	require.NoError(t, err)
	if err := os.Rename(dir, dir+"2"); err != nil {
		t.Skip("this system renames no directory with open files: ", err)
	}
	require.NoError(t, l.Release())
}
