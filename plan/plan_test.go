package plan_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
)

func newStream(t testing.TB) *tensor.Stream {
	t.Helper()
	dev, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, dev.Close())
	})
	return s
}

func read(t testing.TB, x *tensor.Tensor) []float64 {
	t.Helper()
	values, err := x.Float64s()
	require.NoError(t, err)
	return values
}

// trainer fits a small network to noisy samples.
type trainer struct {
	s      *tensor.Stream
	rng    *tensor.RNG
	layers [2]*nn.Linear
	adam   *optim.Adam
	loss   *tensor.Tensor
}

func newTrainer(t testing.TB) *trainer {
	t.Helper()
	s := newStream(t)
	rng := tensor.NewRNG(s, 4)
	tr := &trainer{s: s, rng: rng, loss: tensor.Zeros(s, backend.Float32)}
	tr.layers = [2]*nn.Linear{nn.NewLinear(rng, backend.Float32, 2, 16), nn.NewLinear(rng, backend.Float32, 16, 1)}
	var err error
	tr.adam, err = optim.NewAdam(tr.params(), optim.AdamConfig{LR: 0.01})
	require.NoError(t, err)
	return tr
}

func (tr *trainer) params() []nn.Param {
	return append(nn.Prefix("0", tr.layers[0].Params()), nn.Prefix("1", tr.layers[1].Params())...)
}

func (tr *trainer) step(*plan.Recorder) error {
	tr.s.Scope(func() {
		tape := autograd.NewTape(tr.s)
		x := tape.Const(tr.rng.Normal(backend.Float32, 32, 2))
		y := tr.layers[1].Forward(autograd.GELU(tr.layers[0].Forward(x)))
		offset := tape.Const(tensor.FromSlice(tr.s, []float32{0.5}, 1))
		wrong := autograd.Sub(autograd.Add(y, offset), autograd.Sum(autograd.Mul(x, x), -1).Detach())
		loss := autograd.Mean(autograd.Mul(wrong, wrong))
		tr.adam.Step(autograd.Backward(loss))
		tensor.CopyInto(tr.loss, loss.Value())
	})
	return nil
}

func TestReplayEqualsEagerBitForBit(t *testing.T) {
	eager, replayed := newTrainer(t), newTrainer(t)
	require.NoError(t, eager.step(nil))
	p, err := plan.Record(replayed.s, replayed.step)
	require.NoError(t, err)
	for i := range 20 {
		require.Equal(t, read(t, eager.loss), read(t, replayed.loss), "step %d", i)
		require.NoError(t, eager.step(nil))
		require.NoError(t, p.Run())
		if i == 10 {
			eager.adam.SetLR(0.003)
			replayed.adam.SetLR(0.003)
		}
	}
	for i, want := range append(eager.params(), eager.adam.State()...) {
		got := append(replayed.params(), replayed.adam.State()...)[i]
		require.Equal(t, read(t, want.Value), read(t, got.Value), want.Name)
	}
	p.Close()
	require.NoError(t, eager.step(nil))
	require.NoError(t, replayed.step(nil))
	require.Equal(t, read(t, eager.loss), read(t, replayed.loss), "after the plan is closed")
}

// A step of forty tensors of 256 KiB, in tiles of samples, runs in the memory of a few.
func TestTheFirstRunNeedsNoMoreMemoryThanTheOthers(t *testing.T) {
	dev, meter := testdevice.Metered(t, "cpu", backend.Options{})
	s := testdevice.StreamOf(t, dev)
	x, total := tensor.Ones(s, backend.Float32, 128, 512), tensor.Zeros(s, backend.Float32, 512)
	before := meter.Used()
	p, err := plan.Record(s, func(*plan.Recorder) error {
		s.Scope(func() {
			y := tensor.CumSum(x, 1)
			for range 20 {
				y = tensor.MulScalar(tensor.CumSum(y, 1), 1e-2)
			}
			tensor.CopyInto(total, tensor.Sum(y, 0))
		})
		return nil
	})
	require.NoError(t, err)
	defer p.Close()
	require.Positive(t, read(t, total)[511])
	first := meter.Peak()
	require.Less(t, first-before, int64(1<<20))
	require.NoError(t, p.Run())
	require.Equal(t, first, meter.Peak())
}

func TestEachReplayDrawsNewNumbers(t *testing.T) {
	s := newStream(t)
	rng, again := tensor.NewRNG(s, 1), tensor.NewRNG(s, 1)
	out := tensor.Zeros(s, backend.Float32, 5)
	p, err := plan.Record(s, func(*plan.Recorder) error {
		s.Scope(func() { tensor.CopyInto(out, rng.Normal(backend.Float32, 5)) })
		return nil
	})
	require.NoError(t, err)
	defer p.Close()
	for range 4 {
		require.Equal(t, read(t, again.Normal(backend.Float32, 5)), read(t, out))
		require.NoError(t, p.Run())
	}
	rng.SetState(tensor.RNGState{Seed: 1})
	again.SetState(tensor.RNGState{Seed: 1})
	require.NoError(t, p.Run())
	require.Equal(t, read(t, again.Normal(backend.Float32, 5)), read(t, out))
}

// Host functions stand between the commands before and after them, read what the former made and feed the latter.
func TestHostFunctionsRunAtTheirPlaceEachTime(t *testing.T) {
	s := newStream(t)
	x, y, fed := tensor.Full(s, backend.Float64, 1), tensor.Zeros(s, backend.Float64), tensor.Zeros(s, backend.Float64)
	var log []string
	step := func(r *plan.Recorder) error {
		tensor.CopyInto(x, tensor.AddScalar(x, 1))
		doubled := tensor.MulScalar(x, 2)
		err := r.Host(func() error {
			v, err := doubled.Item()
			log = append(log, fmt.Sprint("first ", v))
			tensor.SetSlice(fed, []float64{v * 10})
			return err
		})
		if err != nil {
			return err
		}
		tensor.CopyInto(y, tensor.AddScalar(fed, 1))
		return r.Host(func() error {
			v, err := y.Item()
			log = append(log, fmt.Sprint("second ", v))
			return err
		})
	}
	p, err := plan.Record(s, step)
	require.NoError(t, err)
	require.NoError(t, p.Run())
	require.NoError(t, p.Run())
	require.Equal(t, []string{"first 4", "second 41", "first 6", "second 61", "first 8", "second 81"}, log)
	p.Close()
	require.NoError(t, step(nil), "a nil recorder runs the step eagerly")
	require.Equal(t, []string{"first 10", "second 101"}, log[6:])
}

func TestAHostFunctionsErrorEndsTheRun(t *testing.T) {
	s := newStream(t)
	x := tensor.Zeros(s, backend.Float64)
	failure := errors.New("the loss is not finite")
	var result error
	p, err := plan.Record(s, func(r *plan.Recorder) error {
		if err := r.Host(func() error { return result }); err != nil {
			return err
		}
		tensor.CopyInto(x, tensor.AddScalar(x, 1))
		return nil
	})
	require.NoError(t, err)
	defer p.Close()
	result = failure
	require.ErrorIs(t, p.Run(), failure)
	require.Equal(t, []float64{1}, read(t, x), "what stands after it does not run")
	result = nil
	require.NoError(t, p.Run())
	require.Equal(t, []float64{2}, read(t, x))
}

func TestStepsAreFedThroughTensorsMadeBefore(t *testing.T) {
	s := newStream(t)
	x, sum := tensor.Zeros(s, backend.Float32, 3), tensor.Zeros(s, backend.Float32)
	p, err := plan.Record(s, func(*plan.Recorder) error {
		s.Scope(func() { tensor.CopyInto(sum, tensor.Sum(x)) })
		return nil
	})
	require.NoError(t, err)
	defer p.Close()
	for i := range 3 {
		tensor.SetSlice(x, []float32{1, 2, float32(i)})
		require.NoError(t, p.Run())
		require.Equal(t, []float64{3 + float64(i)}, read(t, sum))
	}
	x.Release()
	require.EqualError(t, p.Run(), "tensor: replay: a tensor that the recorded commands use was released")
}

func TestAFailingStepLeavesTheStreamUsable(t *testing.T) {
	failure := errors.New("no data")
	for _, c := range []struct {
		name string
		step func(s *tensor.Stream, x *tensor.Tensor) error
		want string
	}{
		{"returned", func(*tensor.Stream, *tensor.Tensor) error { return failure }, "no data"},
		{"read", func(_ *tensor.Stream, x *tensor.Tensor) error { _, err := tensor.Sum(x).Item(); return err },
			"tensor: read: values cannot be read while recording"},
		{"fed", func(_ *tensor.Stream, x *tensor.Tensor) error { tensor.SetSlice(x, []float32{1, 2}); return nil },
			"tensor: set(float32(2)): the host cannot write while recording: a replay would not write again"},
		{"misuse", func(s *tensor.Stream, x *tensor.Tensor) error {
			tensor.Add(x, tensor.Ones(s, backend.Float32, 3))
			return nil
		},
			"tensor: add(float32(2), float32(3)): the shapes do not broadcast: 2 and 3 meet on axis 0"},
		{"nested", func(s *tensor.Stream, _ *tensor.Tensor) error {
			_, err := plan.Record(s, func(*plan.Recorder) error { return nil })
			return err
		}, "tensor: record: a recording is under way on this stream"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStream(t)
			x := tensor.Ones(s, backend.Float32, 2)
			var made *tensor.Tensor
			p, err := plan.Record(s, func(*plan.Recorder) error {
				made = tensor.Exp(x)
				return c.step(s, x)
			})
			require.EqualError(t, err, c.want)
			require.Nil(t, p)
			require.Contains(t, made.String(), "released")
			require.Equal(t, []float64{2}, read(t, tensor.Sum(x)), "values can be read again")
			p, err = plan.Record(s, func(*plan.Recorder) error { tensor.CopyInto(x, tensor.AddScalar(x, 1)); return nil })
			require.NoError(t, err)
			require.NoError(t, p.Run())
			require.Equal(t, []float64{3, 3}, read(t, x))
			p.Close()
		})
	}
}

func TestAPanicEndsTheRecording(t *testing.T) {
	s := newStream(t)
	require.PanicsWithValue(t, "a bug", func() {
		_, _ = plan.Record(s, func(*plan.Recorder) error { panic("a bug") })
	})
	require.Equal(t, []float64{1}, read(t, tensor.Ones(s, backend.Float32, 1)))
}

func TestAPlanDoesNotRunInsideARecording(t *testing.T) {
	s := newStream(t)
	x := tensor.Zeros(s, backend.Float32)
	inner, err := plan.Record(s, func(*plan.Recorder) error { tensor.CopyInto(x, tensor.AddScalar(x, 1)); return nil })
	require.NoError(t, err)
	_, err = plan.Record(s, func(*plan.Recorder) error { return inner.Run() })
	require.EqualError(t, err, "tensor: replay: a recording is under way on this stream")
	outer, err := plan.Record(s, func(r *plan.Recorder) error { return r.Host(inner.Run) })
	require.NoError(t, err)
	require.NoError(t, outer.Run())
	require.Equal(t, []float64{3}, read(t, x))
}

// A debugged step is replayed as it is written, poison included.
func TestAStepOnPoisonedMemoryIsNotArranged(t *testing.T) {
	dev, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	dev.SetDebug(tensor.Debug{Poison: true})
	s, err := dev.NewStream()
	require.NoError(t, err)
	x := tensor.Ones(s, backend.Float32, 3)
	p, err := plan.Record(s, func(*plan.Recorder) error {
		s.Scope(func() { tensor.CopyInto(x, tensor.MulScalar(tensor.AddScalar(x, 1), 2)) })
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, p.Run())
	require.Equal(t, []float64{10, 10, 10}, read(t, x))
	require.Len(t, p.Commands(), 5)
	p.Close()
	require.NoError(t, s.Close())
	require.NoError(t, dev.Close())
}

func TestClose(t *testing.T) {
	s := newStream(t)
	x := tensor.Zeros(s, backend.Float32, 2)
	var made *tensor.Tensor
	p, err := plan.Record(s, func(r *plan.Recorder) error {
		made = tensor.AddScalar(x, 1)
		return r.Host(func() error { return nil })
	})
	require.NoError(t, err)
	require.Equal(t, []float64{1, 1}, read(t, made), "what the step made can be read while the plan is open")
	require.Len(t, p.Commands(), 1)
	p.Close()
	p.Close()
	require.Contains(t, made.String(), "released")
	require.EqualError(t, p.Run(), "plan: the plan is closed")
	require.Equal(t, []float64{0, 0}, read(t, x))
}

func BenchmarkStep(b *testing.B) {
	tr := newTrainer(b)
	b.Run("eager", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, tr.step(nil))
		}
	})
	p, err := plan.Record(tr.s, tr.step)
	require.NoError(b, err)
	defer p.Close()
	b.Run("replayed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, p.Run())
		}
	})
}

func TestAContextEndsAReplayBetweenCommands(t *testing.T) {
	s := newStream(t)
	x, y := tensor.Zeros(s, backend.Float64), tensor.Zeros(s, backend.Float64)
	var stop func()
	p, err := plan.Record(s, func(r *plan.Recorder) error {
		tensor.CopyInto(x, tensor.AddScalar(x, 1))
		if err := r.Host(func() error {
			if stop != nil {
				stop()
			}
			return nil
		}); err != nil {
			return err
		}
		tensor.CopyInto(y, x)
		return nil
	})
	require.NoError(t, err)
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	stop = cancel
	require.ErrorIs(t, s.WithContext(ctx, p.Run), context.Canceled)
	require.Equal(t, []float64{2}, read(t, x))
	require.Equal(t, []float64{1}, read(t, y), "what stands after the end does not run")
	stop = nil
	require.NoError(t, p.Run())
	require.Equal(t, []float64{3}, read(t, y))
}
