package tensor_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// replayAll executes the recorded commands again.
func replayAll(r *tensor.Recording) { r.Replay(0, len(r.Commands())) }

func TestAReplaySeesWhatItsInputsHoldNow(t *testing.T) {
	s := newStream(t)
	x, y := tensor.Full(s, backend.Float32, 2, 3), tensor.Zeros(s, backend.Float32)
	rec := s.BeginRecording()
	s.Scope(func() { tensor.CopyInto(y, tensor.Sum(tensor.MulScalar(x, 10))) })
	rec.End()
	require.Equal(t, []float64{60}, read(t, y))
	tensor.SetSlice(x, []float32{1, 2, 3})
	replayAll(rec)
	require.Equal(t, []float64{60}, read(t, y))
	tensor.SetSlice(x, []float32{1, 2, 4})
	replayAll(rec)
	require.Equal(t, []float64{70}, read(t, y))
	rec.Close()
}

// The host's numbers are uploaded once. Neither the collector, nor a scope, nor the step itself may change them for a replay.
func TestAReplaySeesWhatTheHostWroteWhileRecording(t *testing.T) {
	s := newStream(t)
	y := tensor.Zeros(s, backend.Float64, 3)
	rec := s.BeginRecording()
	tensor.CopyInto(y, tensor.FromSlice(s, []float64{1, 2, 3}, 3))
	for range 3 {
		runtime.GC()
		s.Scope(func() { tensor.MulScalar(tensor.FromSlice(s, []float64{7, 7, 7}, 3), 2) })
	}
	counter := tensor.FromSlice(s, []float64{0, 0, 0}, 3)
	tensor.CopyInto(counter, tensor.AddScalar(counter, 1))
	tensor.CopyInto(y, tensor.Add(y, counter))
	rec.End()
	for range 3 {
		replayAll(rec)
		require.Equal(t, []float64{2, 3, 4}, read(t, y))
	}
	rec.Close()
}

func TestReadingWhileRecordingIsAnError(t *testing.T) {
	s := newStream(t)
	x := tensor.Ones(s, backend.Float32, 2)
	rec := s.BeginRecording()
	_, err := tensor.ToSlice[float32](x)
	require.ErrorIs(t, err, tensor.ErrRecording)
	require.EqualError(t, err, "tensor: read: values cannot be read while recording")
	_, err = x.Float64s()
	require.ErrorIs(t, err, tensor.ErrRecording)
	_, err = x.Bytes()
	require.ErrorIs(t, err, tensor.ErrRecording)
	_, err = tensor.Sum(x).Item()
	require.ErrorIs(t, err, tensor.ErrRecording)
	require.ErrorIs(t, x.Freeze(), tensor.ErrRecording)
	require.Len(t, rec.Commands(), 1, "only the sum is recorded")
	requireMisuse(t, "tensor: set(float32(2)): the host cannot write while recording: a replay would not write again", func() {
		tensor.SetSlice(x, []float32{1, 2})
	})
	requireMisuse(t, "tensor: record: a recording is under way on this stream", func() { s.BeginRecording() })
	requireMisuse(t, "tensor: replay: a recording is under way on this stream", func() { rec.Replay(0, 1) })
	rec.Pause(func() { require.Equal(t, []float64{1, 1}, read(t, x)) })
	rec.Close()
	require.Equal(t, []float64{1, 1}, read(t, x))
}

func TestReplayNeedsItsInputs(t *testing.T) {
	s := newStream(t)
	x, y := tensor.Ones(s, backend.Float32, 2), tensor.Zeros(s, backend.Float32, 2)
	rec := s.BeginRecording()
	tensor.CopyInto(y, tensor.AddScalar(x, 1))
	rec.End()
	x.Release()
	requireMisuse(t, "tensor: replay: a tensor that the recorded commands use was released", func() { replayAll(rec) })
	rec.Close()
}

func TestARecordingHoldsItsInputs(t *testing.T) {
	s := newStream(t)
	y := tensor.Zeros(s, backend.Float32, 2)
	x := tensor.Ones(s, backend.Float32, 2)
	rec := s.BeginRecording()
	tensor.CopyInto(y, tensor.AddScalar(x, 1))
	rec.End()
	runtime.KeepAlive(x)
	x = nil
	for range 3 {
		runtime.GC()
		tensor.Full(s, backend.Float32, -1, 2)
	}
	replayAll(rec)
	require.Equal(t, []float64{2, 2}, read(t, y))
	rec.Close()
}

func TestClosingARecordingReleasesWhatItMade(t *testing.T) {
	s, dev := newCounting(t)
	before := dev.inUse()
	rec := s.BeginRecording()
	s.WrapPool(func(d backend.Device) backend.Device { return dev })
	x := tensor.FromSlice(s, []float32{1, 2}, 2)
	y := tensor.Exp(x)
	rec.End()
	require.Greater(t, dev.inUse(), before)
	require.Len(t, read(t, y), 2)
	scratch := dev.inUse()
	rec.Close()
	require.Less(t, dev.inUse(), scratch)
	require.Contains(t, y.String(), "released")
	requireMisuse(t, "tensor: neg(float32(2)): the tensor was released, or its scope has ended; Keep it to use it after its scope", func() { tensor.Neg(y) })
}

func TestARecordingShortOfMemoryKeepsItsOwn(t *testing.T) {
	s := newStreamOf(t, newDevice(t, backend.Options{MemoryLimit: 1 << 20}))
	y := tensor.Zeros(s, backend.Uint8)
	tensor.Zeros(s, backend.Uint8, 400_000).Release()
	rec := s.BeginRecording()
	s.Scope(func() {
		s.Scope(func() { tensor.CopyInto(y, tensor.Max(tensor.Ones(s, backend.Uint8, 300_000))) })
		tensor.CopyInto(y, tensor.Add(y, tensor.Max(tensor.Ones(s, backend.Uint8, 500_000))))
	})
	rec.End()
	replayAll(rec)
	require.Equal(t, []float64{2}, read(t, y))
	rec.Close()
}
