package nn_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/tensor"
)

func newStream(t testing.TB) *tensor.Stream {
	t.Helper()
	dev, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s, err := dev.NewStream()
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, dev.Close())
	})
	return s
}

func read(t testing.TB, x *tensor.Tensor) []float64 {
	t.Helper()
	values, err := x.Float64s()
	require.NoError(t, err)
	return values
}

func TestLinearStartsUniformWithinItsBound(t *testing.T) {
	rng := tensor.NewRNG(newStream(t), 1)
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		const in, out = 100, 200
		layer := nn.NewLinear(rng, d, in, out)
		require.Equal(t, []int{out, in}, layer.Weight.Shape())
		require.Equal(t, []int{out}, layer.Bias.Shape())
		require.Equal(t, d, layer.Weight.DType())
		const bound = 0.1 // 1/√100
		for _, p := range layer.Params() {
			values := read(t, p.Value)
			n := float64(len(values))
			var eighths [8]float64
			for _, v := range values {
				require.True(t, v >= -bound && v <= bound, "%v", v)
				eighths[min(int((v+bound)/bound*4), 7)]++
			}
			for i, count := range eighths {
				require.InDelta(t, n/8, count, 5*math.Sqrt(n*7/64), "eighth %d of the range of %s", i, p.Name)
			}
		}
	}
}

func TestLinearWithoutInputsIsItsBias(t *testing.T) {
	s := newStream(t)
	layer := nn.NewLinear(tensor.NewRNG(s, 1), backend.Float32, 0, 2)
	y := layer.Forward(autograd.NewInference(s).Const(tensor.Zeros(s, backend.Float32, 3, 0)))
	require.Equal(t, make([]float64, 6), read(t, y.Value()))
}

func TestLinearsDrawDifferentNumbers(t *testing.T) {
	s := newStream(t)
	rng := tensor.NewRNG(s, 1)
	first, second := nn.NewLinear(rng, backend.Float32, 4, 4), nn.NewLinear(rng, backend.Float32, 4, 4)
	require.NotEqual(t, read(t, first.Weight), read(t, second.Weight))
	again := nn.NewLinear(tensor.NewRNG(s, 1), backend.Float32, 4, 4)
	require.Equal(t, read(t, first.Weight), read(t, again.Weight))
}

func TestLinearForwardMatchesLoops(t *testing.T) {
	s := newStream(t)
	rng := tensor.NewRNG(s, 2)
	layer := nn.NewLinear(rng, backend.Float64, 3, 2)
	w, b := read(t, layer.Weight), read(t, layer.Bias)
	for _, lead := range [][]int{nil, {4}, {2, 3}} {
		x := rng.Normal(backend.Float64, append(append([]int(nil), lead...), 3)...)
		values := read(t, x)
		var want []float64
		for row := 0; row < len(values); row += 3 {
			for o := range 2 {
				sum := b[o]
				for i := range 3 {
					sum += values[row+i] * w[o*3+i]
				}
				want = append(want, sum)
			}
		}
		tape := autograd.NewTape(s)
		y := layer.Forward(tape.Const(x))
		require.Equal(t, append(append([]int{}, lead...), 2), y.Shape())
		require.InDeltaSlice(t, want, read(t, y.Value()), 1e-14)
		grads := autograd.Backward(autograd.Sum(y))
		require.Equal(t, []float64{float64(len(want) / 2), float64(len(want) / 2)}, read(t, grads.Of(layer.Bias)))
	}
}

func TestPrefixAndCount(t *testing.T) {
	s := newStream(t)
	layer := nn.NewLinear(tensor.NewRNG(s, 1), backend.Float32, 3, 2)
	named := nn.Prefix("net.0", layer.Params())
	require.Equal(t, []nn.Param{{Name: "net.0.weight", Value: layer.Weight}, {Name: "net.0.bias", Value: layer.Bias}}, named)
	require.Equal(t, "weight", layer.Params()[0].Name, "the given names stay")
	require.Equal(t, 8, nn.Count(named))
	require.Zero(t, nn.Count(nil))
}

func TestCopyCastsAndIgnoresTheOrder(t *testing.T) {
	s := newStream(t)
	dst := nn.NewLinear(tensor.NewRNG(s, 1), backend.Float32, 3, 2)
	src := nn.NewLinear(tensor.NewRNG(s, 2), backend.Float64, 3, 2)
	params := src.Params()
	require.NoError(t, nn.Copy(dst.Params(), []nn.Param{params[1], params[0]}))
	require.Equal(t, read(t, tensor.Cast(src.Weight, backend.Float32)), read(t, dst.Weight))
	require.Equal(t, read(t, tensor.Cast(src.Bias, backend.Float32)), read(t, dst.Bias))
	before := read(t, dst.Weight)
	require.NoError(t, nn.Copy(dst.Params(), dst.Params()))
	require.Equal(t, before, read(t, dst.Weight))
}

func TestCopyOverwritesAllOrNothing(t *testing.T) {
	s := newStream(t)
	one := func(shape ...int) *tensor.Tensor { return tensor.Ones(s, backend.Float32, shape...) }
	foreign := tensor.Ones(newStream(t), backend.Float32, 3)
	for _, c := range []struct {
		src  []nn.Param
		want string
	}{
		{[]nn.Param{{Name: "a", Value: one(2)}}, "nn: b is missing"},
		{[]nn.Param{{Name: "a", Value: one(2)}, {Name: "b", Value: one(4)}}, "nn: b has shape [4]; want [3]"},
		{[]nn.Param{{Name: "a", Value: one(2)}, {Name: "b", Value: one(3, 1)}}, "nn: b has shape [3 1]; want [3]"},
		{[]nn.Param{{Name: "a", Value: one(2)}, {Name: "b", Value: one(3)}, {Name: "c", Value: one()}}, "nn: c is not a parameter here"},
		{[]nn.Param{{Name: "a", Value: one(2)}, {Name: "b", Value: one(3)}, {Name: "a", Value: one(2)}}, "nn: a is given twice"},
		{[]nn.Param{{Name: "a", Value: one(2)}, {Name: "b", Value: foreign}},
			"nn: b belongs to another stream; want one of the same stream, or a frozen one"},
	} {
		dst := []nn.Param{{Name: "a", Value: tensor.Zeros(s, backend.Float32, 2)}, {Name: "b", Value: tensor.Zeros(s, backend.Float32, 3)}}
		require.EqualError(t, nn.Copy(dst, c.src), c.want)
		for _, p := range dst {
			require.Equal(t, make([]float64, p.Value.Len()), read(t, p.Value), "%s after %q", p.Name, c.want)
		}
	}
}

func TestCopyReadsFrozenTensorsAndWritesNone(t *testing.T) {
	s := newStream(t)
	frozen := nn.NewLinear(tensor.NewRNG(s, 1), backend.Float32, 3, 2)
	for _, p := range frozen.Params() {
		require.NoError(t, p.Value.Freeze())
	}
	layer := nn.NewLinear(tensor.NewRNG(s, 2), backend.Float32, 3, 2)
	require.EqualError(t, nn.Copy(frozen.Params(), layer.Params()), "nn: weight is frozen; want a tensor that can be written")
	require.NoError(t, nn.Copy(layer.Params(), frozen.Params()))
	require.Equal(t, read(t, s.Use(frozen.Weight)), read(t, layer.Weight))
}
