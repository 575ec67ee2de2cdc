package mle

import (
	"fmt"
	"math"
	"slices"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// MLE is the maximum-likelihood loss of a diffusion GFlowNet. Samples x are run backward to the source, and the forward policy is to make those
// paths likely:
//
//	loss = reduce over samples ( −Σ over steps log p_F [ + Σ over steps log p_B, if IncludeLogPB ] )
//
// It implements [gflownet.Loss].
type MLE struct {
	PF        *diffusion.Forward
	PB        *diffusion.Backward
	Reduction gflownet.Reduction

	// IncludeLogPB adds Σ log p_B, which makes the loss an upper bound on −log p(x) also when the backward policy is learned. The reference
	// leaves it out: with the fixed bridge it only adds a constant in expectation.
	IncludeLogPB bool

	// Debug reads every step's log density back and returns an error that names the first step with a NaN. It cannot be recorded.
	Debug bool
}

var _ gflownet.Loss = (*MLE)(nil)

// New returns the loss of a forward and a backward policy with mean reduction; a nil pb stands for the fixed Brownian bridge.
// Policies that do not fit, as for diffusion.NewSampler, are an error.
func New(pf *diffusion.Forward, pb *diffusion.Backward) (*MLE, error) {
	policies, err := diffusion.NewSampler(pf, pb)
	if err != nil {
		return nil, fmt.Errorf("mle: %w", err)
	}
	return &MLE{PF: policies.PF, PB: policies.PB}, nil
}

// Params returns the parameters of both policies, under "pf." and "pb.".
func (m *MLE) Params() []nn.Param { return m.policies().Params() }

// Buffers returns what is saved with the parameters but not trained.
func (m *MLE) Buffers() []nn.Param { return m.policies().Buffers() }

func (m *MLE) policies() *diffusion.Sampler { return &diffusion.Sampler{PF: m.PF, PB: m.PB} }

// Loss returns the loss of terminal states (B, d), or (B, d+1) with a last column that marks terminal states and is dropped. Its shape is (), or (B)
// for gflownet.None. o.Noise has shape (B, N, d), noise[:, j] for the j-th step back from time 1. env is not used.
// Samples or noise of another shape or dtype, and an exploration that is no number, are errors.
func (m *MLE) Loss(tape *autograd.Tape, env gflownet.Env, samples *tensor.Tensor, o gflownet.Options) (loss *autograd.Var, err error) {
	defer tensor.Catch(&err)
	x, err := m.points(samples)
	if err != nil {
		return nil, err
	}
	noise, err := m.noise(x, o)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(o.ExplorationStd) || math.IsInf(o.ExplorationStd, 0) {
		return nil, fmt.Errorf("mle: the exploration is %v; want a number", o.ExplorationStd)
	}
	var states, logPB *autograd.Var
	if m.IncludeLogPB {
		states, logPB = m.PB.SampleScored(tape, x, noise)
	} else {
		states = m.PB.Sample(tape, x, noise)
	}
	logPF := m.logPF(states, o)
	if m.Debug {
		if err := m.findNaN(logPF.Value()); err != nil {
			return nil, err
		}
	}
	score := autograd.Sum(logPF, 1)
	if m.IncludeLogPB {
		score = autograd.Sub(score, autograd.Sum(logPB, 1))
	}
	return m.Reduction.Apply(autograd.Neg(score)), nil
}

// logPF scores trajectories at the exploration of the options.
func (m *MLE) logPF(states *autograd.Var, o gflownet.Options) *autograd.Var {
	if o.Exploration != nil {
		return m.PF.LogProbExploringBy(states, o.Exploration)
	}
	return m.PF.LogProbExploring(states, o.ExplorationStd)
}

// points drops the indicator column.
func (m *MLE) points(samples *tensor.Tensor) (*tensor.Tensor, error) {
	d := m.PF.Dim()
	if samples == nil {
		return nil, fmt.Errorf("mle: no samples were given; want terminal states (B, %d)", d)
	}
	if samples.Rank() != 2 || samples.Dim(1) != d && samples.Dim(1) != d+1 {
		return nil, fmt.Errorf("mle: terminal states have shape %v; want (B, %d), or (B, %d) with an indicator column", samples.Shape(), d, d+1)
	}
	if samples.Dim(0) == 0 {
		return nil, fmt.Errorf("mle: the batch is empty")
	}
	return tensor.Cast(tensor.Slice(samples, 1, 0, d), m.PF.DType()), nil
}

// NoiseShape returns the shape of the noise that n samples take, (n, N, d).
func (m *MLE) NoiseShape(n int) []int { return []int{n, m.PF.NumSteps, m.PF.Dim()} }

func (m *MLE) noise(x *tensor.Tensor, o gflownet.Options) (*tensor.Tensor, error) {
	want := m.NoiseShape(x.Dim(0))
	switch {
	case o.Noise == nil && o.RNG == nil:
		return nil, fmt.Errorf("mle: neither a random generator nor noise was given")
	case o.Noise == nil:
		return o.RNG.Normal(x.DType(), want...), nil
	case !slices.Equal(o.Noise.Shape(), want):
		return nil, fmt.Errorf("mle: the noise has shape %v; want %v", o.Noise.Shape(), want)
	}
	return tensor.Cast(o.Noise, x.DType()), nil
}

// findNaN returns an error that names the step nearest time 1 with a NaN log density; log p_F of every earlier one depends on it.
func (m *MLE) findNaN(logPF *tensor.Tensor) error {
	values, err := logPF.Float64s()
	if err != nil {
		return err
	}
	n := m.PF.NumSteps
	for step := n - 1; step >= 0; step-- {
		bad := 0
		for b := range len(values) / n {
			if math.IsNaN(values[b*n+step]) {
				bad++
			}
		}
		if bad > 0 {
			return fmt.Errorf("mle: log p_F is NaN at step %d of %d (t = %.4g) in %d of %d samples", step, n, m.PF.Time(step), bad, len(values)/n)
		}
	}
	return nil
}
