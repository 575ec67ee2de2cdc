//go:build !windows

package main

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// build compiles the command.
func build(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "weir")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// startEndless starts a run that would take very long, and returns when it has begun to train.
func startEndless(t *testing.T, binary, dir string) (process *exec.Cmd, stderr *bufio.Reader) {
	t.Helper()
	args := append([]string{"train", "--out", dir}, tiny...)
	process = exec.Command(binary, append(args, "--steps", "1000000000")...)
	pipe, err := process.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	t.Cleanup(func() { _ = process.Process.Kill() })
	stderr = bufio.NewReader(pipe)
	line, err := stderr.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "step 1/1000000000")
	return process, stderr
}

func TestSignalsEndTrainingWithACheckpoint(t *testing.T) {
	binary := build(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			process, stderr := startEndless(t, binary, dir)
			require.NoError(t, process.Process.Signal(signal))
			var said strings.Builder
			_, err := stderr.WriteTo(&said)
			require.NoError(t, err)
			var exit *exec.ExitError
			require.ErrorAs(t, process.Wait(), &exit)
			require.Equal(t, exitInterrupted, exit.ExitCode(), said.String())
			require.Contains(t, said.String(), "and saved; continue with: weir train --resume "+dir)

			r := weir("eval", "--from", dir, "-n", "20")
			require.Zero(t, r.code, r.stderr)
		})
	}
}

// The first signal is held up by a stopped process, so that the second arrives with it at the latest.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	binary := build(t)
	process, _ := startEndless(t, binary, filepath.Join(t.TempDir(), "run"))
	done := make(chan error, 1)
	go func() { done <- process.Wait() }()
	for {
		select {
		case err := <-done:
			require.Error(t, err)
			return
		case <-time.After(time.Millisecond):
			_ = process.Process.Signal(os.Interrupt) // fails once the process is gone
		}
	}
}
