//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// compiled returns how many modules the driver was given by a log.
func compiled(t *testing.T, log string) int {
	t.Helper()
	return countOf(calls(t, log), "cuModuleLoadDataEx")
}

// A kernel is compiled when a command first needs it, and no other one with it.
func TestKernelsAreCompiledWhenTheyAreNeeded(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	d := open(t, backend.Options{})
	s := openStream(t, d)
	x, y := alloc(t, d, 4096), alloc(t, d, 4096)
	s.Upload(x, 0, random(4096))
	require.NoError(t, s.Sync())
	require.Zero(t, compiled(t, log), "opening")
	reversed := copying(y, x)
	reversed.Src[0].Offset, reversed.Src[0].Strides[0] = 4095, -1
	s.Exec([]backend.Cmd{reversed})
	require.NoError(t, s.Sync())
	require.Equal(t, 1, compiled(t, log), "a copy")
	r, err := s.Prepare([]backend.Cmd{reversed, filling(t, x, 1)})
	require.NoError(t, err)
	require.Equal(t, 2, compiled(t, log), "a replay, before it runs")
	r.Run()
	s.Exec([]backend.Cmd{reversed, filling(t, x, 1)})
	require.NoError(t, s.Sync())
	require.Equal(t, 2, compiled(t, log), "the same again")
}

func TestATrainingRunCompilesWhatItUses(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	var after []int
	_, err := losses("cuda", training(backend.Float32), 4, false, func(int) { after = append(after, compiled(t, log)) })
	require.NoError(t, err)
	modules, err := committedModules()
	require.NoError(t, err)
	t.Logf("%d modules of a training step; %d kernels are committed", after[len(after)-1], len(modules))
	require.Less(t, after[0], len(modules))
	require.Equal(t, after[1], after[3], "steps that are replayed compile nothing")
	require.Equal(t, countOf(calls(t, log), "cuModuleGetFunction"), compiled(t, log), "a module has one kernel")
}

// Whichever module of a run does not load, the error says which and why, and the same work succeeds afterwards on the same device.
func TestAModuleMayFailToLoadWhenItIsNeeded(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	_, err := work(t)
	require.NoError(t, err)
	modules := compiled(t, log)
	require.Greater(t, modules, 3)
	for at := range modules {
		emulate(t, "FAIL_CALL=cuModuleLoadDataEx", "FAIL_CODE=218", "FAIL_AT="+strconv.Itoa(at+1))
		d, err := backend.Open("cuda", backend.Options{})
		require.NoError(t, err)
		s, err := d.NewStream()
		require.NoError(t, err)
		_, err = workOn(t, d, s.(*stream))
		require.Regexp(t, `kernel \w+ of (kernels/\w+\.ptx|program \d+) does not load: cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX \(218\)`, err.Error())
		if poisoned := s.Close(); poisoned != nil {
			require.Equal(t, err, poisoned, "unless only the replay was refused")
		}
		s, err = d.NewStream()
		require.NoError(t, err)
		got, err := workOn(t, d, s.(*stream))
		require.NoError(t, err)
		require.NotZero(t, got[0])
		require.NoError(t, s.Close())
		require.NoError(t, d.Close())
	}
}

// Streams that need the same kernels at the same time have each compiled once.
func TestStreamsShareWhatIsCompiled(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	d := open(t, backend.Options{})
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			s, err := d.NewStream()
			if err == nil {
				_, err = workOn(t, d, s.(*stream))
			}
			if err == nil {
				err = s.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	together := compiled(t, log)
	_, err := workOn(t, d, openStream(t, d))
	require.NoError(t, err)
	require.Equal(t, together, compiled(t, log), "nothing is compiled again")
	require.Equal(t, together, countOf(calls(t, log), "cuModuleGetFunction"))
}
