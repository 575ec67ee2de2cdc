package train_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

func TestExplorationDecays(t *testing.T) {
	const steps = 100
	for decay, want := range map[train.Decay]map[int]float64{
		"linear":           {0: 1, 25: 0.75, 50: 0.5, 100: 0, 1000: 0},
		"linear:50":        {0: 1, 25: 0.5, 50: 0, 51: 0},
		"cosine":           {0: 1, 50: 0.5, 100: 0},
		"cosine:10":        {0: 1, 5: 0.5, 10: 0, 11: 0},
		"warm-down:0:40":   {0: 1, 10: 0.75, 40: 0, 41: 0},
		"warm-down:10:40":  {0: 1, 9: 1, 10: 0.75, 20: 0.5, 40: 0},
		"warm-down:60:40":  {59: 1, 60: 0},
		"warm-down:5:1000": {4: 1, 500: 0.5},
	} {
		f, err := decay.Schedule(steps)
		require.NoError(t, err)
		for step, factor := range want {
			require.InDelta(t, factor, f(step), 1e-12, "%s at %d", decay, step)
		}
	}
	for _, constant := range []train.Decay{"", "constant"} {
		f, err := constant.Schedule(steps)
		require.NoError(t, err)
		require.Nil(t, f)
	}
	for _, bad := range []train.Decay{"linea", "linear:", "linear:0", "linear:x", "linear:1:2", "cosine:-1", "constant:3", "warm-down:1", "warm-down:1:0"} {
		_, err := bad.Schedule(steps)
		require.EqualError(t, err, `train: exploration-decay is "`+string(bad)+
			`"; want constant, linear[:STEPS], cosine[:STEPS] or warm-down:START:END`)
		require.Equal(t, err, train.Config{Exploration: 1, ExplorationDecay: bad}.WithDefaults().Check())
	}
}

// A schedule over the whole run is over its total, also where a run is continued, and where it is continued for longer.
func TestExplorationDecaysOverTheTotalOfAContinuedRun(t *testing.T) {
	const e = 0.5
	c := smallRun()
	c.Steps, c.Exploration, c.ExplorationDecay, c.Schedule = 10, e, "linear", train.LinearRate
	path := filepath.Join(t.TempDir(), "run.safetensors")
	run := newRun(t, c)
	require.NoError(t, stepTo(run, 4))
	require.NoError(t, run.Save(path))
	for _, total := range []int{10, 40} {
		again, err := train.OpenExperiment(testdevice.Stream(t, 1), path, func(c *train.Config) { c.Steps = total })
		require.NoError(t, err)
		s := again.Stream()
		h := heard{again.Loss, again.Loss, tensor.Zeros(s, backend.Float64)}
		again.Trainer.Loss = h
		require.NoError(t, again.Run(t.Context(), train.Watch{}))
		want := 0.0
		for step := 4; step < total; step++ {
			factor := 1 - float64(step)/float64(total)
			want += e * factor
			require.InDelta(t, factor, again.Trainer.Schedule(step), 1e-12, "the learning rate's is the same")
		}
		sum, err := h.sum.Item()
		require.NoError(t, err)
		require.InDelta(t, want, sum, 1e-12)
	}
}

// heard is a loss that adds up the explorations it is given.
type heard struct {
	nn.Module
	inner gflownet.Loss
	sum   *tensor.Tensor
}

func (h heard) Loss(tape *autograd.Tape, env gflownet.Env, x *tensor.Tensor, o gflownet.Options) (*autograd.Var, error) {
	tensor.CopyInto(h.sum, tensor.Add(h.sum, o.Exploration))
	return h.inner.Loss(tape, env, x, o)
}

// A replayed step must see the exploration of its own step, not that of the recording.
func TestReplayedStepsSeeTheExplorationOfTheirTime(t *testing.T) {
	const steps, e = 8, 0.5
	var losses [2][]float64
	for i, eager := range []bool{false, true} {
		s := testdevice.Stream(t, 1)
		run, err := train.NewExperiment(s, train.Config{
			Target: "gmm2", Steps: steps, Batch: 8, Process: diffusion.Process{NumSteps: 4}, Exploration: e, ExplorationDecay: "linear",
		})
		require.NoError(t, err)
		h := heard{run.Loss, run.Loss, tensor.Zeros(s, backend.Float64)}
		run.Trainer.Loss, run.Trainer.Eager = h, eager
		require.NoError(t, run.Run(t.Context(), train.Watch{OnStep: func(p train.Progress) error {
			losses[i] = append(losses[i], p.Loss)
			return nil
		}}))
		want := 0.0
		for step := range steps {
			want += e * (1 - float64(step)/steps)
		}
		sum, err := h.sum.Item()
		require.NoError(t, err)
		require.InDelta(t, want, sum, 1e-12)
	}
	require.Equal(t, losses[1], losses[0])
	for _, l := range losses[0] {
		require.False(t, math.IsNaN(l))
	}
}
