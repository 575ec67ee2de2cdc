package tensor_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
)

// readyDevice makes streams that ready commands, and counts what is asked of them.
type readyDevice struct {
	backend.Device
	prepared, run, closed int
	refuse                error
}

func (d *readyDevice) NewStream() (backend.Stream, error) {
	s, err := d.Device.NewStream()
	return &readyStream{s, d}, err
}

type readyStream struct {
	backend.Stream
	dev *readyDevice
}

func (s *readyStream) Prepare(cmds []backend.Cmd) (backend.Replay, error) {
	if s.dev.refuse != nil {
		return nil, s.dev.refuse
	}
	s.dev.prepared++
	r := &ready{stream: s}
	for i := range cmds {
		r.cmds = append(r.cmds, cmds[i].Clone())
	}
	return r, nil
}

type ready struct {
	stream *readyStream
	cmds   []backend.Cmd
}

func (r *ready) Run() {
	r.stream.dev.run++
	r.stream.Exec(r.cmds)
}

func (r *ready) Close() error {
	r.stream.dev.closed++
	return nil
}

func newReadyDevice(t *testing.T) (*readyDevice, *tensor.Stream) {
	inner, err := backend.Open("cpu", backend.Options{})
	require.NoError(t, err)
	d := &readyDevice{Device: inner}
	return d, testdevice.StreamOf(t, tensor.NewDevice(d))
}

func TestAStreamReadiesWhatIsReplayed(t *testing.T) {
	d, s := newReadyDevice(t)
	x := tensor.Zeros(s, backend.Float32)
	rec := s.BeginRecording()
	for range 20 {
		s.Scope(func() { tensor.CopyInto(x, tensor.AddScalar(x, 1)) })
	}
	rec.End()
	for range 3 {
		replayAll(rec)
	}
	require.Equal(t, []float64{80}, read(t, x))
	require.Equal(t, [3]int{1, 3, 0}, [3]int{d.prepared, d.run, d.closed}, "readied once")
	rec.Replay(0, 2)
	require.Equal(t, []float64{81}, read(t, x), "a part is readied by itself")
	require.Equal(t, 2, d.prepared)

	rec.Replace(nil)
	require.Equal(t, 2, d.closed, "what was readied of other commands is freed")
	replayAll(rec)
	require.Equal(t, []float64{81}, read(t, x))
	rec.Close()
	require.Equal(t, 3, d.closed)
}

func TestAContextEndsBeforeAReadiedReplay(t *testing.T) {
	d, s := newReadyDevice(t)
	x := tensor.Zeros(s, backend.Float32)
	rec := s.BeginRecording()
	tensor.CopyInto(x, tensor.AddScalar(x, 1))
	rec.End()
	defer rec.Close()
	ctx, cancel := context.WithCancel(context.Background())
	err := s.WithContext(ctx, func() error {
		replayAll(rec)
		cancel()
		replayAll(rec)
		return nil
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, d.run)
}

func TestAStreamThatCannotReadySaysWhy(t *testing.T) {
	d, s := newReadyDevice(t)
	x := tensor.Zeros(s, backend.Float32)
	rec := s.BeginRecording()
	tensor.CopyInto(x, tensor.AddScalar(x, 1))
	rec.End()
	defer rec.Close()
	d.refuse = errors.New("no room for a graph")
	err := func() (err error) {
		defer tensor.Catch(&err)
		replayAll(rec)
		return nil
	}()
	require.EqualError(t, err, "tensor: replay: no room for a graph")
	d.refuse = nil
	replayAll(rec)
	require.Equal(t, []float64{2}, read(t, x))
}
