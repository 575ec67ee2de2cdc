package bench

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/gflownet/mle"
	"github.com/weir-ml/weir/tensor"
)

// StepSize is a training step of maximum likelihood by what decides its cost.
type StepSize struct {
	Batch  int // samples, B
	Steps  int // of the process, T
	Dim    int // of the states, d
	Hidden int // width of the layers, h
	Layers int // after the embeddings, L

	LearnMean bool // of the backward policy; else it is the fixed bridge
}

// StepEmbedding is the width of the embeddings of time and state, whatever the hidden layers have.
const StepEmbedding = 64

// String returns the name by which steps are known, here and to the peers: B500_T100_d2_h64_L2, with _pb_mean at the end if the backward mean is learned.
func (z StepSize) String() string {
	name := fmt.Sprintf("B%d_T%d_d%d_h%d_L%d", z.Batch, z.Steps, z.Dim, z.Hidden, z.Layers)
	if z.LearnMean {
		name += "_pb_mean"
	}
	return name
}

// Flops returns the operations in the matrix products of a step. Forward, a layer is one product; backward it is two, but the one that would lead to the
// states only where they have a gradient. Products thinner than 16 are left out, as they wait for memory and not for arithmetic, and the embedding
// of time, which has a row a step and not a row a state.
func (z StepSize) Flops() float64 { return z.ForwardFlops() + z.BackwardFlops() }

// ForwardFlops returns those of the loss alone.
func (z StepSize) ForwardFlops() float64 {
	macs := float64(z.layers())
	if z.Dim >= 16 {
		macs += float64(z.Hidden*z.Dim + z.Dim*StepEmbedding)
	}
	return 2 * macs * z.passes()
}

// BackwardFlops returns those of the gradients alone.
func (z StepSize) BackwardFlops() float64 {
	macs := 2 * float64(z.layers())
	if z.Dim >= 16 {
		macs += float64(2*z.Hidden*z.Dim + z.Dim*StepEmbedding)
	}
	flops := 2 * macs * z.passes()
	if z.LearnMean && z.Dim >= 16 { // the gradient reaches the states
		flops += 2 * 2 * float64(z.Dim*StepEmbedding) * float64(z.Batch*z.Steps)
	}
	return flops
}

// layers returns the multiply-adds of the hidden layers for a state.
func (z StepSize) layers() int { return StepEmbedding*z.Hidden + (z.Layers-1)*z.Hidden*z.Hidden }

// passes returns how many states go through a network: the backward policy has one of its own if it is learned.
func (z StepSize) passes() float64 {
	n := float64(z.Batch * z.Steps)
	if z.LearnMean {
		n *= 2
	}
	return n
}

// GELUs returns how many values of GELU, each with its derivative, a step computes.
func (z StepSize) GELUs() float64 { return z.passes() * float64(StepEmbedding+z.Layers*z.Hidden) }

// process is that of the default target.
func (z StepSize) process() diffusion.Process {
	return diffusion.Process{NumSteps: z.Steps, Sigma: 4.47, TScale: 1}
}

// loss returns the loss of that size, with fresh weights.
func (z StepSize) loss(rng *tensor.RNG, d backend.DType) (*mle.MLE, error) {
	net := diffusion.NetConfig{Harmonics: 64, Embed: StepEmbedding, Hidden: z.Hidden, JointLayers: z.Layers}
	pf, err := diffusion.NewForward(rng, d, z.Dim, z.process(), diffusion.PolicyConfig{Net: net})
	if err != nil {
		return nil, err
	}
	if !z.LearnMean {
		return mle.New(pf, nil)
	}
	pb, err := diffusion.NewBackward(rng, d, z.Dim, z.process(), diffusion.PolicyConfig{Net: net, ScaleRange: 0.1})
	if err != nil {
		return nil, err
	}
	return mle.New(pf, pb)
}
