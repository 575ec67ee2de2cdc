package diffusion

import (
	"context"
	"fmt"

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
// It ends early with each's error or, between two commands, with that of ctx.
func (s *Sampler) DrawEach(ctx context.Context, rng *tensor.RNG, n, batch int, each func(rows []float64) error) (err error) {
	defer tensor.Catch(&err)
	switch {
	case batch < 1:
		return fmt.Errorf("diffusion: batches of %d samples; want at least 1", batch)
	case n < 0:
		return fmt.Errorf("diffusion: %d samples; want at least 0", n)
	}
	stream := rng.Stream()
	for lo := 0; lo < n; lo += batch {
		var rows []float64
		err := stream.WithContext(ctx, func() (err error) {
			stream.Scope(func() { rows, err = s.terminals(rng, min(batch, n-lo)).Float64s() })
			return err
		})
		if err != nil {
			return err
		}
		if err := each(rows); err != nil {
			return err
		}
	}
	return nil
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
