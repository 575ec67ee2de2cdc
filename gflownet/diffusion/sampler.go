package diffusion

import (
	"fmt"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// Sampler draws trajectories in both directions. It samples the process that the losses train: N forward steps, the last of which
// ends at time 1.
type Sampler struct {
	PF *Forward
	PB *Backward

	// OmitLastStep makes Forward end before the last step, at time (N−1)/N, as the sampler of torchgfn 2.4.1 does: its trajectories have N−1 steps and N
	// states. Backward, like the losses, has them all.
	OmitLastStep bool
}

var _ gflownet.Sampler = (*Sampler)(nil)

// NewSampler pairs two policies of one process; a nil pb stands for the fixed Brownian bridge. Policies that differ in process, dimension or
// dtype are an error.
func NewSampler(pf *Forward, pb *Backward) (*Sampler, error) {
	if pf == nil {
		return nil, fmt.Errorf("diffusion: no forward policy")
	}
	if pb == nil {
		pb = NewBridge(pf.Process, pf.Dim())
	}
	if pf.Process != pb.Process {
		return nil, fmt.Errorf("diffusion: the policies disagree: forward %+v, backward %+v", pf.Process, pb.Process)
	}
	if pf.Dim() != pb.Dim() {
		return nil, fmt.Errorf("diffusion: the policies disagree: forward in %d dimensions, backward in %d", pf.Dim(), pb.Dim())
	}
	if pb.Learned() && pb.Net.Phase.DType() != pf.DType() {
		return nil, fmt.Errorf("diffusion: the policies disagree: forward in %v, backward in %v", pf.DType(), pb.Net.Phase.DType())
	}
	return &Sampler{PF: pf, PB: pb}, nil
}

// Params returns the parameters of both policies, under "pf." and "pb.".
func (s *Sampler) Params() []nn.Param {
	return append(nn.Prefix("pf", s.PF.Params()), nn.Prefix("pb", s.PB.Params())...)
}

// Buffers returns what is saved with the parameters but not trained.
func (s *Sampler) Buffers() []nn.Param {
	return append(nn.Prefix("pf", s.PF.Buffers()), nn.Prefix("pb", s.PB.Buffers())...)
}

// Exploring returns a sampler of the same weights whose forward policy draws and scores with exploration std, added in variance.
func (s *Sampler) Exploring(std float64) *Sampler {
	pf := *s.PF
	pf.Exploration, pf.exploring = std, nil
	return &Sampler{PF: &pf, PB: s.PB, OmitLastStep: s.OmitLastStep}
}

// ExploringAs is Exploring by what a loss's options say. A number that the device holds, as of a schedule, is read anew each time a recorded step is
// replayed; it panics with a *tensor.Error if that is not one number.
func (s *Sampler) ExploringAs(o gflownet.Options) *Sampler {
	wide := s.Exploring(o.ExplorationStd)
	if o.Exploration != nil {
		checkExploration("exploring", s.PF.Net.Phase, o.Exploration)
		wide.PF.exploring = o.Exploration
	}
	return wide
}

// Forward draws n trajectories from the forward policy, with the log densities of the steps that were drawn. The states are constants on the
// tape, and so is log p_F; Score the states to differentiate.
func (s *Sampler) Forward(tape *autograd.Tape, rng *tensor.RNG, n int) *gflownet.Trajectories {
	var states, logPF *tensor.Tensor
	tape.NoGrad(func() { states, logPF = s.PF.sample(tape, pathNoise(rng, s.PF.DType(), n, s.PF.NumSteps, s.PF.Dim())) })
	path := tape.Const(states)
	tr := &gflownet.Trajectories{States: path, LogPF: tape.Const(logPF), LogPB: s.PB.LogProb(path)}
	if last := s.steps(); s.OmitLastStep {
		return &gflownet.Trajectories{
			States: autograd.Slice(tr.States, 1, 0, last+1), LogPF: autograd.Slice(tr.LogPF, 1, 0, last), LogPB: autograd.Slice(tr.LogPB, 1, 0, last),
		}
	}
	return tr
}

// steps returns how many steps Forward takes.
func (s *Sampler) steps() int {
	if s.OmitLastStep {
		return s.PF.NumSteps - 1
	}
	return s.PF.NumSteps
}

// pathNoise returns standard normals (n, N, d). The numbers of a path fill whole counters of the generator, so that n paths are the same however
// they are cut into batches.
func pathNoise(rng *tensor.RNG, d backend.DType, n, steps, dim int) *tensor.Tensor {
	const counter = 4
	numbers := steps * dim
	rows := rng.Normal(d, n, (numbers+counter-1)/counter*counter)
	return tensor.Reshape(tensor.Slice(rows, 1, 0, numbers), n, steps, dim)
}

// sample returns trajectories (n, N+1, d) and the log densities (n, N) of their steps, given noise (n, N, d). The tape does not record.
func (f *Forward) sample(tape *autograd.Tape, noise *tensor.Tensor) (states, logPF *tensor.Tensor) {
	s, d, n := tape.Stream(), f.DType(), noise.Dim(0)
	path := []*tensor.Tensor{tensor.Zeros(s, d, n, 1, f.dim)}
	scores := make([]*tensor.Tensor, f.NumSteps)
	for i := range f.NumSteps {
		s.Scope(func() {
			next, score := f.step(tape.Const(path[i]), tensor.Slice(noise, 1, i, i+1), i)
			path = append(path, next.Value().Keep())
			scores[i] = score.Value().Keep()
		})
	}
	return tensor.Concat(1, path...), tensor.Concat(1, scores...)
}

// step moves states (B, 1, d) from the time of step i by their noise, and returns the log density (B, 1) of the move.
func (f *Forward) step(from *autograd.Var, noise *tensor.Tensor, i int) (to, logProb *autograd.Var) {
	tape := from.Tape()
	eps := tape.Const(noise)
	drift, logStd := f.Drift(from, f.Times(tape.Stream(), f.DType(), i, i))
	variance := f.ownVariance(tape, logStd, i, i)
	move := autograd.Mul(eps, autograd.Sqrt(variance))
	to = autograd.Add(from, autograd.Add(autograd.MulScalar(drift, f.Dt(i)), move))
	return to, gaussianNoise(eps, variance)
}

// Backward runs the backward policy from terminal states x (B, d) to the source and scores every step both ways.
func (s *Sampler) Backward(tape *autograd.Tape, rng *tensor.RNG, x *tensor.Tensor) *gflownet.Trajectories {
	noise := pathNoise(rng, x.DType(), x.Dim(0), s.PF.NumSteps, x.Dim(1))
	states, logPB := s.PB.SampleScored(tape, x, noise)
	return &gflownet.Trajectories{States: states, LogPF: s.PF.LogProb(states), LogPB: logPB}
}

// Score returns the trajectories of states (B, N+1, d) with the log densities of their steps both ways, on the states' tape. It panics with a
// *tensor.Error if the shape is another.
func (s *Sampler) Score(states *autograd.Var) *gflownet.Trajectories {
	return &gflownet.Trajectories{States: states, LogPF: s.PF.LogProb(states), LogPB: s.PB.LogProb(states)}
}
