package tensor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

func TestADeferredRecordingExecutesNothing(t *testing.T) {
	s, dev := newCounting(t)
	x := tensor.Full(s, backend.Float32, 2, 1000)
	before := dev.inUse()
	rec := s.BeginDeferred()
	s.Scope(func() { tensor.CopyInto(x, tensor.Exp(tensor.MulScalar(x, 3))) })
	require.True(t, rec.Deferred())
	require.Len(t, rec.Commands(), 3)
	require.Equal(t, before, dev.inUse(), "tensors without memory")
	rec.End()
	rec.Close()
	require.Equal(t, before, dev.inUse())
	require.Equal(t, 2.0, read(t, x)[0])
}

// What waited is executed in the order it was asked for, on memory of its own, and what follows at once.
func TestADeferredRecordingCanExecuteAfterAll(t *testing.T) {
	s := newStream(t)
	y := tensor.Zeros(s, backend.Float64, 3)
	rec := s.BeginDeferred()
	made := tensor.FromSlice(s, []float64{1, 2, 3}, 3)
	reversed := tensor.Flip(made, 0)
	s.Scope(func() { tensor.CopyInto(y, tensor.MulScalar(made, 10)) })
	s.Scope(func() { tensor.CopyInto(y, tensor.Add(y, tensor.AddScalar(made, 1))) })
	rec.Execute()
	require.False(t, rec.Deferred())
	rec.Execute()
	rec.Pause(func() {
		require.Equal(t, []float64{12, 23, 34}, read(t, y))
		require.Equal(t, []float64{3, 2, 1}, read(t, reversed))
	})
	tensor.CopyInto(y, tensor.Add(y, reversed))
	rec.End()
	require.Equal(t, []float64{15, 25, 35}, read(t, y))
	replayAll(rec)
	require.Equal(t, []float64{15, 25, 35}, read(t, y))
	rec.Close()
}

// Tensors that a deferred step leaves behind get their memory when it has ended. Views of them were made before.
func TestTensorsOfADeferredStepAreUsableOnceItRan(t *testing.T) {
	s := newStream(t)
	x := tensor.FromSlice(s, []float32{1, 2, 3, 4}, 4)
	rec := s.BeginDeferred()
	var kept *tensor.Tensor
	s.Scope(func() { kept = tensor.MulScalar(x, 2).Keep() })
	half, table := tensor.Slice(kept, 0, 2, 4), tensor.Reshape(kept, 2, 2)
	scratch := tensor.AddScalar(kept, 1)
	scratch.Release()
	rec.End()
	require.NoError(t, rec.Settle())
	rec.Replace(rec.Commands()[:1])
	replayAll(rec)
	require.Equal(t, []float64{6, 8}, read(t, half))
	require.Equal(t, []float64{6, 14}, read(t, tensor.Sum(table, 1)))
	require.NoError(t, half.Freeze())
	other := newStreamOf(t, s.Device())
	require.Equal(t, []float64{12, 16}, read(t, tensor.Add(other.Use(half), half)))
	rec.Close()
}

func TestADeferredRecordingWithoutRoomFails(t *testing.T) {
	s := newStreamOf(t, newDevice(t, backend.Options{MemoryLimit: 1 << 20}))
	for _, c := range []struct {
		name   string
		settle func(rec *tensor.Recording) error
	}{
		{"settled", (*tensor.Recording).Settle},
		{"executed", func(rec *tensor.Recording) (err error) {
			defer tensor.Catch(&err)
			rec.Execute()
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := s.BeginDeferred()
			for range 3 {
				tensor.Zeros(s, backend.Uint8, 400_000)
			}
			rec.End()
			require.ErrorIs(t, c.settle(rec), backend.ErrOutOfMemory)
			rec.Close()
			s.Scope(func() {
				require.Equal(t, []float64{0}, read(t, tensor.Max(tensor.Zeros(s, backend.Uint8, 900_000))), "all of it was given back")
			})
		})
	}
}
