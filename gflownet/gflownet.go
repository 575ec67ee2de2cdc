package gflownet

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

// Env says what terminal states are worth.
type Env interface {
	// Dim returns the number of coordinates of a state.
	Dim() int
	// LogReward returns the log reward, an unnormalised log density, of states (B, d) as (B).
	LogReward(x *autograd.Var) *autograd.Var
}

// Policy is a distribution over steps.
type Policy interface {
	nn.Module
	// LogProb returns the log density (B, N) of each step of trajectories (B, N+1, d).
	LogProb(states *autograd.Var) *autograd.Var
}

// Trajectories are complete paths from the source, states[:, 0], to terminal states, states[:, N].
type Trajectories struct {
	States *autograd.Var // (B, N+1, d)
	LogPF  *autograd.Var // (B, N): log density of step i → i+1 under the forward policy
	LogPB  *autograd.Var // (B, N): log density of step i+1 → i under the backward policy
}

// Terminal returns the last states, (B, d).
func (tr *Trajectories) Terminal() *autograd.Var {
	return autograd.Select(tr.States, 1, tr.States.Dim(1)-1)
}

// LogWeights returns log R(x) + Σ log p_B − Σ log p_F of each trajectory, (B): its log importance weight.
func (tr *Trajectories) LogWeights(env Env) *autograd.Var {
	balance := autograd.Sub(autograd.Sum(tr.LogPB, 1), autograd.Sum(tr.LogPF, 1))
	return autograd.Add(env.LogReward(tr.Terminal()), balance)
}

// Sampler draws trajectories and scores them.
type Sampler interface {
	// Forward draws n trajectories from the forward policy. Their states and log p_F are constants on the tape.
	Forward(tape *autograd.Tape, rng *tensor.RNG, n int) *Trajectories
	// Backward draws a trajectory of the backward policy to each of the terminal states x (B, d), and scores it.
	Backward(tape *autograd.Tape, rng *tensor.RNG, x *tensor.Tensor) *Trajectories
	// Score returns the trajectories of given states (B, N+1, d), wherever they come from, with the log densities of their steps on the
	// states' tape: what a loss differentiates.
	Score(states *autograd.Var) *Trajectories
}

// Options are given to a loss with each batch.
type Options struct {
	RNG            *tensor.RNG    // draws the noise, unless Noise is given
	Noise          *tensor.Tensor // standard normals of the loss's own shape, to repeat or compare a result
	Batch          int            // trajectories that a loss draws from its own policy where it is given no samples
	ExplorationStd float64        // added in variance to the forward policy; a negative value counts as 0
	Exploration    *tensor.Tensor // in place of ExplorationStd: one number, at least 0, that a recorded step reads anew, as of a schedule
}

// Loss is what training minimises.
//
// The steps of a loss of one's own are: draw paths or take samples back, score them with both policies, and compare the scores with the reward.
// With w the [Trajectories.LogWeights], trajectory balance is the mean of (log Z − w)² and log variance the variance of w; both are written out
// in examples/trajectorybalance. Detailed and subtrajectory balance use the steps' own entries of LogPF and LogPB.
type Loss interface {
	nn.Module
	// Loss returns the loss of samples (B, d), recorded on the tape. For nil samples a loss that can draws o.Batch trajectories from its own
	// policy instead; others return an error. A loss that needs no reward ignores env.
	Loss(tape *autograd.Tape, env Env, samples *tensor.Tensor, o Options) (*autograd.Var, error)
}

// Reduction says how per-sample losses become one.
type Reduction int

// The reductions. The zero value is the mean.
const (
	Mean Reduction = iota
	Sum
	None
)

var reductionNames = [...]string{"mean", "sum", "none"}

// String returns the reduction's name.
func (r Reduction) String() string {
	if r < 0 || int(r) >= len(reductionNames) {
		return "unknown"
	}
	return reductionNames[r]
}

// ParseReduction returns the reduction of that name. Another name is an error.
func ParseReduction(name string) (Reduction, error) {
	for i, n := range reductionNames {
		if n == name {
			return Reduction(i), nil
		}
	}
	return 0, fmt.Errorf("gflownet: unknown reduction %q; want %s", name, strings.Join(reductionNames[:], ", "))
}

// Apply reduces per-sample losses (B).
func (r Reduction) Apply(losses *autograd.Var) *autograd.Var {
	switch r {
	case Mean:
		return autograd.Mean(losses)
	case Sum:
		return autograd.Sum(losses)
	}
	return losses
}
