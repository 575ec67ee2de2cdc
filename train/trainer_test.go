package train_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

func stepTo(e *train.Experiment, step int) error {
	return e.Trainer.Run(context.Background(), step, nil)
}

func TestRunReportsEveryStep(t *testing.T) {
	c := smallRun()
	c.Steps = 4
	e := newRun(t, c)
	var steps []int
	require.NoError(t, e.Run(context.Background(), train.Watch{OnStep: func(p train.Progress) error {
		steps = append(steps, p.Step)
		require.False(t, math.IsNaN(p.Loss))
		require.Positive(t, p.GradNorm)
		return nil
	}}))
	require.Equal(t, []int{1, 2, 3, 4}, steps)
	require.NoError(t, e.Run(context.Background(), train.Watch{OnStep: func(train.Progress) error {
		t.Error("the run is complete")
		return nil
	}}))
}

func TestRunEndsBetweenSteps(t *testing.T) {
	e := newRun(t, smallRun())
	ctx, cancel := context.WithCancel(context.Background())
	err := e.Run(ctx, train.Watch{OnStep: func(p train.Progress) error {
		if p.Step == 2 {
			cancel()
		}
		return nil
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, e.Trainer.Step)

	stop := errors.New("enough")
	err = e.Run(context.Background(), train.Watch{OnStep: func(p train.Progress) error { return stop }})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 3, e.Trainer.Step, "the step that was reported is done")
	require.NoError(t, stepTo(e, 5), "and the run can go on")
}

func TestALossThatIsNotFiniteEndsTheRun(t *testing.T) {
	for _, eager := range []bool{false, true} {
		e := newRun(t, smallRun())
		e.Trainer.Eager = eager
		require.NoError(t, stepTo(e, 2))
		bias := e.Loss.PF.Net.State.Bias
		tensor.CopyInto(bias, tensor.Full(bias.Stream(), bias.DType(), math.Inf(1)))
		err := stepTo(e, 10)
		require.ErrorIs(t, err, train.ErrDiverged)
		require.EqualError(t, err, "train: the loss is NaN at step 3: training diverged; lower the learning rate or check the data")
		require.Equal(t, 2, e.Trainer.Step)
	}
}

func TestTrainingImprovesTheSampler(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	e, err := train.NewExperiment(testdevice.Stream(t, 0), train.Config{
		Target: "gmm2", Batch: 64, LR: 5e-3, Net: diffusion.NetConfig{Embed: 32, Hidden: 32},
		Process: diffusion.Process{NumSteps: 16},
	})
	require.NoError(t, err)
	before, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 1, Samples: 1000, Batch: 500})
	require.NoError(t, err)
	require.NoError(t, stepTo(e, 400))
	after, err := e.Evaluate(t.Context(), train.Evaluation{Seed: 1, Samples: 1000, Batch: 500})
	require.NoError(t, err)
	t.Logf("EUBO gap %v before, %v after; W2 %.3g, %.3g; true samples %.3g",
		before.EUBOGap, after.EUBOGap, before.W2, after.W2, after.W2True)
	require.Less(t, after.EUBOGap.Value, before.EUBOGap.Value/4)
	require.GreaterOrEqual(t, after.EUBOGap.Value, -3*after.EUBOGap.SE)
	require.Less(t, after.ELBOGap.Value, before.ELBOGap.Value)
	require.Less(t, after.W2, before.W2/2)
}

func TestEverySettingReachesTheLoss(t *testing.T) {
	secondLoss := func(c train.Config) (loss float64) {
		e := newRun(t, c)
		require.NoError(t, e.Trainer.Run(context.Background(), 2, func(p train.Progress) error {
			loss = p.Loss
			return nil
		}))
		return loss
	}
	base := smallRun()
	base.LearnPB = train.LearnPBMean
	want := secondLoss(base)
	require.Equal(t, want, secondLoss(base))
	for name, change := range map[string]func(c *train.Config){
		"target":             func(c *train.Config) { c.Target = "gmm8" },
		"batch":              func(c *train.Config) { c.Batch++ },
		"steps of a path":    func(c *train.Config) { c.Process.NumSteps++ },
		"sigma":              func(c *train.Config) { c.Process.Sigma = 3 },
		"time scale":         func(c *train.Config) { c.Process.TScale = 2 },
		"network":            func(c *train.Config) { c.Net.Hidden++ },
		"learned variance":   func(c *train.Config) { c.LearnVariance = true },
		"scaled":             func(c *train.Config) { c.Scaled = true },
		"backward policy":    func(c *train.Config) { c.LearnPB = train.LearnPBMeanVariance },
		"size of correction": func(c *train.Config) { c.PBScaleRange = 0.2 },
		"log p_B":            func(c *train.Config) { c.IncludeLogPB = true },
		"exploration":        func(c *train.Config) { c.Exploration = 0.5 },
		"learning rate":      func(c *train.Config) { c.LR = 0.02 },
		"seed":               func(c *train.Config) { c.Seed++ },
		"dtype":              func(c *train.Config) { c.DType.DType = backend.Float64 },
	} {
		t.Run(name, func(t *testing.T) {
			c := base
			change(&c)
			require.NotEqual(t, want, secondLoss(c))
		})
	}
}

// onPolicy is a loss that draws what it is computed from: (w − x)² over normal numbers x, which is least at their mean.
type onPolicy struct {
	w     *tensor.Tensor
	calls *[]gflownet.Options
}

func (l onPolicy) Params() []nn.Param { return []nn.Param{{Name: "w", Value: l.w}} }

func (l onPolicy) Loss(tape *autograd.Tape, _ gflownet.Env, samples *tensor.Tensor, o gflownet.Options) (*autograd.Var, error) {
	if samples != nil {
		return nil, errors.New("samples were given")
	}
	*l.calls = append(*l.calls, o)
	difference := autograd.Sub(tape.Leaf(l.w), tape.Const(o.RNG.Normal(backend.Float64, o.Batch)))
	return autograd.Mean(autograd.Mul(difference, difference)), nil
}

func TestWithoutASourceTheLossDrawsTheBatch(t *testing.T) {
	s := testdevice.Stream(t, 1)
	var calls []gflownet.Options
	loss := onPolicy{tensor.Full(s, backend.Float64, 3), &calls}
	adam, err := optim.NewAdam(loss.Params(), optim.AdamConfig{LR: 0.1})
	require.NoError(t, err)
	trainer := train.Trainer{Loss: loss, Optim: adam, RNG: tensor.NewRNG(s, 1), Batch: 50, Exploration: 0.5}
	require.NoError(t, trainer.Run(context.Background(), 200, nil))
	require.Len(t, calls, 1, "later steps are replayed")
	require.Equal(t, 50, calls[0].Batch)
	require.Equal(t, 0.5, calls[0].ExplorationStd)
	require.InDelta(t, 0, testdevice.Values(t, loss.w)[0], 0.1)
}
