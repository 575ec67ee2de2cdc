package diffusion

import (
	"context"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/tensor"
)

// Draw returns n samples of the sampler's terminal states, row by row; see [Sampler.DrawEach]. Its errors are the same.
func (s *Sampler) Draw(ctx context.Context, rng *tensor.RNG, n, batch int) ([]float64, error) {
	samples := make([]float64, 0, max(n, 0)*s.PF.Dim())
	err := s.DrawEach(ctx, rng, n, batch, func(rows []float64) error {
		samples = append(samples, rows...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return samples, nil
}

// DrawEach draws n samples of the sampler's terminal states and hands them to each, row by row, a batch at a time: only one batch is held in memory.
// The samples do not depend on the size of the batches, to the bit, and are those that [Sampler.Forward] ends at from the same place of the generator.
// It ends early with each's error or, between two commands, with that of ctx. A negative n, and a batch below 1, are errors.
func (s *Sampler) DrawEach(ctx context.Context, rng *tensor.RNG, n, batch int, each func(rows []float64) error) error {
	return inBatches(ctx, rng.Stream(), n, batch, func(_ *autograd.Tape, lo, hi int) *tensor.Tensor { return s.terminals(rng, hi-lo) }, each)
}

// terminals returns the states (n, d) that n paths end at, without keeping the paths.
func (s *Sampler) terminals(rng *tensor.RNG, n int) *tensor.Tensor {
	f, stream := s.PF, rng.Stream()
	noise := pathNoise(rng, f.DType(), n, f.NumSteps, f.dim)
	x := tensor.Zeros(stream, f.DType(), n, 1, f.dim)
	for i := range s.steps() {
		stream.Scope(func() {
			next, _ := f.step(autograd.NewInference(stream).Const(x), tensor.Slice(noise, 1, i, i+1), i)
			tensor.CopyInto(x, next.Value())
		})
	}
	return tensor.Squeeze(x, 1)
}
