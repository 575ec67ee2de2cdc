package tensor_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// words returns the first n words of a seed from a block on.
func words(seed, offset uint64, n int) []uint32 {
	var all []uint32
	for ; len(all) < n; offset++ {
		block := backend.Philox4x32(seed, offset)
		all = append(all, block[:]...)
	}
	return all[:n]
}

func TestDrawsAreWhatTheContractSays(t *testing.T) {
	s := newStream(t)
	const seed, n = 0xdeadbeefcafe, 11
	rng := tensor.NewRNG(s, seed)
	offset := uint64(0)
	draw := func(x *tensor.Tensor, wordsEach int, want func(w []uint32, i int) float64, rtol float64) {
		w := words(seed, offset, (n*wordsEach+3)/4*4+4)
		requireClose(t, fill([]int{n}, func(i []int) float64 { return want(w, i[0]) }), x, rtol)
		offset += uint64((n*wordsEach + 3) / 4)
		state, err := rng.State()
		require.NoError(t, err)
		require.Equal(t, tensor.RNGState{Seed: seed, Offset: offset}, state)
	}
	draw(rng.Uniform(backend.Float32, n), 1, func(w []uint32, i int) float64 { return float64(w[i]>>8) * 0x1p-24 }, 0)
	draw(rng.Uniform(backend.Float64, n), 2, func(w []uint32, i int) float64 {
		return (float64(w[2*i]>>5)*0x1p26 + float64(w[2*i+1]>>6)) * 0x1p-53
	}, 0)
	draw(rng.Bits(backend.Int32, n), 1, func(w []uint32, i int) float64 { return float64(int32(w[i])) }, 0)
	draw(rng.Bits(backend.Uint8, n), 1, func(w []uint32, i int) float64 { return float64(uint8(w[i])) }, 0)
	draw(rng.Normal(backend.Float32, n), 1, func(w []uint32, i int) float64 {
		radius := math.Sqrt(-2 * math.Log((float64(w[i&^1])+0.5)*0x1p-32))
		sin, cos := math.Sincos(2 * math.Pi * float64(w[i|1]) * 0x1p-32)
		return radius * []float64{cos, sin}[i&1]
	}, 3e-6)
}

func TestDrawsDoNotDependOnWorkers(t *testing.T) {
	var want []float64
	for _, workers := range []int{1, 2} {
		s := newStreamOf(t, newDevice(t, backend.Options{Workers: workers}))
		rng := tensor.NewRNG(s, 7)
		got := read(t, rng.Uniform(backend.Float32, 3, 1111))
		got = append(got, read(t, rng.Normal(backend.Float64, 40_001))...)
		got = append(got, read(t, rng.Categorical([]float64{1, 2, 3}, 5000))...)
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
	}
}

func TestNormalMoments(t *testing.T) {
	rng := tensor.NewRNG(newStream(t), 3)
	const n = 50_000
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		moments := [5]float64{}
		for _, x := range read(t, rng.Normal(d, n)) {
			for k := range moments {
				moments[k] += math.Pow(x, float64(k)) / n
			}
		}
		for k, want := range []float64{1, 0, 1, 0, 3} {
			require.InDelta(t, want, moments[k], 0.12, "moment %d of %v", k, d)
		}
	}
}

func TestStateRestoresTheSequence(t *testing.T) {
	s := newStream(t)
	rng := tensor.NewRNG(s, 5)
	rng.Normal(backend.Float32, 10)
	state, err := rng.State()
	require.NoError(t, err)
	first := read(t, rng.Normal(backend.Float32, 10))
	rng.SetState(state)
	require.Equal(t, first, read(t, rng.Normal(backend.Float32, 10)))
	other := tensor.NewRNG(s, 0)
	other.SetState(state)
	require.Equal(t, first, read(t, other.Normal(backend.Float32, 10)))
	require.NotEqual(t, first, read(t, other.Normal(backend.Float32, 10)))
}

func TestCategoricalFrequencies(t *testing.T) {
	rng := tensor.NewRNG(newStream(t), 11)
	const n = 40_000
	for _, weights := range [][]float64{{1}, {1, 1}, {0, 3, 1, 0, 4, 0}, {1e-300, 2e-300}} {
		total := 0.0
		for _, w := range weights {
			total += w
		}
		counts := make([]float64, len(weights))
		picked, err := tensor.ToSlice[int64](rng.Categorical(weights, n))
		require.NoError(t, err)
		for _, i := range picked {
			counts[i]++
		}
		for i, w := range weights {
			p := w / total
			require.InDelta(t, n*p, counts[i], 5*math.Sqrt(n*p*(1-p)), "weight %d of %v", i, weights)
		}
	}
	require.Equal(t, []int{0}, rng.Categorical([]float64{1, 2}, 0).Shape())
}

func TestDrawsOfNothingDoNotAdvance(t *testing.T) {
	rng := tensor.NewRNG(newStream(t), 1)
	require.Zero(t, rng.Uniform(backend.Float32, 3, 0).Len())
	state, err := rng.State()
	require.NoError(t, err)
	require.Zero(t, state.Offset)
}
