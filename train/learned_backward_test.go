package train_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/testdevice"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// With the backward mean and variance learned every gradient must be finite at every step, and the bound with log p_B must fall. Without log p_B
// in the loss, as in the reference, the loss is no bound; it is minimised all the same.
func TestLearnedBackwardVarianceTrains(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for some seconds")
	}
	for _, include := range []bool{false, true} {
		name := map[bool]string{false: "loss of the reference", true: "with log p_B"}[include]
		t.Run(name, func(t *testing.T) {
			e, err := train.NewExperiment(testdevice.Stream(t, 0), train.Config{
				Target: "gmm2", Batch: 16, Process: diffusion.Process{NumSteps: 32}, LR: 1e-3,
				LearnVariance: true, LearnPB: train.LearnPBMeanVariance, IncludeLogPB: include,
			})
			require.NoError(t, err)
			first := bound(t, e)
			for step := range 300 {
				checkedStep(t, e, step)
			}
			last := bound(t, e)
			t.Logf("NLL bound %v before, %v after", first, last)
			require.Less(t, last.Value, first.Value-5*math.Hypot(first.SE, last.SE))
		})
	}
}

// bound returns the NLL bound, log p_B included, on samples of the target.
func bound(t *testing.T, e *train.Experiment) (nll diffusion.Estimate) {
	t.Helper()
	e.Stream().Scope(func() {
		rng := tensor.NewRNG(e.Stream(), 99)
		x := e.Target.Sample(rng, e.Config.DType.DType, 1000)
		balance, err := e.Sampler.BackwardBalance(t.Context(), rng, x, 1000)
		require.NoError(t, err)
		nll = diffusion.MeanOf(balance)
	})
	return nll
}

// checkedStep is a step of the trainer that requires the loss and every gradient to be finite.
func checkedStep(t *testing.T, e *train.Experiment, step int) {
	t.Helper()
	tr := e.Trainer
	e.Stream().Scope(func() {
		tape := autograd.NewTape(e.Stream())
		samples := tr.Source.Sample(tr.RNG, tr.DType, tr.Batch)
		loss, err := e.Loss.Loss(tape, e.Target, samples, gflownet.Options{RNG: tr.RNG})
		require.NoError(t, err)
		grads := autograd.Backward(loss)
		zero := tensor.MulScalar(loss.Value(), 0) // NaN once anything is not finite
		for _, p := range e.Loss.Params() {
			zero = tensor.Add(zero, tensor.Sum(tensor.MulScalar(grads.Of(p.Value), 0)))
		}
		sum, err := zero.Item()
		require.NoError(t, err)
		require.Zero(t, sum, "a gradient of step %d is not finite", step)
		tr.Optim.Step(grads)
	})
}
