//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// calls returns the driver's calls that a log has.
func calls(t *testing.T, log string) []string {
	t.Helper()
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	return strings.Fields(string(text))
}

// Each of these is one clear line, from Available and from Open.
func TestWhatAMachineLacks(t *testing.T) {
	tests := []struct {
		name     string
		settings []string
		device   int
		want     string
	}{
		{"too old a driver", []string{"VERSION=11030"}, 0, "the driver is of CUDA 11.3; want 11.4 or later"},
		{"no GPU", []string{"DEVICES=0"}, 0, "the CUDA driver does not start: cuInit: CUDA_ERROR_NO_DEVICE (100): no CUDA-capable device is detected"},
		{"an old GPU", []string{"CAPABILITY=75"}, 0, "device 0, Emulated GPU, has compute capability 7.5; want 8.0 or later"},
		{"no such GPU", []string{"DEVICES=1"}, 7, "no device 7; the driver has 1, from 0"},
		{"a driver that does not start", []string{"FAIL_CALL=cuInit", "FAIL_AT=1", "FAIL_CODE=3"}, 0,
			"the CUDA driver does not start: cuInit: CUDA_ERROR_NOT_INITIALIZED (3): initialization error"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			emulate(t)
			for _, s := range test.settings {
				name, value, _ := strings.Cut(s, "=")
				t.Setenv("WEIR_EMULATOR_"+name, value)
			}
			_, err := openLibrary()
			if err == nil {
				_, err = inspect(test.device)
			}
			require.EqualError(t, err, test.want)
		})
	}
	t.Run("no driver", func(t *testing.T) {
		emulate(t)
		for path, want := range map[string]string{
			"/nowhere/libcuda.so": "no CUDA driver: /nowhere/libcuda.so: cannot open shared object file: No such file or directory",
			"libm.so.6":           "no CUDA driver: the library has no cuInit or no cuDriverGetVersion",
		} {
			t.Setenv(library, path)
			_, err := openLibrary()
			require.EqualError(t, err, want)
		}
	})
	t.Run("no such number", func(t *testing.T) {
		emulate(t, "DEVICES=1")
		_, err := backend.Open("cuda:7", backend.Options{})
		require.EqualError(t, err, "cuda: no device 7; the driver has 1, from 0")
	})
}

// A module that does not load says what its compiler says, and leaves the device as it was.
func TestAModuleThatDoesNotLoad(t *testing.T) {
	emulate(t)
	d := open(t, backend.Options{})
	for name, text := range map[string]string{
		"is not PTX":       "this is no PTX",
		"has no such text": "",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.(*device).function(&module{name: "program 0", text: text}, "map", 0)
			require.ErrorContains(t, err, "kernel map of program 0 does not load: cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX (218): a PTX JIT compilation failed: ")
			require.NotContains(t, err.Error(), "\n")
			t.Log(err)
		})
	}
	s := openStream(t, d)
	b := alloc(t, d, 4)
	s.Exec([]backend.Cmd{filling(t, b, 1)})
	require.NoError(t, s.Sync())
}

// A kernel that touches what it must not loses the device: all streams say so, memory on the host is intact, and a device opened anew says what to do.
func TestALostDevice(t *testing.T) {
	emulate(t, "LEAKS=0", "FAULT_AT=2")
	d, err := backend.Open("cuda", backend.Options{})
	require.NoError(t, err)
	first, second := openStream(t, d), openStream(t, d)
	b, err := d.Alloc(64)
	require.NoError(t, err)
	host := random(64)
	second.Upload(b, 0, host)
	first.Exec([]backend.Cmd{filling(t, b, 1)})
	require.NoError(t, first.Sync())
	first.Exec([]backend.Cmd{filling(t, b, 1)})
	err = first.Sync()
	require.ErrorIs(t, err, ErrDeviceLost)
	require.ErrorContains(t, err, "cuda: device lost: cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (700)")
	require.NotContains(t, err.Error(), "\n")
	require.ErrorIs(t, second.Download(make([]byte, 64), b, 0), ErrDeviceLost)
	_, err = d.Alloc(1)
	require.ErrorIs(t, err, ErrDeviceLost)
	_, err = d.NewStream()
	require.ErrorIs(t, err, ErrDeviceLost)
	d.Free(b)
	require.ErrorIs(t, first.Close(), ErrDeviceLost)
	require.ErrorIs(t, second.Close(), ErrDeviceLost)
	require.ErrorIs(t, d.Close(), ErrDeviceLost)
	_, err = backend.Open("cuda", backend.Options{})
	require.ErrorIs(t, err, ErrDeviceLost)
	require.ErrorContains(t, err, "cuda: device 0 failed before; the process must be started again: device lost: ")
}

// errLeak joins the error of work if the device was closed with something of it still open.
var errLeak = errors.New("something is left behind")

// work is a little of everything: memory, copies, kernels, programs, an index, a replay.
func work(t *testing.T) (got []float32, err error) {
	runtime.LockOSThread() // another one would ask for its context, at random
	defer runtime.UnlockOSThread()
	d, err := backend.Open("cuda", backend.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = leaving(err, d.Close()) }()
	s, err := d.NewStream()
	if err != nil {
		return nil, err
	}
	defer func() { err = earlier(err, s.Close()) }()
	return workOn(t, d, s.(*stream))
}

func earlier(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// leaving returns what failed first, and errLeak with it if closing the device found something open.
func leaving(err, closing error) error {
	if err = earlier(err, closing); closing != nil && strings.Contains(closing.Error(), "cuDevicePrimaryCtxRelease") {
		err = errors.Join(err, errLeak)
	}
	return err
}

func workOn(t *testing.T, d backend.Device, s *stream) ([]float32, error) {
	const n = 20_000
	var blocks [4]*backend.Buffer
	for i, size := range []int{4 * n, 4, 4, 8} {
		b, err := d.Alloc(size)
		if err != nil {
			return nil, err
		}
		defer d.Free(b)
		blocks[i] = b
	}
	x, y, table, index := blocks[0], blocks[1], blocks[2], blocks[3]
	s.Upload(x, 0, make([]byte, 4*n))
	s.Upload(table, 0, []byte{1, 2, 3, 4})
	s.Upload(index, 0, backend.AsBytes([]int64{3}))
	cmds := chain(t, backend.Contiguous(x, backend.Float32, n), backend.Contiguous(y, backend.Float32, 1))
	s.Exec(append([]backend.Cmd{gathering(y, table, index)}, cmds...))
	s.Upload(table, 1, []byte{9})
	r, err := s.Prepare(cmds)
	if err != nil {
		return nil, err
	}
	for range 2 {
		r.Run()
	}
	if err := r.Close(); err != nil {
		return nil, err
	}
	got := make([]float32, 1)
	return got, s.Download(backend.AsBytes(got), y, 0)
}

// Whichever call of the driver fails, once or from then on, the caller gets an error that names a call, or the right result because only what came after
// it failed. Nothing crashes, hangs or is left behind.
func TestEveryCallMayFail(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	want, err := work(t)
	require.NoError(t, err)
	all := calls(t, log)
	require.Greater(t, len(all), 60)
	for _, mode := range []struct {
		name, code, sticky string
	}{{"once", "1", "0"}, {"out of memory", "2", "0"}, {"for good", "700", "1"}} {
		t.Run(mode.name, func(t *testing.T) {
			tried, failed := 0, 0
			for i, call := range all {
				// A device that the driver does not take back is never a new machine again.
				if call != "cuDevicePrimaryCtxRelease_v2" && (!testing.Short() || i%7 == 0) {
					tried++
					failed += failAt(t, i+1, mode.code, mode.sticky, want)
				}
			}
			require.Greater(t, failed, tried*3/4)
		})
	}
}

// Another library in the process may make its own context current on any thread, between any two calls.
func TestAContextIsOursWhateverOthersMakeCurrent(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	want, err := work(t)
	require.NoError(t, err)
	require.Equal(t, 1, countOf(calls(t, log), "cuCtxSetCurrent"), "alone, a thread sets its context once")
	require.NoError(t, os.Remove(log))
	emulate(t, "LOG="+log, "SHARED=1")
	got, err := work(t)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Greater(t, countOf(calls(t, log), "cuCtxSetCurrent"), 20)
}

func countOf(calls []string, name string) (n int) {
	for _, c := range calls {
		if c == name {
			n++
		}
	}
	return n
}

// givesBack are the calls whose failure leaves behind what they should have given back.
const givesBack = `cu(MemFree|MemFreeHost|MemFreeAsync|EventRecord|StreamWaitEvent|EventDestroy|StreamDestroy|ModuleUnload|GraphDestroy|GraphExecDestroy|MemPoolDestroy)`

// failAt does the work with the at-th call failing. It returns 1 if the work failed.
func failAt(t *testing.T, at int, code, sticky string, want []float32) int {
	t.Helper()
	emulate(t, "FAIL_AT="+strconv.Itoa(at), "FAIL_CODE="+code, "FAIL_STICKY="+sticky)
	got, err := work(t)
	require.True(t, closed(t), "after call %d the device is still open: %v", at, err)
	if err == nil {
		require.Equal(t, want, got, "call %d", at)
		return 0
	}
	if sticky == "0" && errors.Is(err, errLeak) {
		require.Regexp(t, givesBack, err.Error(), "call %d", at)
	}
	require.Regexp(t, `^cuda: .*cu[A-Z]\w+: CUDA_ERROR_\w+ \(\d+\)`, err.Error(), "call %d", at)
	return 1
}

// closed reports whether no device is open: only then the emulated machine may be changed.
func closed(t *testing.T) bool {
	t.Helper()
	t.Setenv("WEIR_EMULATOR_FAIL_AT", "0")
	t.Setenv("WEIR_EMULATOR_VERSION", "11030")
	_, err := openLibrary()
	t.Setenv("WEIR_EMULATOR_VERSION", "12040")
	return err != nil
}
