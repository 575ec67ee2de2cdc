//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/internal/emulator"
	"github.com/weir-ml/weir/optim"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

// training is a small run. Its target is normal distributions, of which one is picked by an index for each sample.
func training(d backend.DType) train.Config {
	c := train.Config{
		Target: "gmm2", Seed: 5, Batch: 8, Process: diffusion.Process{NumSteps: 4},
		Net: diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8},
	}
	c.DType.DType = d
	return c
}

// losses trains on a device for some steps, replayed or eager, and calls after, if it is not nil, behind each.
func losses(name string, c train.Config, steps int, eager bool, after func(step int)) (all []float64, err error) {
	return lossesWith(name, backend.Options{}, c, steps, eager, after)
}

// lossesWith is losses on a device of such options.
func lossesWith(name string, o backend.Options, c train.Config, steps int, eager bool, after func(step int)) (all []float64, err error) {
	defer tensor.Catch(&err)
	dev, err := tensor.Open(name, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = leaving(err, dev.Close()) }()
	s, err := dev.NewStream()
	if err != nil {
		return nil, err
	}
	defer func() { err = earlier(err, s.Close()) }()
	e, err := train.NewExperiment(s, c)
	if err != nil {
		return nil, err
	}
	e.Trainer.Eager = eager
	err = e.Trainer.Run(context.Background(), steps, func(p train.Progress) error {
		all = append(all, p.Loss)
		if after != nil {
			after(p.Step)
		}
		return nil
	})
	return all, err
}

func TestTrainingAgreesWithTheCPU(t *testing.T) {
	emulator.Need(t)
	for d, limit := range map[backend.DType]float64{backend.Float64: 1e-11, backend.Float32: 1e-4} {
		t.Run(d.String(), func(t *testing.T) {
			got, err := losses("cuda", training(d), 5, false, nil)
			require.NoError(t, err)
			want, err := losses("cpu", training(d), 5, false, nil)
			require.NoError(t, err)
			require.Len(t, got, len(want))
			for i := range want {
				require.LessOrEqual(t, math.Abs(got[i]-want[i])/math.Abs(want[i]), limit, "loss of step %d", i+1)
			}
		})
	}
}

// Steps that are replayed have the bits of steps that are not, also where the path is sequential and where memory that is used again is scarce.
func TestReplayedTrainingHasTheBitsOfEagerTraining(t *testing.T) {
	emulator.Need(t)
	for name, change := range map[string]func(*train.Config){
		"fixed":            func(*train.Config) {},
		"learned variance": func(c *train.Config) { c.LearnVariance, c.Exploration = true, 0.3 },
		"learned backward": func(c *train.Config) {
			c.LearnVariance, c.LearnPB, c.IncludeLogPB = true, train.LearnPBMeanVariance, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := training(backend.Float32)
			change(&c)
			replayed, err := losses("cuda", c, 5, false, nil)
			require.NoError(t, err)
			eager, err := losses("cuda", c, 5, true, nil)
			require.NoError(t, err)
			require.Equal(t, eager, replayed)
		})
	}
}

// From the second step on, a step with its loss, its gradients and Adam is one call of the driver; reading its loss is a copy and one wait.
func TestATrainingStepIsOneCall(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	runtime.LockOSThread() // another one would ask for its context
	defer runtime.UnlockOSThread()
	var until []int
	_, err := losses("cuda", training(backend.Float32), 8, false, func(int) { until = append(until, len(calls(t, log))) })
	require.NoError(t, err)
	all := calls(t, log)
	for step := 5; step < len(until); step++ { // when the staging memory is there
		made := map[string]int{}
		for _, call := range all[until[step-1]:until[step]] {
			made[call]++
		}
		require.Equal(t, 1, made["cuGraphLaunch"])
		require.Zero(t, made["cuLaunchKernel"])
		require.LessOrEqual(t, made["cuEventSynchronize"]+made["cuStreamSynchronize"], 2)
		for call := range made {
			require.Contains(t, []string{"cuGraphLaunch", "cuMemcpyDtoHAsync_v2", "cuEventRecord", "cuEventSynchronize"}, call)
		}
	}
}

// recordedStep returns the commands of a recorded step: the loss of a small network on given samples, its gradients and Adam.
func recordedStep(t *testing.T, s *tensor.Stream) []backend.Cmd {
	t.Helper()
	rng := tensor.NewRNG(s, 1)
	net := diffusion.PolicyConfig{Net: diffusion.NetConfig{Harmonics: 4, Embed: 8, Hidden: 8}}
	pf, err := diffusion.NewForward(rng, backend.Float32, 2, diffusion.Process{NumSteps: 4, Sigma: 1, TScale: 1}, net)
	require.NoError(t, err)
	loss, err := mle.New(pf, nil)
	require.NoError(t, err)
	adam, err := optim.NewAdam(loss.Params(), optim.AdamConfig{LR: 1e-3})
	require.NoError(t, err)
	target, err := diffusion.NewTarget("gmm2")
	require.NoError(t, err)
	samples := rng.Normal(backend.Float32, 8, 2)
	p, err := plan.Record(s, func(*plan.Recorder) (err error) {
		s.Scope(func() {
			var l *autograd.Var
			if l, err = loss.Loss(autograd.NewTape(s), target, samples, gflownet.Options{RNG: rng}); err == nil {
				adam.Step(autograd.Backward(l))
			}
		})
		return err
	})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p.Commands()
}

// Five of the seven layers of the network have a bias and perhaps GELU: the product of each, and what follows it, is one kernel, which stores no product.
func TestTheLayersOfATrainingStepAreJoined(t *testing.T) {
	emulator.Need(t)
	dev, err := tensor.Open("cuda", backend.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, dev.Close()) }()
	s, err := dev.NewStream()
	require.NoError(t, err)
	defer s.Close()
	cmds := recordedStep(t, s)
	launches := func(atOnce int) (nodes int, layers []epilogue) {
		on := newCatalogue()
		b := &batch{on: on}
		for at := 0; at < len(cmds); {
			at += b.lower(cmds[at:min(at+atOnce, len(cmds))])
		}
		require.NoError(t, b.err)
		for _, n := range b.nodes {
			if n.kind == launchNode && strings.HasPrefix(on.kernels[n.function], "matmul_") {
				p := (*matmulParams)(unsafe.Pointer(&b.params[n.dst]))
				layers = append(layers, p.then)
			}
		}
		return len(b.nodes), layers
	}
	apart, _ := launches(1)
	together, layers := launches(len(cmds))
	require.Equal(t, apart-5, together, "of %d launches", apart)
	joined := slices.DeleteFunc(layers, func(e epilogue) bool { return e.there == 0 })
	require.Len(t, joined, 5)
	for _, e := range joined {
		require.Zero(t, e.keeps)
	}
	t.Logf("%d commands are %d launches, %d without epilogues", len(cmds), together, apart)
}

// Each of the first 200 calls of a training run fails in turn, and then some of every later part of it. With -short all are a sample.
func TestEveryCallOfATrainingRunMayFail(t *testing.T) {
	log := filepath.Join(t.TempDir(), "calls")
	emulate(t, "LOG="+log)
	want, err := lockedLosses()
	require.NoError(t, err)
	all := calls(t, log)
	require.Greater(t, len(all), 500)
	tried, failed := 0, 0
	for i, call := range all {
		if call != "cuDevicePrimaryCtxRelease_v2" && (i < 200 && !testing.Short() || i%29 == 0) {
			tried++
			failed += trainingFailsAt(t, i+1, want)
		}
	}
	require.Greater(t, failed, tried/2, "the others are allocations, which are tried again")
}

func lockedLosses() ([]float64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return losses("cuda", training(backend.Float32), 3, false, nil)
}

// trainingFailsAt trains with the at-th call failing. It returns 1 if that failed.
func trainingFailsAt(t *testing.T, at int, want []float64) int {
	t.Helper()
	emulate(t, "FAIL_AT="+strconv.Itoa(at), "FAIL_CODE=1")
	got, err := lockedLosses()
	require.True(t, closed(t), "after call %d the device is still open: %v", at, err)
	if err == nil {
		require.Equal(t, want, got, "call %d", at)
		return 0
	}
	require.Regexp(t, `cuda: .*cu[A-Z]\w+: CUDA_ERROR_\w+ \(\d+\)`, err.Error(), "call %d", at)
	if errors.Is(err, errLeak) {
		require.Regexp(t, givesBack, err.Error(), "call %d", at)
	}
	return 1
}
