//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/backendtest"
	"github.com/weir-ml/weir/internal/emulator"
	"github.com/weir-ml/weir/train"
)

var byLibrary = backend.Options{MatMul: cublasLtName}

// needLibrary skips the test on a machine with a GPU that has no cublasLt.
func needLibrary(t *testing.T) {
	t.Helper()
	emulator.Need(t)
	if err := openedCublasLt(); err != nil && !emulator.Active() {
		t.Skip(err)
	}
}

// multiplying returns a device whose library is given products of any size.
func multiplying(o backend.Options) (backend.Device, error) {
	o.MatMul = cublasLtName
	d, err := backend.Open("cuda", o)
	if err == nil {
		d.(*device).lt.side = 1
	}
	return d, err
}

// What cublasLt computes is within all of the contract but the grain of sums.
func TestProductsOfCublasLtConform(t *testing.T) {
	needLibrary(t)
	backendtest.RunParts(t, func() (backend.Device, error) { return multiplying(backend.Options{}) }, "stream", "errors", "cells", "matmul", "index", "large")
}

func TestCublasLtRoundsAsItIsTold(t *testing.T) {
	needLibrary(t)
	for _, c := range products {
		if c.precision == "3xtf32" {
			continue
		}
		d, err := multiplying(backend.Options{Precision: c.precision})
		require.NoError(t, err)
		s := openStream(t, d)
		rng := rand.New(rand.NewPCG(1, 2))
		a, b := upload(t, s, c.dtype, 66, 264, false, rng.NormFloat64), upload(t, s, c.dtype, 264, 70, true, rng.NormFloat64)
		got := multiplyByCommand(t, s, a, b)
		require.LessOrEqual(t, errorOf(a, b, got), c.bound, "%v %s", c.dtype, c.precision)
		if c.precision == "tf32" {
			require.Greater(t, errorOf(a, b, got), 0x1p-20, "it is faster because it rounds")
		}
		require.NoError(t, s.Close())
		require.NoError(t, d.Close())
	}
}

func multiplyByCommand(t *testing.T, s *stream, a, b matrix) []float64 {
	t.Helper()
	d := a.DType
	rows, cols := a.Dims[0], b.Dims[1]
	buf := alloc(t, s.dev, rows*cols*d.Size())
	s.Exec([]backend.Cmd{product2D(backend.Contiguous(buf, d, rows, cols), a.View, b.View)})
	data := make([]byte, buf.Size)
	require.NoError(t, s.Download(data, buf, 0))
	numbers := make([]float64, rows*cols)
	for i := range numbers {
		numbers[i] = decode(d, data[i*d.Size():])
	}
	return numbers
}

func product2D(d, a, b backend.View) backend.Cmd {
	return backend.Cmd{Op: backend.MatMul, Dst: []backend.View{d}, Src: []backend.View{a, b}}
}

// squares are three square matrices of 64 rows of float32.
func squares(t *testing.T, d backend.Device) (views [3]backend.View) {
	t.Helper()
	for i := range views {
		views[i] = backend.Contiguous(alloc(t, d, 64*64*4), backend.Float32, 64, 64)
	}
	return views
}

func TestCublasLtIsAskedOnceForAShape(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	d := open(t, byLibrary)
	var wg sync.WaitGroup
	v := squares(t, d)
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			s, err := d.NewStream()
			if err != nil {
				errs[i] = err
				return
			}
			b, err := d.Alloc(64 * 64 * 4)
			if err == nil {
				s.Exec([]backend.Cmd{product2D(backend.Contiguous(b, backend.Float32, 64, 64), v[1], v[2])})
				err = s.Sync()
				d.Free(b)
			}
			errs[i] = earlier(err, s.Close())
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	made := calls(t, log)
	require.Equal(t, 1, countOf(made, "cublasLtMatmulAlgoGetHeuristic"))
	require.Equal(t, 8, countOf(made, "cublasLtMatmul"))
}

// A command whose index is out of range leaves alone what later products write, also in a replay, and one in range changes no bit.
func TestAProductBehindABadIndexIsDropped(t *testing.T) {
	needLibrary(t)
	d := open(t, byLibrary)
	v := squares(t, d)
	table, index, picked := alloc(t, d, 4), alloc(t, d, 8), alloc(t, d, 1)
	cmds := []backend.Cmd{gathering(picked, table, index), product2D(v[0], v[1], v[2])}
	fill := func(s *stream, at int64) {
		rng := rand.New(rand.NewPCG(7, 8))
		for _, m := range v {
			data := make([]byte, m.Buf.Size)
			for i := range 64 * 64 {
				encode(backend.Float32, data[4*i:], rng.NormFloat64())
			}
			s.Upload(m.Buf, 0, data)
		}
		s.Upload(index, 0, backend.AsBytes([]int64{at}))
	}
	plain := openStream(t, d)
	fill(plain, 0)
	before, want := make([]byte, v[0].Buf.Size), make([]byte, v[0].Buf.Size)
	require.NoError(t, plain.Download(before, v[0].Buf, 0))
	plain.Exec(cmds[1:])
	require.NoError(t, plain.Download(want, v[0].Buf, 0))
	for name, do := range map[string]func(*stream){
		"eager": func(s *stream) { s.Exec(cmds) },
		"replayed": func(s *stream) {
			r, err := s.Prepare(cmds)
			require.NoError(t, err)
			r.Run()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, got := openStream(t, d), make([]byte, v[0].Buf.Size)
			fill(s, 3)
			do(s)
			require.NoError(t, s.Download(got, v[0].Buf, 0))
			require.True(t, bytes.Equal(want, got), "the bits of a product that is not moved")
			fill(s, 4)
			do(s)
			require.ErrorContains(t, s.Sync(), "index 4 is out of range")
			other := openStream(t, d)
			require.NoError(t, other.Download(got, v[0].Buf, 0))
			require.True(t, bytes.Equal(before, got), "what was there")
		})
	}
}

func TestAReplayHasTheBitsOfProductsByCublasLt(t *testing.T) {
	needLibrary(t)
	d := open(t, byLibrary)
	s := openStream(t, d)
	rng := rand.New(rand.NewPCG(3, 4))
	a, b := upload(t, s, backend.Float32, 100, 300, false, rng.NormFloat64), upload(t, s, backend.Float32, 300, 80, false, rng.NormFloat64)
	want, got := alloc(t, d, 100*80*4), alloc(t, d, 100*80*4)
	cmds := func(to *backend.Buffer) []backend.Cmd {
		once := product2D(backend.Contiguous(to, backend.Float32, 100, 80), a.View, b.View)
		more := once
		more.Accumulate = true
		return []backend.Cmd{once, more, more}
	}
	s.Exec(cmds(want))
	r, err := s.Prepare(cmds(got))
	require.NoError(t, err)
	r.Run()
	r.Run()
	eager, replayed := make([]byte, want.Size), make([]byte, got.Size)
	require.NoError(t, s.Download(eager, want, 0))
	require.NoError(t, s.Download(replayed, got, 0))
	require.True(t, bytes.Equal(eager, replayed))
	if !emulator.Active() {
		return // a real library may well sum as the kernels do
	}
	exact := openStream(t, open(t, backend.Options{}))
	require.NotEqual(t, multiplyByCommand(t, exact, on(t, exact, a), on(t, exact, b)), multiplyByCommand(t, s, a, b), "the kernels sum in another order")
	d.Free(a.Buf)
	d.Free(b.Buf)
}

// on returns a copy of a matrix on the stream's device.
func on(t *testing.T, s *stream, m matrix) matrix {
	t.Helper()
	buf, data := alloc(t, s.dev, m.Buf.Size), make([]byte, m.Buf.Size)
	for i, x := range m.numbers {
		encode(m.DType, data[i*m.DType.Size():], x)
	}
	s.Upload(buf, 0, data)
	m.Buf = buf
	return m
}

// wide is a training run whose products are large enough.
func wide() train.Config {
	c := training(backend.Float32)
	c.Batch, c.Net.Hidden, c.Net.Embed = 16, 64, 64
	return c
}

func TestATrainingStepByCublasLtIsOneCall(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var until []int
	replayed, err := lossesWith("cuda", byLibrary, wide(), 7, false, func(int) { until = append(until, len(calls(t, log))) })
	require.NoError(t, err)
	all := calls(t, log)
	for step := 5; step < len(until); step++ {
		made := all[until[step-1]:until[step]]
		require.Equal(t, 1, countOf(made, "cuGraphLaunch"))
		require.Zero(t, countOf(made, "cublasLtMatmul"))
	}
	require.Greater(t, countOf(all, "cublasLtMatmul"), 5)
	require.Equal(t, countOf(all, "cuStreamBeginCapture_v2"), countOf(all, "cuGraphAddChildGraphNode"))
	require.Positive(t, countOf(all, "cuGraphAddChildGraphNode"))

	eager, err := lossesWith("cuda", byLibrary, wide(), 7, true, nil)
	require.NoError(t, err)
	require.Equal(t, eager, replayed)
	own, err := losses("cuda", wide(), 7, false, nil)
	require.NoError(t, err)
	require.InDeltaSlice(t, own, replayed, 1e-3)
}

// What a product must not do is refused by the emulated library, or loses the emulated device.
func TestTheEmulatedCublasLtNamesMistakes(t *testing.T) {
	run := func(t *testing.T, change func(*ltParams)) error {
		emulate(t, "LEAKS=0")
		d, err := backend.Open("cuda", byLibrary)
		require.NoError(t, err)
		defer d.Close()
		opened, err := d.NewStream()
		require.NoError(t, err)
		s := opened.(*stream)
		defer s.Close()
		var views [3]backend.View
		for i, dims := range [][]int{{64, 64}, {64, 128}, {128, 64}} { // terms enough for a workspace
			b, err := d.Alloc(dims[0] * dims[1] * 4)
			require.NoError(t, err)
			defer d.Free(b)
			views[i] = backend.Contiguous(b, backend.Float32, dims...)
		}
		s.batch.reset()
		s.batch.lower([]backend.Cmd{product2D(views[0], views[1], views[2])})
		require.NoError(t, s.batch.err)
		change((*ltParams)(unsafe.Pointer(&s.batch.params[0])))
		return earlier(s.submit(), s.Sync())
	}
	for name, test := range map[string]struct {
		change func(*ltParams)
		want   string
	}{
		"too small a workspace":       {func(p *ltParams) { p.bytes-- }, "cublasLtMatmul: CUBLAS_STATUS_INVALID_VALUE (7)"},
		"a workspace that is not one": {func(p *ltParams) { p.workspace = 4096 }, "CUDA_ERROR_ILLEGAL_ADDRESS (700)"},
		"less aligned than promised":  {func(p *ltParams) { p.b += 4 }, "cublasLtMatmul: CUBLAS_STATUS_INVALID_VALUE (7)"},
		"a source beyond its end":     {func(p *ltParams) { p.a += 16 }, "cublasLtMatmul: A of 32768 bytes at byte 16 of an allocation of 32768 bytes"},
		"a result beyond its end":     {func(p *ltParams) { p.d += 16 }, "cublasLtMatmul: D of 16384 bytes at byte 16 of an allocation of 16384 bytes"},
		"what is added beyond it": {func(p *ltParams) { p.c, p.accumulate = p.c+16, 1 },
			"cublasLtMatmul: C of 16384 bytes at byte 16 of an allocation of 16384 bytes"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, run(t, test.change), test.want) })
	}
	t.Run("nothing wrong", func(t *testing.T) { require.NoError(t, run(t, func(*ltParams) {})) })
}

// Every kind of call that products by cublasLt add to a training run fails in turn, the first time and a later one.
func TestEveryCallOfCublasLtMayFail(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	run := func() ([]float64, error) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return lossesWith("cuda", byLibrary, wide(), 2, false, nil)
	}
	want, err := run()
	require.NoError(t, err)
	count := map[string]int{}
	for _, call := range calls(t, log) {
		if strings.HasPrefix(call, "cublasLt") || strings.Contains(call, "Capture") || call == "cuGraphAddChildGraphNode" {
			count[call]++
		}
	}
	require.Len(t, count, 15)
	for call, n := range count {
		for _, at := range []int{1, n/2 + 1, n} {
			for _, code := range []string{"1", "2"} {
				emulate(t, "FAIL_CALL="+call, "FAIL_AT="+strconv.Itoa(at), "FAIL_CODE="+code)
				got, err := run()
				require.True(t, closed(t), "after %s the device is still open: %v", call, err)
				if err == nil {
					require.Equal(t, want, got, call)
					continue
				}
				require.Regexp(t, `cuda: .*cu[A-Za-z]\w+: CU(DA|BLAS)_\w+ \(\d+\)`, err.Error())
				require.NotContains(t, strings.TrimSuffix(err.Error(), "\n"+errLeak.Error()), "\n")
				if errors.Is(err, errLeak) {
					require.Contains(t, call, "Destroy")
				}
			}
		}
	}
}

func TestWhatCublasLtLacks(t *testing.T) {
	emulate(t)
	for _, test := range []struct{ path, version, want string }{
		{"/nowhere/libcublasLt.so", "", "no cublasLt: /nowhere/libcublasLt.so: cannot open shared object file: No such file or directory; WEIR_CUBLASLT_LIBRARY names another"},
		{"libm.so.6", "", "no cublasLt: the library has no cublasLtGetVersion; WEIR_CUBLASLT_LIBRARY names another"},
		{"", "", "no cublasLt: libcublasLt.so.12: cannot open shared object file: No such file or directory; WEIR_CUBLASLT_LIBRARY names another"},
	} {
		t.Setenv(cublasLtLibrary, test.path)
		require.EqualError(t, openCublasLtLibrary(), test.want)
	}
	for version, name := range map[string]string{"111103": "11.11", "140000": "14.0"} {
		emulate(t, "CUBLASLT="+version)
		t.Setenv(cublasLtLibrary, os.Getenv(emulator.Variable))
		require.ErrorContains(t, openCublasLtLibrary(), ".so is version "+name+"; want 12 or 13; WEIR_CUBLASLT_LIBRARY names another")
	}
	emulate(t, "FAIL_CALL=cublasLtCreate", "FAIL_AT=1", "FAIL_CODE=999")
	_, err := backend.Open("cuda", byLibrary)
	require.EqualError(t, err, "cuda: cublasLt does not start: cublasLtCreate: CUBLAS_STATUS_INTERNAL_ERROR (14): the emulated library refuses")
	_, err = backend.Open("cuda", backend.Options{MatMul: "mkl"})
	require.ErrorContains(t, err, `cuda: no matmul "mkl"; want "cublaslt"`)
	require.Equal(t, []string{"libcublasLt.so.13", "libcublasLt.so.12"}, cublasLtPaths(13020))
	require.Equal(t, []string{"libcublasLt.so.12"}, cublasLtPaths(12040))
}
