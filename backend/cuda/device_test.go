//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/emulator"
)

// emulate gives the test an emulated machine with settings of its own, like "MEMORY=4096", and refuses to leave anything open on it. On a real
// GPU the test is skipped.
func emulate(t *testing.T, settings ...string) {
	t.Helper()
	emulator.Need(t)
	if !emulator.Active() {
		t.Skip("for the emulated driver")
	}
	_, _ = opened() // not later, when calls are counted
	restart := func() {
		_, _ = openLibrary()
		lost.Clear()
	}
	t.Cleanup(restart) // when the variables are what they were
	for _, s := range append([]string{"LEAKS=1"}, settings...) {
		name, value, _ := strings.Cut(s, "=")
		t.Setenv("WEIR_EMULATOR_"+name, value)
	}
	restart()
}

// open returns a device that is closed with the test, after its streams.
func open(t *testing.T, o backend.Options) backend.Device {
	t.Helper()
	emulator.Need(t)
	d, err := backend.Open("cuda", o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func openStream(t *testing.T, d backend.Device) *stream {
	t.Helper()
	s, err := d.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s.(*stream)
}

func alloc(t *testing.T, d backend.Device, size int) *backend.Buffer {
	t.Helper()
	b, err := d.Alloc(size)
	require.NoError(t, err)
	t.Cleanup(func() { d.Free(b) })
	return b
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// copying returns the copy of all bytes of a buffer to another.
func copying(dst, src *backend.Buffer) backend.Cmd {
	n := min(dst.Size, src.Size)
	return backend.Cmd{Op: backend.Copy, Dst: []backend.View{backend.Contiguous(dst, backend.Uint8, n)},
		Src: []backend.View{backend.Contiguous(src, backend.Uint8, n)}}
}

// filling returns a command that sets all bytes of a buffer.
func filling(t *testing.T, dst *backend.Buffer, value byte) backend.Cmd {
	t.Helper()
	p, err := backend.NewProg(nil, []backend.DType{backend.Uint8}, nil, []backend.Value{0})
	require.NoError(t, err)
	return backend.Cmd{Op: backend.Map, Prog: p, Imm: []float64{float64(value)}, Dst: []backend.View{backend.Contiguous(dst, backend.Uint8, dst.Size)}}
}

// gathering returns a gather of one element, by the index that lies at the start of a buffer, from a table of 4.
func gathering(dst, table, index *backend.Buffer) backend.Cmd {
	return backend.Cmd{Op: backend.Gather, Dst: []backend.View{backend.Contiguous(dst, backend.Uint8, 1)},
		Src: []backend.View{backend.Contiguous(table, backend.Uint8, 4), backend.Contiguous(index, backend.Int64, 1)}}
}

func TestCopiesOfAnySize(t *testing.T) {
	d := open(t, backend.Options{})
	s := openStream(t, d)
	for _, n := range []int{0, 1, 63, slotBytes - 1, slotBytes, slotBytes + 1, 9*slotBytes + 7} {
		b := alloc(t, d, n)
		want := random(n)
		s.Upload(b, 0, random(n))
		s.Upload(b, 0, want)
		got := make([]byte, n)
		require.NoError(t, s.Download(got, b, 0))
		require.True(t, bytes.Equal(want, got), "%d bytes", n)
	}
}

func TestManySmallUploadsKeepTheirOrder(t *testing.T) {
	d := open(t, backend.Options{})
	s := openStream(t, d)
	b := alloc(t, d, 1<<16)
	want := make([]byte, b.Size)
	for range 2000 {
		at := rand.IntN(b.Size - 1000)
		piece := random(1 + rand.IntN(1000))
		copy(want[at:], piece)
		s.Upload(b, at, piece)
		clear(piece)
	}
	got := make([]byte, b.Size)
	require.NoError(t, s.Download(got, b, 0))
	for i := range got {
		if want[i] != 0 {
			require.Equal(t, want[i], got[i], "byte %d", i)
		}
	}
}

// A block that is freed while streams have work queued on it stays as it was for them, although others take memory and write to it.
func TestFreeComesAfterWhatIsQueued(t *testing.T) {
	for _, pools := range []string{"1", "0"} {
		t.Run("pools "+pools, func(t *testing.T) {
			emulate(t, "POOLS="+pools)
			d := open(t, backend.Options{})
			reader, writer := openStream(t, d), openStream(t, d)
			want := random(4096)
			for range 10 {
				src, err := d.Alloc(4096)
				require.NoError(t, err)
				dst := alloc(t, d, 4096)
				reader.Upload(src, 0, want)
				reader.Exec([]backend.Cmd{copying(dst, src)})
				d.Free(src)
				d.Free(src) // does nothing
				other := alloc(t, d, 4096)
				writer.Upload(other, 0, random(4096))
				got := make([]byte, 4096)
				require.NoError(t, reader.Download(got, dst, 0))
				require.Equal(t, want, got)
			}
		})
	}
}

func TestTheLimitCountsWhatIsInUse(t *testing.T) {
	d := open(t, backend.Options{MemoryLimit: 1 << 10})
	a, err := d.Alloc(1000)
	require.NoError(t, err)
	_, err = d.Alloc(100)
	require.ErrorIs(t, err, backend.ErrOutOfMemory)
	require.EqualError(t, err, "cuda: cannot allocate 100 bytes: 1000 of the limit of 1024 are in use: out of memory")
	d.Free(a)
	b, err := d.Alloc(1024)
	require.NoError(t, err)
	d.Free(b)
	_, err = d.Alloc(-1)
	require.EqualError(t, err, "cuda: cannot allocate -1 bytes: want 0 or more")
}

// What is being freed makes room for an allocation that would fail.
func TestMemoryThatIsBeingFreedIsFound(t *testing.T) {
	emulate(t, "MEMORY=3000000")
	d := open(t, backend.Options{})
	s := openStream(t, d)
	for range 5 {
		b, err := d.Alloc(2 << 20)
		require.NoError(t, err)
		s.Exec([]backend.Cmd{filling(t, b, 1)})
		d.Free(b)
	}
	require.NoError(t, s.Sync())
	_, err := d.Alloc(4 << 20)
	require.ErrorIs(t, err, backend.ErrOutOfMemory)
	require.ErrorContains(t, err, "cuda: cannot allocate 4194304 bytes: 32 are in use: cuMemAllocFromPoolAsync: CUDA_ERROR_OUT_OF_MEMORY (2)")
	require.NoError(t, s.Sync(), "an allocation that fails harms nobody")
}

func TestGoroutinesShareADevice(t *testing.T) {
	d := open(t, backend.Options{})
	weights := alloc(t, d, 1000)
	owner := openStream(t, d)
	want := random(1000)
	owner.Upload(weights, 0, want)
	require.NoError(t, owner.Sync())
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wg.Go(func() { errs[i] = copyInAStream(d, weights, want) })
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func copyInAStream(d backend.Device, weights *backend.Buffer, want []byte) error {
	s, err := d.NewStream()
	if err != nil {
		return err
	}
	defer s.Close()
	for range 4 {
		b, err := d.Alloc(weights.Size)
		if err != nil {
			return err
		}
		s.Exec([]backend.Cmd{copying(b, weights)})
		got := make([]byte, b.Size)
		if err := s.Download(got, b, 0); err != nil {
			return err
		}
		d.Free(b)
		if !bytes.Equal(want, got) {
			return fmt.Errorf("the copy differs")
		}
	}
	return nil
}

func TestDevicesAreNumbered(t *testing.T) {
	emulate(t, "DEVICES=2")
	for name, want := range map[string]string{"cuda": "cuda", "cuda:0": "cuda", "cuda:1": "cuda:1"} {
		d, err := backend.Open(name, backend.Options{})
		require.NoError(t, err)
		require.Equal(t, want, d.Name())
		s, err := d.NewStream()
		require.NoError(t, err)
		require.EqualError(t, d.Close(), want+": close: 1 of its streams are open")
		require.NoError(t, s.Close())
		require.NoError(t, d.Close())
		require.NoError(t, d.Close(), "closing twice does nothing")
		_, err = d.Alloc(1)
		require.EqualError(t, err, want+": cannot allocate 1 bytes: the device is closed")
		_, err = d.NewStream()
		require.EqualError(t, err, want+": new stream: the device is closed")
	}
}

func TestMisuseOfMemoryIsAnError(t *testing.T) {
	d, other := open(t, backend.Options{}), open(t, backend.Options{})
	mine, foreign := alloc(t, d, 64), alloc(t, other, 64)
	freed, err := d.Alloc(64)
	require.NoError(t, err)
	d.Free(freed)
	outside := copying(mine, mine)
	outside.Src[0].Offset = 1
	tests := []struct {
		name string
		do   func(*stream)
		want string
	}{
		{"upload to nothing", func(s *stream) { s.Upload(nil, 0, []byte{1}) }, "cuda: upload of 1 bytes at 0: the buffer is nil"},
		{"upload beyond the end", func(s *stream) { s.Upload(mine, 60, make([]byte, 5)) }, "cuda: upload of 5 bytes at 60: the buffer has 64 bytes"},
		{"upload to a freed block", func(s *stream) { s.Upload(freed, 0, []byte{1}) }, "cuda: upload of 1 bytes at 0: the buffer was freed"},
		{"download from another device", func(s *stream) { _ = s.Download(make([]byte, 1), foreign, 0) },
			"cuda: download of 1 bytes at 0: the buffer lies on another device"},
		{"download before the start", func(s *stream) { _ = s.Download(make([]byte, 1), mine, -1) },
			"cuda: download of 1 bytes at -1: the buffer has 64 bytes"},
		{"execute on a freed block", func(s *stream) { s.Exec([]backend.Cmd{copying(mine, freed)}) },
			"cuda: uint8(64) = copy uint8(64): source 0 was freed"},
		{"execute on another device", func(s *stream) { s.Exec([]backend.Cmd{copying(foreign, foreign)}) },
			"cuda: uint8(64) = copy uint8(64): destination 0 overlaps source 0"},
		{"prepare on another device", func(s *stream) { _, s.err = s.Prepare([]backend.Cmd{filling(t, foreign, 1)}) },
			"cuda: prepare 1 commands: uint8(64) = map{p0:uint8  → p0} with [1]: destination 0 lies on another device"},
		{"execute after closing", func(s *stream) { s.Close(); s.Exec([]backend.Cmd{copying(mine, mine)}) }, "cuda: the stream is closed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := openStream(t, d)
			test.do(s)
			require.EqualError(t, s.Sync(), test.want)
			require.EqualError(t, s.Download(make([]byte, 1), mine, 0), test.want, "the first failure stays")
		})
	}
}

// Commands before the one that cannot be executed are, those after it are not.
func TestExecEndsAtTheFirstError(t *testing.T) {
	d := open(t, backend.Options{})
	s, other := openStream(t, d), openStream(t, d)
	b, freed := alloc(t, d, 64), alloc(t, d, 64)
	d.Free(freed)
	s.Exec([]backend.Cmd{filling(t, b, 1), copying(b, freed), filling(t, b, 2)})
	require.ErrorContains(t, s.Sync(), "source 0 was freed")
	require.NoError(t, s.wait())
	got := make([]byte, 64)
	require.NoError(t, other.Download(got, b, 0))
	require.Equal(t, bytes.Repeat([]byte{1}, 64), got)
}
