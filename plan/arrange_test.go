package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/plan"
	"github.com/weir-ml/weir/tensor"
)

// program is a random step on a batch of samples. It keeps what it makes in state that the next run begins with.
type program struct {
	s      *tensor.Stream
	seed   uint64
	batch  int
	rng    *tensor.RNG
	weight *tensor.Tensor   // (width, width)
	state  *tensor.Tensor   // (batch, rows, width)
	totals []*tensor.Tensor // sums over the batch
}

const (
	rows  = 6
	width = 16
)

func newProgram(s *tensor.Stream, seed uint64, batch int) *program {
	p := &program{s: s, seed: seed, batch: batch, rng: tensor.NewRNG(s, seed)}
	p.weight = p.rng.Normal(backend.Float32, width, width)
	p.state = p.rng.Normal(backend.Float32, batch, rows, width)
	for range 6 {
		p.totals = append(p.totals, tensor.Zeros(s, backend.Float32, rows, width))
	}
	return p
}

// step executes thirty operations drawn by the seed, the same in each run, on tensors of samples.
func (p *program) step(*plan.Recorder) error {
	p.s.Scope(func() {
		draw := rand.New(rand.NewPCG(p.seed, 1))
		made := []*tensor.Tensor{p.state, p.rng.Normal(backend.Float32, p.batch, rows, width)}
		pick := func() *tensor.Tensor { return made[len(made)-1-draw.IntN(min(len(made), 4))] }
		for range 30 {
			made = append(made, tensor.Clamp(p.operation(draw, pick), -4, 4))
		}
		for i, total := range p.totals {
			x := made[len(made)-1-i]
			switch i % 4 {
			case 0:
				tensor.CopyInto(total, tensor.Sum(x, 0))
			case 1:
				tensor.CopyInto(total, tensor.Sum(tensor.Mul(x, x)))
			case 2:
				tensor.CopyInto(tensor.Slice(total, 0, 0, 1), tensor.Sum(x, 0, 1))
			case 3:
				tensor.CopyInto(tensor.Slice(total, 1, 0, 1), tensor.Sum(tensor.Slice(x, 2, 0, 1), 0)) // leaves longer than a tile
			}
		}
		gradient := tensor.MatMulTo(tensor.Transpose(made[5], 1, 2), made[len(made)-1])
		tensor.CopyInto(p.weight, tensor.MulScalar(tensor.Sub(p.weight, tensor.MulScalar(gradient, 1e-3)), 0.99))
		tensor.CopyInto(p.state, made[len(made)-1])
	})
	return nil
}

func (p *program) operation(draw *rand.Rand, pick func() *tensor.Tensor) *tensor.Tensor {
	x := pick()
	switch draw.IntN(14) {
	case 0:
		return tensor.MatMul(x, p.weight)
	case 1:
		y, dy := tensor.GELUWithGrad(x)
		return tensor.Add(tensor.Mul(y, dy), pick())
	case 2:
		return tensor.CumSum(x, 1)
	case 3:
		return tensor.Concat(1, tensor.Slice(x, 1, 3, rows), tensor.Slice(pick(), 1, 0, 3))
	case 4:
		return tensor.Add(x, tensor.Sum(pick(), 0)) // meets the other samples: what follows waits for the tiles
	case 5:
		return tensor.Sub(x, tensor.Unsqueeze(tensor.Mean(pick(), 1), 1))
	case 6:
		return tensor.Flip(tensor.Sin(x), 1)
	case 7:
		return tensor.Flip(x, 0) // other samples again
	case 8:
		sorted, _ := tensor.Sort(x, 2, false)
		return sorted
	case 9:
		y := tensor.Clone(x)
		old := tensor.Tanh(y)
		tensor.CopyInto(tensor.Select(y, 1, 2), tensor.Select(pick(), 1, 0))
		return tensor.Sub(tensor.Tanh(y), old)
	case 10:
		return tensor.Where(tensor.Less(x, pick()), x, tensor.Exp(tensor.Clamp(pick(), -1, 1)))
	case 11:
		return tensor.Mul(x, p.rng.Uniform(backend.Float32, p.batch, 1, width))
	case 12:
		order := tensor.Mul(tensor.Arange(p.s, backend.Int64, rows), tensor.FromSlice(p.s, []int64{1, 1, 1, 1, 1, 1}, rows))
		return tensor.Take(x, 1, order)
	default:
		return tensor.Mul(tensor.Tanh(x), tensor.FromSlice(p.s, []float32{0.5}, 1))
	}
}

// results returns all that a run leaves behind.
func (p *program) results(t testing.TB) [][]float32 {
	var all [][]float32
	for _, x := range append([]*tensor.Tensor{p.weight, p.state}, p.totals...) {
		values, err := tensor.ToSlice[float32](x)
		require.NoError(t, err)
		all = append(all, values)
	}
	return all
}

func TestArrangedProgramsGiveTheBitsOfEagerOnes(t *testing.T) {
	tiled := 0
	for _, batch := range []int{2, 37, 500} {
		for seed := range uint64(40) {
			eager, recorded := newProgram(newStream(t), seed, batch), newProgram(newStream(t), seed, batch)
			var p *plan.Plan
			for run := range 3 {
				require.NoError(t, eager.step(nil))
				var err error
				if p == nil {
					p, err = plan.Record(recorded.s, recorded.step)
				} else {
					err = p.Run()
				}
				require.NoError(t, err)
				require.Equal(t, eager.results(t), recorded.results(t), fmt.Sprintf("batch %d, seed %d, run %d", batch, seed, run))
			}
			for _, c := range p.Commands() {
				if c.Op == backend.Repeat && len(c.Loop.Body) >= 5 && len(c.Loop.Sums) > 0 {
					tiled++
				}
			}
			p.Close()
		}
	}
	require.Greater(t, tiled, 20, "programs of which a good part runs in tiles")
}

// Many small commands that follow each other, then a few large ones: what suits the one part does not suit the other.
func TestPartsOfAStepHaveTilesOfTheirOwnSize(t *testing.T) {
	const batch, times, width = 256, 64, 64
	var results [2][]float32
	for i, record := range []bool{false, true} {
		s := newStream(t)
		rng := tensor.NewRNG(s, 5)
		weight, start := rng.Normal(backend.Float32, width, width), rng.Normal(backend.Float32, batch, 1, width)
		total := tensor.Zeros(s, backend.Float32, times, width)
		step := func(*plan.Recorder) error {
			s.Scope(func() {
				states := []*tensor.Tensor{start}
				for len(states) < times {
					states = append(states, tensor.Tanh(tensor.MatMul(states[len(states)-1], weight)))
				}
				x := tensor.Concat(1, states...)
				for range 3 {
					x = tensor.GELU(tensor.MatMul(x, weight))
				}
				tensor.CopyInto(total, tensor.Sum(x, 0))
			})
			return nil
		}
		if !record {
			require.NoError(t, step(nil))
		} else {
			p, err := plan.Record(s, step)
			require.NoError(t, err)
			defer p.Close()
			counts := loopCounts(p)
			require.Greater(t, slices.Max(counts), slices.Min(counts), "tiles of different sizes: %v", counts)
		}
		values, err := tensor.ToSlice[float32](total)
		require.NoError(t, err)
		results[i] = values
	}
	require.Equal(t, results[0], results[1])
}

// loopCounts returns how often each loop of the plan goes round.
func loopCounts(p *plan.Plan) (counts []int) {
	for _, c := range p.Commands() {
		if c.Op == backend.Repeat {
			counts = append(counts, c.Loop.Iterations())
		}
	}
	return counts
}
