package plan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
)

// One of GELU and its derivative takes the place of the product that nobody reads again; what is read once more stays.
func TestResultsTakeThePlaceOfWhatIsReadForTheLastTime(t *testing.T) {
	const batch, rows, width = 256, 32, 64
	for _, readAgain := range []bool{false, true} {
		s := newStream(t)
		rng := tensor.NewRNG(s, 3)
		weight, x := rng.Normal(backend.Float32, width, width), rng.Normal(backend.Float32, batch, rows, width)
		total := tensor.Zeros(s, backend.Float32, rows, width)
		step := func(*plan.Recorder) error {
			s.Scope(func() {
				product := tensor.MatMul(x, weight)
				y, dy := tensor.GELUWithGrad(product)
				z := tensor.Mul(tensor.MatMul(tensor.MatMul(y, weight), weight), dy)
				if readAgain {
					z = tensor.Add(tensor.MatMul(z, weight), tensor.CumSum(product, 1))
				}
				tensor.CopyInto(total, tensor.Sum(z, 0))
			})
			return nil
		}
		require.NoError(t, step(nil))
		want, err := tensor.ToSlice[float32](total)
		require.NoError(t, err)
		p, err := plan.Record(s, step)
		require.NoError(t, err)
		defer p.Close()
		got, err := tensor.ToSlice[float32](total)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, !readAgain, pairInPlace(t, p))
	}
}

// pairInPlace reports whether the one command of a tile that has two results writes one of them where it reads.
func pairInPlace(t *testing.T, p *plan.Plan) bool {
	var pairs []backend.Cmd
	for _, c := range p.Commands() {
		if c.Op != backend.Repeat {
			continue
		}
		for _, c := range c.Loop.Body {
			if c.Op == backend.Map && len(c.Dst) == 2 {
				pairs = append(pairs, c)
			}
		}
	}
	require.Len(t, pairs, 1)
	c := &pairs[0]
	first, second := c.Dst[0].SameElements(&c.Src[0]), c.Dst[1].SameElements(&c.Src[0])
	require.False(t, first && second)
	return first || second
}
