package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/tensorio/safetensors"
	"github.com/weir-ml/weir/train"
)

// names returns the names of the files in dir.
func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestTheLastCheckpointsAndTheBestStay(t *testing.T) {
	c := smallRun()
	c.Steps, c.BoundEvery = 7, 3
	dir := t.TempDir()
	var bounds []train.Bound
	saved := 0
	require.NoError(t, newRun(t, c).Run(t.Context(), train.Watch{
		Dir: dir, Keep: 2, CheckpointEvery: 2,
		OnBound:    func(b train.Bound) error { bounds = append(bounds, b); return nil },
		BeforeSave: func() error { saved++; return nil },
	}))
	require.Equal(t, []string{"best.safetensors", "checkpoint-00000006.safetensors", "checkpoint-00000007.safetensors"}, names(t, dir))
	require.Equal(t, 4, saved)
	best := bounds[0]
	for i, step := range []int{3, 6, 7} {
		require.Equal(t, step, bounds[i].Step)
		require.Positive(t, bounds[i].Bound.SE)
		if bounds[i].Bound.Value < best.Bound.Value {
			best = bounds[i]
		}
	}
	_, step, err := train.ReadConfig(filepath.Join(dir, train.BestName))
	require.NoError(t, err)
	require.Equal(t, best.Step, step)
}

// The bound is that of the weights that sample, the averages; estimating it changes nothing, and gives the same again.
func TestWatchingDoesNotChangeTheRun(t *testing.T) {
	c := smallRun()
	c.EMA, c.Steps = 0.5, 5
	watched, plain := newRun(t, c), newRun(t, c)
	for range 5 {
		require.NoError(t, stepTo(watched, watched.Trainer.Step+1))
		first, err := watched.HeldOutBound(t.Context())
		require.NoError(t, err)
		again, err := watched.HeldOutBound(t.Context())
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
	require.NoError(t, stepTo(plain, 5))
	require.Equal(t, weights(t, plain), weights(t, watched))
}

func TestARunEndsWithoutProgressAndSaysWhenItWasBest(t *testing.T) {
	c := smallRun()
	c.Steps, c.BoundEvery, c.Patience, c.LR = 1000, 1, 3, 10 // a rate at which it only gets worse, from some step on
	dir := t.TempDir()
	e := newRun(t, c)
	err := e.Run(t.Context(), train.Watch{Dir: dir})
	require.ErrorIs(t, err, train.ErrNoProgress)
	require.ErrorContains(t, err, "it was best at step ")
	require.Equal(t, e.Best().Step+3, e.Trainer.Step)
	_, step, err := train.ReadConfig(filepath.Join(dir, train.BestName))
	require.NoError(t, err)
	require.Equal(t, e.Best().Step, step)

	path, _, err := train.Latest(dir)
	require.NoError(t, err)
	again, err := train.OpenExperiment(testdevice.Stream(t, 1), path, nil)
	require.NoError(t, err)
	require.ErrorIs(t, again.Run(t.Context(), train.Watch{}), train.ErrNoProgress, "patience is part of the run")
}

// However a run is cut into sittings, its steps, averages, schedule, best bound and end are the same.
func TestSittingsDoNotMatter(t *testing.T) {
	c := smallRun()
	c.Steps, c.BoundEvery, c.Patience = 12, 2, 2
	c.EMA, c.Schedule, c.WarmUp, c.ClipNorm, c.WeightDecay, c.MicroBatch = 0.9, train.CosineRate, 3, 1, 0.1, 3
	whole := newRun(t, c)
	wholeErr := whole.Run(t.Context(), train.Watch{})

	dir := t.TempDir()
	parts := newRun(t, c)
	for {
		ctx, cancel := context.WithCancel(t.Context())
		err := parts.Run(ctx, train.Watch{Dir: dir, CheckpointEvery: 100, OnStep: func(train.Progress) error { cancel(); return nil }})
		if !errors.Is(err, context.Canceled) {
			require.Equal(t, wholeErr, err)
			break
		}
		path, damaged, err := train.Latest(dir)
		require.NoError(t, err)
		require.Empty(t, damaged)
		parts, err = train.OpenExperiment(testdevice.Stream(t, 1), path, nil)
		require.NoError(t, err)
	}
	require.Equal(t, whole.Trainer.Step, parts.Trainer.Step)
	require.Equal(t, whole.Best(), parts.Best())
	require.Equal(t, weights(t, whole), weights(t, parts))
}

func TestDamagedCheckpointsArePassedOver(t *testing.T) {
	c := smallRun()
	c.Steps = 3
	dir := t.TempDir()
	require.NoError(t, newRun(t, c).Run(t.Context(), train.Watch{Dir: dir, CheckpointEvery: 1}))
	for _, step := range []int{2, 3} {
		path := filepath.Join(dir, train.CheckpointName(step))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text[:len(text)/step], 0o644))
	}
	path, damaged, err := train.Latest(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, train.CheckpointName(1)), path)
	require.Len(t, damaged, 2)
	require.ErrorContains(t, damaged[0], train.CheckpointName(3))

	require.NoError(t, os.Remove(path))
	_, _, err = train.Latest(dir)
	require.ErrorContains(t, err, train.CheckpointName(3))
	_, _, err = train.Latest(t.TempDir())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestKilledWritesAreCleanedUp(t *testing.T) {
	c := smallRun()
	c.Steps = 1
	dir := t.TempDir()
	left := filepath.Join(dir, ".checkpoint-00000001.safetensors.ABCDEFGHIJKLMNOPQRSTUVWXYZ.tmp")
	foreign := filepath.Join(dir, ".other.tmp")
	for _, path := range []string{left, foreign} {
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o644))
	}
	require.NoError(t, newRun(t, c).Run(t.Context(), train.Watch{Dir: dir}))
	require.NoFileExists(t, left)
	require.FileExists(t, foreign)
}

func TestWeightsThatAreNotFiniteAreNotSaved(t *testing.T) {
	for _, value := range []float64{math.NaN(), math.Inf(1)} {
		c := smallRun()
		c.Steps, c.LearnVariance = 5, true
		e := newRun(t, c)
		dir := t.TempDir()
		err := e.Run(t.Context(), train.Watch{Dir: dir, CheckpointEvery: 1, OnStep: func(p train.Progress) error {
			if p.Step == 2 {
				phase := e.Loss.PF.Net.Phase
				tensor.CopyInto(phase, tensor.Full(phase.Stream(), phase.DType(), value, phase.Shape()...))
			}
			return nil
		}})
		require.ErrorIs(t, err, train.ErrDiverged)
		require.NotContains(t, err.Error(), "\n")
		require.Regexp(t, `^train: .*phase.* is not finite at step 2: training diverged; .*; the last good checkpoint is .*checkpoint-00000001`, err.Error())
		_, step, err := train.ReadConfig(filepath.Join(dir, train.CheckpointName(1)))
		require.NoError(t, err)
		require.Equal(t, 1, step)
	}
}

// steep is a finite loss, with a gradient that is not a number: that of a clamped log(p − p) for a parameter p.
type steep struct {
	*mle.MLE
	param *tensor.Tensor
}

func (l steep) Loss(tape *autograd.Tape, env gflownet.Env, samples *tensor.Tensor, o gflownet.Options) (*autograd.Var, error) {
	loss, err := l.MLE.Loss(tape, env, samples, o)
	if err != nil {
		return nil, err
	}
	p := tape.Leaf(l.param)
	return autograd.Add(loss, autograd.Sum(autograd.Clamp(autograd.Log(autograd.Sub(p, p)), -1, 1))), nil
}

func TestAGradientThatIsNotFiniteIsNamed(t *testing.T) {
	for _, eager := range []bool{false, true} {
		c := smallRun()
		c.Steps = 5
		e := newRun(t, c)
		dir := t.TempDir()
		require.NoError(t, stepTo(e, 1))
		e.Trainer.Eager, e.Trainer.Loss = eager, steep{e.Loss, e.Loss.PF.Net.State.Bias}
		err := e.Run(t.Context(), train.Watch{Dir: dir})
		require.EqualError(t, err, "train: the gradient of pf.module.s_model.s_model.bias is not finite at step 2: training diverged; "+
			"lower the learning rate or check the data; no checkpoint has been saved yet")
		require.Equal(t, 1, e.Trainer.Step)
		require.Empty(t, names(t, dir))
	}
}

// slope is a loss with the same gradient for every element of two parameters.
type slope struct {
	*mle.MLE
	a, b *tensor.Tensor
	by   float64
}

func (l slope) Loss(tape *autograd.Tape, env gflownet.Env, samples *tensor.Tensor, o gflownet.Options) (*autograd.Var, error) {
	loss, err := l.MLE.Loss(tape, env, samples, o)
	if err != nil {
		return nil, err
	}
	total := autograd.Add(autograd.Mean(tape.Leaf(l.a)), autograd.Mean(tape.Leaf(l.b)))
	return autograd.Add(loss, autograd.MulScalar(total, l.by)), nil
}

// Squares that are finite each may sum to infinity.
func TestGradientsWhoseNormIsNotFiniteAreFound(t *testing.T) {
	c := smallRun()
	c.Steps, c.DType.DType = 5, backend.Float64
	e := newRun(t, c)
	net := e.Loss.PF.Net
	width := math.Sqrt(float64(net.State.Bias.Len()))
	e.Trainer.Loss = slope{e.Loss, net.State.Bias, net.Time.Params()[1].Value, 1.2e154 * width}
	err := e.Run(t.Context(), train.Watch{})
	require.EqualError(t, err, "train: the norm of the gradients is not finite at step 1: training diverged; lower the learning rate or check the data")
}

func TestMicroBatchesGiveTheWholeBatchsStep(t *testing.T) {
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		for _, learned := range []train.LearnPB{train.FixedBridge, train.LearnPBMeanVariance} {
			c := smallRun()
			c.DType.DType, c.LearnPB, c.Batch = d, learned, 8
			c.Process.NumSteps = 3 // no part's noise is a whole number of the generator's blocks
			outcomes := map[int]train.Progress{}
			values := map[int][]float64{}
			for _, size := range []int{0, 8, 3, 1} {
				c.MicroBatch = size
				e := newRun(t, c)
				require.NoError(t, e.Trainer.Run(t.Context(), 1, func(p train.Progress) error { outcomes[size] = p; return nil }))
				for _, p := range e.Loss.Params() {
					values[size] = append(values[size], testdevice.Values(t, p.Value)...)
				}
			}
			tolerance := map[backend.DType]float64{backend.Float32: 1e-4, backend.Float64: 1e-12}[d]
			for _, size := range []int{8, 3, 1} {
				require.InEpsilon(t, outcomes[0].Loss, outcomes[size].Loss, tolerance)
				require.InEpsilon(t, outcomes[0].GradNorm, outcomes[size].GradNorm, tolerance)
			}
			if d == backend.Float64 { // Adam's first step is the gradient's sign: in float32 a rounded 0 decides it
				require.InDeltaSlice(t, values[0], values[3], 1e-6)
			}
		}
	}
}

func TestMicroBatchesReplayAsTheyRun(t *testing.T) {
	c := smallRun()
	c.MicroBatch, c.ClipNorm, c.EMA = 3, 0.5, 0.9
	recorded, eager := newRun(t, c), newRun(t, c)
	eager.Trainer.Eager = true
	require.NoError(t, stepTo(recorded, 4))
	require.NoError(t, stepTo(eager, 4))
	require.Equal(t, weights(t, eager), weights(t, recorded))
}

func TestClippingLimitsTheStep(t *testing.T) {
	c := smallRun()
	c.ClipNorm = 1e-6
	e := newRun(t, c)
	require.NoError(t, e.Trainer.Run(t.Context(), 1, func(p train.Progress) error {
		require.Greater(t, p.GradNorm, 0.01, "the norm is the one before clipping")
		return nil
	}))
	total := 0.0
	for _, p := range e.Trainer.Optim.State() {
		if p.Name == "step" || p.Value.Len() == 0 || len(p.Name) > 11 && p.Name[:11] == "exp_avg_sq." {
			continue
		}
		for _, x := range testdevice.Values(t, p.Value) {
			total += x * x
		}
	}
	require.InEpsilon(t, 1e-7, math.Sqrt(total), 0.01, "the mean after one step is a tenth of the clipped gradient")
}

// A model that is opened has the averages, and so the report is theirs.
func TestAveragesAreWhatSamples(t *testing.T) {
	c := smallRun()
	c.EMA, c.LR = 0.9, 0.1
	e := newRun(t, c)
	require.NoError(t, stepTo(e, 6))
	path := filepath.Join(t.TempDir(), "run.safetensors")
	require.NoError(t, e.Save(path))
	m, err := train.OpenModel(e.Stream(), path)
	require.NoError(t, err)
	opened := nn.Prefix("pf", m.Sampler.PF.Params())
	for i, average := range e.Trainer.EMA.Params() {
		require.Equal(t, average.Name, opened[i].Name)
		require.Equal(t, testdevice.Values(t, average.Value), testdevice.Values(t, opened[i].Value))
	}
	f, err := safetensors.Open(path)
	require.NoError(t, err)
	_, ok := f.Entry("ema.n_averaged")
	require.True(t, ok)

	draw := func(m *train.Model) []float64 {
		rows, err := m.Draw(t.Context(), tensor.NewRNG(e.Stream(), 7), 10, 4)
		require.NoError(t, err)
		return rows
	}
	raw := draw(e.Model())
	restore := e.UseAverages()
	averaged := draw(e.Model())
	restore()
	require.Equal(t, draw(m), averaged)
	require.NotEqual(t, raw, averaged)
	require.Equal(t, raw, draw(e.Model()))
}

func TestSchedulesReachTheStep(t *testing.T) {
	losses := map[string]float64{}
	for name, change := range map[string]func(c *train.Config){
		"constant": func(c *train.Config) {},
		"cosine":   func(c *train.Config) { c.Schedule = train.CosineRate },
		"linear":   func(c *train.Config) { c.Schedule = train.LinearRate },
		"warm up":  func(c *train.Config) { c.WarmUp = 2 },
		"decay":    func(c *train.Config) { c.WeightDecay = 0.5 },
		"clipped":  func(c *train.Config) { c.ClipNorm = 1e-9 },
	} {
		c := smallRun()
		c.Steps = 4
		change(&c)
		require.NoError(t, newRun(t, c).Run(t.Context(), train.Watch{OnStep: func(p train.Progress) error {
			losses[name] = p.Loss
			return nil
		}}))
	}
	seen := map[float64]string{}
	for name, loss := range losses {
		require.Empty(t, seen[loss], "%s trains as %s does", name, seen[loss])
		seen[loss] = name
	}
}

// Two trainings that write to one directory would remove each other's checkpoints.
func TestADirectoryHasOneRun(t *testing.T) {
	dir := t.TempDir()
	c := smallRun()
	c.Steps = 2
	first, second := newRun(t, c), newRun(t, c)
	held := fmt.Sprintf("train: process %d writes to %s; wait until it ends, or take another directory", os.Getpid(), dir)
	err := first.Run(t.Context(), train.Watch{Dir: dir, OnStep: func(train.Progress) error {
		require.EqualError(t, second.Run(t.Context(), train.Watch{Dir: dir}), held)
		return nil
	}})
	require.NoError(t, err)
	require.Zero(t, second.Trainer.Step)

	lock, err := train.LockDir(dir)
	require.NoError(t, err, "a run that has ended lets others in")
	require.EqualError(t, second.Run(t.Context(), train.Watch{Dir: dir}), held)
	require.NoError(t, second.Run(t.Context(), train.Watch{Dir: dir, Lock: lock}), "the lock is the caller's")
	require.NoError(t, lock.Release())
}
