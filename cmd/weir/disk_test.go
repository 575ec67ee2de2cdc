//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/train"
)

// fails runs a command that must end by itself with exit code 1, and returns the line that says why.
func fails(t *testing.T, process *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	process.Stderr = &stderr
	var exit *exec.ExitError
	require.ErrorAs(t, process.Run(), &exit, stderr.String())
	require.Equal(t, exitFailure, exit.ExitCode(), stderr.String())
	return lastLine(t, stderr.String())
}

// lastLine returns what a failed command has said, which is one line after those of its progress.
func lastLine(t *testing.T, stderr string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(stderr, "weir: "), stderr)
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last := lines[len(lines)-1]
	require.True(t, strings.HasPrefix(last, "weir: "), stderr)
	return last
}

// The limit on the size of files is the full disk of every file system.
func TestFullDiskLeavesTheLastGoodCheckpoint(t *testing.T) {
	dir := trainTiny(t)
	good := latest(dir)
	before := tensors(t, dir)
	process := command(t, "train", "--resume", dir, "--steps", "1000", "--checkpoint-every", "2")
	process.Env = append(process.Env, fileLimit+"=4096")
	line := fails(t, process)
	require.Contains(t, line, train.CheckpointName(8)+": write")
	require.Contains(t, line, "; the last good checkpoint is "+good)

	requireOnlyCheckpoint(t, dir, good)
	require.Equal(t, before, tensors(t, dir))
	r := weir("train", "--resume", dir, "--steps", "9", "--eval-samples", "40")
	require.Zero(t, r.code, r.stderr)
	requireMetrics(t, runDir(dir), 9)
}

// requireOnlyCheckpoint checks that the checkpoint is the only one, and that nothing is half written.
func requireOnlyCheckpoint(t *testing.T, dir, checkpoint string) {
	t.Helper()
	paths, err := train.Checkpoints(dir)
	require.NoError(t, err)
	require.Equal(t, []string{checkpoint}, paths)
	require.Empty(t, halfWritten(t, runDir(dir)))
}

func TestSamplesToAFullDisk(t *testing.T) {
	dir := trainTiny(t)
	out := writeFile(t, "samples.csv", "old")
	process := command(t, "sample", "--from", dir, "--out", out, "-n", "5000")
	process.Env = append(process.Env, fileLimit+"=4096")
	require.Contains(t, fails(t, process), "samples.csv: file too large")
	require.Equal(t, "old", content(t, out))
	require.Empty(t, halfWritten(t, runDir(filepath.Dir(out))))
	if _, err := os.Stat("/dev/full"); err == nil {
		require.Contains(t, fails(t, command(t, "sample", "--from", dir, "--out", "/dev/full")), "/dev/full: no space left on device")
	}
}

func TestHelpToAFullDiskIsNoMisuse(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"train", "--help"}, {"version"}} {
		var stderr bytes.Buffer
		require.Equal(t, exitFailure, run(t.Context(), args, fullDisk{}, &stderr), args)
		require.Equal(t, "weir: no space left on device\n", stderr.String(), args)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// asNobody makes a process one that permissions hold for, and lets it into dir, which the test has made for itself.
func asNobody(t *testing.T, process *exec.Cmd, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	process.Env = append(process.Env, asUser+"=65534")
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755))
}

func TestReadOnlyDirectory(t *testing.T) {
	dir := trainTiny(t)
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { require.NoError(t, os.Chmod(dir, 0o755)) })
	before := tensors(t, dir)
	for name, args := range map[string][]string{
		"resume":  {"train", "--resume", dir, "--steps", "9"},
		"begin":   append([]string{"train", "--out", filepath.Join(dir, "other")}, tiny...),
		"replace": append([]string{"train", "--force", "--out", dir}, tiny...),
	} {
		t.Run(name, func(t *testing.T) {
			process := command(t, args...)
			asNobody(t, process, dir)
			require.Contains(t, fails(t, process), "permission denied")
			require.Equal(t, before, tensors(t, dir))
		})
	}
}

// startIn starts an endless run that saves at each step, and returns when it has saved some.
func startIn(t *testing.T, dir string) (process *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	process = command(t, append(append([]string{"train", "--out", dir, "--force", "--checkpoint-every", "1"}, tiny...), "--steps", "1000000")...)
	asNobody(t, process, dir)
	stderr = &bytes.Buffer{}
	process.Stderr = stderr
	require.NoError(t, process.Start())
	require.Eventually(t, func() bool {
		paths, err := train.Checkpoints(dir)
		return err == nil && len(paths) > 2
	}, 30*time.Second, time.Millisecond, stderr)
	return process, stderr
}

func TestDirectoryThatBecomesReadOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.Mkdir(dir, 0o777))
	require.NoError(t, os.Chmod(dir, 0o777))
	process, stderr := startIn(t, dir)
	require.NoError(t, os.Chmod(dir, 0o555))
	t.Cleanup(func() { require.NoError(t, os.Chmod(dir, 0o777)) })
	require.Error(t, process.Wait())
	line := lastLine(t, stderr.String())
	require.Contains(t, line, "permission denied")
	good, damaged, err := train.Latest(dir)
	require.NoError(t, err)
	require.Empty(t, damaged)
	require.Contains(t, line, good)
}

func TestDirectoryThatVanishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.Mkdir(dir, 0o777))
	require.NoError(t, os.Chmod(dir, 0o777))
	process, stderr := startIn(t, dir)
	require.NoError(t, os.Rename(dir, dir+".moved"))
	require.Error(t, process.Wait())
	line := lastLine(t, stderr.String())
	require.Contains(t, line, "the run's directory has vanished")
	_, err := os.Stat(dir)
	require.True(t, errors.Is(err, fs.ErrNotExist), "it is not made again")
	_, damaged, err := train.Latest(dir + ".moved")
	require.NoError(t, err)
	require.Empty(t, damaged)
}

// The directory of a run that trains is its own, whatever another is told to do there.
func TestARunInProgressIsNotTouched(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.Mkdir(dir, 0o777))
	require.NoError(t, os.Chmod(dir, 0o777))
	process, _ := startIn(t, dir)
	want := fmt.Sprintf("process %d writes to %s; wait until it ends, or take another directory", process.Process.Pid, dir)
	for name, args := range map[string][]string{
		"resume":  {"train", "--resume", dir, "--steps", "2000000"},
		"replace": append([]string{"train", "--force", "--out", dir}, tiny...),
		"import":  {"import", tutorial, "--num-steps", "20", "--sigma", "4", "--force", "--out", dir},
	} {
		r := weir(args...)
		require.Equal(t, exitFailure, r.code, name)
		require.Equal(t, "weir: train: "+want+"\n", r.stderr, name)
	}
	r := weir("sample", "--from", dir, "--out", "-", "-n", "2")
	require.Zero(t, r.code, r.stderr)

	require.NoError(t, process.Process.Kill())
	require.Error(t, process.Wait())
	_, step, err := train.ReadConfig(latest(dir))
	require.NoError(t, err)
	r = weir("train", "--resume", dir, "--steps", strconv.Itoa(step+1), "--eval-samples", "10")
	require.Zero(t, r.code, "the lock of a killed process is none: %s", r.stderr)
}
