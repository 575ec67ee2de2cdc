package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// A worker that is late to every run but the last must not allocate then.
func TestANewLoopMakesEveryWorkerReady(t *testing.T) {
	const iterations, width = 8, 16
	dev, err := NewDevice("test", backend.Options{Workers: 3}, Kernels{})
	require.NoError(t, err)
	buf, err := dev.Alloc(iterations * width * 4)
	require.NoError(t, err)
	s := newStream(dev.(*device), 3)
	prog, err := backend.NewProg([]backend.DType{backend.Float32}, []backend.DType{backend.Float32},
		[]backend.Instr{{Op: backend.Add, DType: backend.Float32, A: 0, B: 1}}, []backend.Value{2})
	require.NoError(t, err)
	x := backend.Contiguous(buf, backend.Float32, width)
	body := backend.Cmd{Op: backend.Map, Prog: prog, Imm: []float64{1}, Dst: []backend.View{x}, Src: []backend.View{x}}
	loop := &backend.Loop{Count: iterations, Body: []backend.Cmd{body}, Moves: [][]int{{width, width}}}
	s.Exec([]backend.Cmd{{Op: backend.Repeat, Loop: loop}})
	require.NoError(t, s.Sync())
	for _, v := range elements[float32](&x) {
		require.Equal(t, float32(1), v, "each iteration runs once")
	}
	require.Len(t, s.looping.workers, 3)
	for _, w := range s.looping.workers {
		require.Contains(t, w.stream.mapping.programs, prog)
		require.NotEmpty(t, w.stream.mapping.scratch[0].memory)
	}
	require.NoError(t, s.Close())
	dev.Free(buf)
	require.NoError(t, dev.Close())
}
