//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// chain is x = x·2 + 1 and y = the sum of x, on float32.
func chain(t *testing.T, x, y backend.View) []backend.Cmd {
	t.Helper()
	f := backend.Float32
	p, err := backend.NewProg([]backend.DType{f}, []backend.DType{f, f},
		[]backend.Instr{{Op: backend.Mul, DType: f, A: 0, B: 1}, {Op: backend.Add, DType: f, A: 3, B: 2}}, []backend.Value{4})
	require.NoError(t, err)
	return []backend.Cmd{
		{Op: backend.Map, Prog: p, Imm: []float64{2, 1}, Dst: []backend.View{x}, Src: []backend.View{x}},
		{Op: backend.Reduce, ReduceOp: backend.ReduceSum, Dst: []backend.View{y}, Src: []backend.View{x}},
	}
}

func TestAReplayIsOneCall(t *testing.T) {
	log := t.TempDir() + "/calls"
	emulate(t)
	t.Setenv("WEIR_EMULATOR_LOG", log)
	_, _ = openLibrary()
	d := open(t, backend.Options{})
	s := openStream(t, d)
	n := 100_000 // a reduction of several launches, with scratch
	xs, ys := alloc(t, d, 4*n), alloc(t, d, 4)
	cmds := chain(t, backend.Contiguous(xs, backend.Float32, n), backend.Contiguous(ys, backend.Float32, 1))
	s.Upload(xs, 0, make([]byte, 4*n))
	r, err := s.Prepare(cmds)
	require.NoError(t, err)
	clear(cmds) // it does not keep them
	require.NoError(t, s.Sync())
	runtime.LockOSThread() // another one would ask for its context first
	defer runtime.UnlockOSThread()
	require.NoError(t, s.Sync())
	before := calls(t, log)
	for range 4 {
		r.Run()
	}
	made := calls(t, log)[len(before):]
	require.Equal(t, []string{"cuGraphLaunch", "cuGraphLaunch", "cuGraphLaunch", "cuGraphLaunch"}, made)
	got := make([]float32, 1)
	require.NoError(t, s.Download(backend.AsBytes(got), ys, 0))
	require.Equal(t, float32(15*n), got[0])
	require.NoError(t, r.Close())
	r.Run() // does nothing
	require.NoError(t, s.Sync())
}

// Eager commands and two replays take turns; each has scratch of its own.
func TestReplaysAndCommandsKeepTheirOrder(t *testing.T) {
	d := open(t, backend.Options{})
	s := openStream(t, d)
	n := 50_000
	xs, ys := alloc(t, d, 4*n), alloc(t, d, 4)
	cmds := chain(t, backend.Contiguous(xs, backend.Float32, n), backend.Contiguous(ys, backend.Float32, 1))
	s.Upload(xs, 0, make([]byte, 4*n))
	first, err := s.Prepare(cmds)
	require.NoError(t, err)
	second, err := s.Prepare(cmds)
	require.NoError(t, err)
	want := float32(0)
	for i := range 9 {
		switch i % 3 {
		case 0:
			first.Run()
		case 1:
			second.Run()
		case 2:
			s.Exec(cmds)
		}
		want = 2*want + 1
	}
	got := make([]float32, 1)
	require.NoError(t, s.Download(backend.AsBytes(got), ys, 0))
	require.Equal(t, want*float32(n), got[0])
	require.NoError(t, first.Close())
}

// A stream that is closed closes its replays; a plan may close them later.
func TestAStreamClosesItsReplays(t *testing.T) {
	emulate(t)
	d := open(t, backend.Options{})
	s, err := d.NewStream()
	require.NoError(t, err)
	b := alloc(t, d, 64)
	r, err := s.(backend.Replayer).Prepare([]backend.Cmd{filling(t, b, 1)})
	require.NoError(t, err)
	nothing, err := s.(backend.Replayer).Prepare(nil)
	require.NoError(t, err)
	r.Run()
	nothing.Run()
	require.NoError(t, s.Close())
	require.NoError(t, r.Close())
}
