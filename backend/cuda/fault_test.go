//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// tables are a table, and one-element destinations and indices into it.
type tables struct {
	table, dst, good, bad, index *backend.Buffer
}

func newTables(t *testing.T, d backend.Device, s *stream) tables {
	m := tables{alloc(t, d, 4), alloc(t, d, 4), alloc(t, d, 8), alloc(t, d, 8), alloc(t, d, 8)}
	s.Upload(m.table, 0, []byte{5, 6, 7, 8})
	s.Upload(m.good, 0, backend.AsBytes([]int64{2}))
	s.Upload(m.bad, 0, backend.AsBytes([]int64{-7}))
	s.Upload(m.index, 0, backend.AsBytes([]int64{1}))
	s.Upload(m.dst, 0, make([]byte, 4))
	return m
}

const outOfRange = "cuda: uint8(1) = gather[axis 0] uint8(4), int64(1): index -7 is out of range for axis 0 of length 4"

// What is queued behind a bad index does not happen, whether it is a kernel, a copy, a fill or an upload, in the same batch or a later one.
func TestNothingFollowsABadIndex(t *testing.T) {
	d := open(t, backend.Options{})
	tests := []struct {
		name  string
		after func(s *stream, b, full *backend.Buffer)
	}{
		{"a kernel", func(s *stream, b, _ *backend.Buffer) { s.Exec([]backend.Cmd{filling(t, b, 9)}) }},
		{"a copy", func(s *stream, b, full *backend.Buffer) { s.Exec([]backend.Cmd{copying(b, full)}) }},
		{"an upload", func(s *stream, b, _ *backend.Buffer) { s.Upload(b, 0, []byte{9, 9, 9}) }},
		{"a replay", func(s *stream, b, full *backend.Buffer) {
			r, err := s.Prepare([]backend.Cmd{copying(b, full)})
			require.NoError(t, err)
			r.Run()
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, other := openStream(t, d), openStream(t, d)
			m := newTables(t, d, s)
			b, full := alloc(t, d, 16), alloc(t, d, 16)
			s.Upload(b, 0, make([]byte, 16))
			s.Upload(full, 0, bytes.Repeat([]byte{9}, 16))
			s.Exec([]backend.Cmd{gathering(m.dst, m.table, m.good), gathering(m.dst, m.table, m.bad), filling(t, b, 9)})
			test.after(s, b, full)
			require.EqualError(t, s.Sync(), outOfRange)
			require.NoError(t, s.wait())
			got := make([]byte, 16)
			require.NoError(t, other.Download(got, b, 0))
			require.Equal(t, make([]byte, 16), got)
			require.EqualError(t, s.Close(), outOfRange)
		})
	}
}

func TestGoodIndicesHoldNothingUp(t *testing.T) {
	d := open(t, backend.Options{})
	s := openStream(t, d)
	m := newTables(t, d, s)
	for range 3 {
		s.Upload(m.table, 2, []byte{7})
		s.Exec([]backend.Cmd{gathering(m.dst, m.table, m.good)})
		s.Upload(m.table, 2, []byte{1}) // by a kernel: a copy could not be dropped
		got := make([]byte, 1)
		require.NoError(t, s.Download(got, m.dst, 0))
		require.Equal(t, byte(7), got[0])
		require.Empty(t, s.batch.faults.commands, "what has run is forgotten")
		require.False(t, s.batch.faults.guarding)
	}
	for range mostIndexed + 1 {
		s.Exec([]backend.Cmd{gathering(m.dst, m.table, m.good)})
	}
	require.Len(t, s.batch.faults.commands, 1, "a stream that is never read from remembers only so many")
	require.NoError(t, s.Sync())
}

// A replay finds a bad index in the run in which it is bad, and names it, also among other replays.
func TestAReplayNamesItsBadIndex(t *testing.T) {
	d := open(t, backend.Options{})
	s := openStream(t, d)
	m := newTables(t, d, s)
	count := alloc(t, d, 8)
	s.Upload(count, 0, make([]byte, 8))
	p, err := backend.NewProg([]backend.DType{backend.Int64}, []backend.DType{backend.Int64},
		[]backend.Instr{{Op: backend.Add, DType: backend.Int64, A: 0, B: 1}}, []backend.Value{2})
	require.NoError(t, err)
	c := []backend.View{backend.Contiguous(count, backend.Int64, 1)}
	step := []backend.Cmd{gathering(m.dst, m.table, m.index), {Op: backend.Map, Prog: p, Imm: []float64{1}, Dst: c, Src: c}}
	r, err := s.Prepare(step)
	require.NoError(t, err)
	quiet, err := s.Prepare(step[1:])
	require.NoError(t, err)
	for range 3 {
		r.Run()
		quiet.Run()
	}
	require.NoError(t, s.Sync())
	s.Upload(m.index, 0, backend.AsBytes([]int64{-7}))
	r.Run()
	r.Run()
	quiet.Run()
	require.EqualError(t, s.Sync(), outOfRange)
	require.NoError(t, s.wait())
	got := make([]int64, 1)
	require.NoError(t, openStream(t, d).Download(backend.AsBytes(got), count, 0))
	require.Equal(t, int64(6), got[0], "nothing ran after the failure")
	require.EqualError(t, r.Close(), outOfRange)
	require.NoError(t, r.Close(), "closing twice does nothing")
	require.EqualError(t, quiet.Close(), outOfRange)
}
