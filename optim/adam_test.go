package optim_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	_ "github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/nn"
	"github.com/weir-ml/weir/optim"
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

func newParams(s *tensor.Stream, d backend.DType) []nn.Param {
	rng := tensor.NewRNG(s, 9)
	return []nn.Param{{Name: "a", Value: rng.Normal(d, 3, 2)}, {Name: "b", Value: rng.Normal(d)}, {Name: "unused", Value: rng.Normal(d, 2)}}
}

// step takes one step down Σ a⁴ + sin(Σa·b), which does not depend on the third parameter.
func step(s *tensor.Stream, adam *optim.Adam, params []nn.Param) {
	s.Scope(func() {
		tape := autograd.NewTape(s)
		a, b := tape.Leaf(params[0].Value), tape.Leaf(params[1].Value)
		loss := autograd.Add(autograd.Sum(autograd.PowScalar(a, 4)), autograd.Sin(autograd.Mul(autograd.Sum(a), b)))
		adam.Step(autograd.Backward(loss))
	})
}

// plainAdam is Adam on numbers, with the gradient of the loss above by hand.
type plainAdam struct {
	a, b             []float64
	mean, square     []float64 // of a, then of b
	beta1, beta2, lr float64
	eps              float64
	t                int
}

func (p *plainAdam) step() {
	sum := 0.0
	for _, x := range p.a {
		sum += x
	}
	slope := math.Cos(sum * p.b[0])
	var grads []float64
	for _, x := range p.a {
		grads = append(grads, 4*x*x*x+slope*p.b[0])
	}
	grads = append(grads, slope*sum)
	p.t++
	for i, g := range grads {
		p.mean[i] = p.beta1*p.mean[i] + (1-p.beta1)*g
		p.square[i] = p.beta2*p.square[i] + (1-p.beta2)*g*g
		mean := p.mean[i] / (1 - math.Pow(p.beta1, float64(p.t)))
		square := p.square[i] / (1 - math.Pow(p.beta2, float64(p.t)))
		change := p.lr * mean / (math.Sqrt(square) + p.eps)
		if i < len(p.a) {
			p.a[i] -= change
		} else {
			p.b[0] -= change
		}
	}
}

func TestAdamMatchesTheFormula(t *testing.T) {
	for _, c := range []struct {
		dtype  backend.DType
		config optim.AdamConfig
		within float64
	}{
		{backend.Float64, optim.AdamConfig{}, 1e-13},
		{backend.Float64, optim.AdamConfig{LR: 0.05, Beta1: 0.8, Beta2: 0.95, Eps: 1e-3}, 1e-12},
		{backend.Float32, optim.AdamConfig{}, 2e-6},
		{backend.Float32, optim.AdamConfig{LR: 0.05, Beta1: 0.8, Beta2: 0.95, Eps: 1e-3}, 2e-5},
	} {
		s := newStream(t)
		params := newParams(s, c.dtype)
		adam, err := optim.NewAdam(params, c.config)
		require.NoError(t, err)
		want := plainAdam{a: read(t, params[0].Value), b: read(t, params[1].Value), mean: make([]float64, 7), square: make([]float64, 7),
			beta1: 0.9, beta2: 0.999, lr: 1e-3, eps: 1e-8}
		if c.config.LR != 0 {
			want.lr, want.beta1, want.beta2, want.eps = c.config.LR, c.config.Beta1, c.config.Beta2, c.config.Eps
		}
		unused := read(t, params[2].Value)
		for i := range 20 {
			if i == 10 {
				want.lr /= 4
				adam.SetLR(want.lr)
			}
			step(s, adam, params)
			want.step()
			require.InDeltaSlice(t, want.a, read(t, params[0].Value), c.within, "step %d", i)
			require.InDeltaSlice(t, want.b, read(t, params[1].Value), c.within, "step %d", i)
		}
		require.Equal(t, unused, read(t, params[2].Value), "no gradient, no change")
		state := adam.State()
		require.Equal(t, "step", state[0].Name)
		require.Equal(t, []float64{20}, read(t, state[0].Value))
		require.Equal(t, "exp_avg.a", state[1].Name)
		require.InDeltaSlice(t, want.mean[:6], read(t, state[1].Value), 100*c.within)
		require.Equal(t, "exp_avg_sq.b", state[4].Name)
		require.InDeltaSlice(t, want.square[6:], read(t, state[4].Value), 100*c.within)
	}
}

func TestARestoredStateContinuesBitForBit(t *testing.T) {
	s := newStream(t)
	params := newParams(s, backend.Float32)
	adam, err := optim.NewAdam(params, optim.AdamConfig{LR: 0.01})
	require.NoError(t, err)
	for range 5 {
		step(s, adam, params)
	}
	copies := newParams(s, backend.Float32)
	require.NoError(t, nn.Copy(copies, params))
	restored, err := optim.NewAdam(copies, optim.AdamConfig{LR: 0.01})
	require.NoError(t, err)
	require.NoError(t, nn.Copy(restored.State(), adam.State()))
	for range 5 {
		step(s, adam, params)
		step(s, restored, copies)
	}
	for i := range params {
		require.Equal(t, read(t, params[i].Value), read(t, copies[i].Value))
	}
}

func TestParametersAndStateOutliveTheScopeOfAStep(t *testing.T) {
	s := newStream(t)
	params := newParams(s, backend.Float32)
	adam, err := optim.NewAdam(params, optim.AdamConfig{})
	require.NoError(t, err)
	s.Scope(func() { step(s, adam, params) })
	for _, p := range append(adam.State(), params...) {
		require.NotContains(t, p.Value.String(), "released", p.Name)
	}
}

func TestBadSettingsSayWhatIsWanted(t *testing.T) {
	dev, err := tensor.Open("cpu", backend.Options{})
	require.NoError(t, err)
	s := newStream(t)
	other, err := dev.NewStream()
	require.NoError(t, err)
	good := []nn.Param{{Name: "w", Value: tensor.Ones(s, backend.Float32, 2)}}
	frozen := tensor.Ones(s, backend.Float32)
	require.NoError(t, frozen.Freeze())
	for _, c := range []struct {
		params []nn.Param
		config optim.AdamConfig
		want   string
	}{
		{good, optim.AdamConfig{LR: -1}, "optim: adam: learning rate is -1; want a finite number above 0, or 0 for the default"},
		{good, optim.AdamConfig{LR: math.NaN()}, "optim: adam: learning rate is NaN; want a finite number above 0, or 0 for the default"},
		{good, optim.AdamConfig{LR: math.Inf(1)}, "optim: adam: learning rate is +Inf; want a finite number above 0, or 0 for the default"},
		{good, optim.AdamConfig{Beta1: 1}, "optim: adam: beta1 is 1; want a number above 0 and below 1, or 0 for the default"},
		{good, optim.AdamConfig{Beta2: -0.1}, "optim: adam: beta2 is -0.1; want a number above 0 and below 1, or 0 for the default"},
		{good, optim.AdamConfig{Eps: math.NaN()}, "optim: adam: eps is NaN; want a finite number above 0, or 0 for the default"},
		{nil, optim.AdamConfig{}, "optim: adam: no parameters to train"},
		{[]nn.Param{{Name: "n", Value: tensor.Ones(s, backend.Int64)}}, optim.AdamConfig{}, "optim: adam: n is int64; want float32 or float64"},
		{[]nn.Param{{Name: "h", Value: tensor.Ones(s, backend.BFloat16)}}, optim.AdamConfig{}, "optim: adam: h is bfloat16; want float32 or float64"},
		{[]nn.Param{{Name: "f", Value: frozen}}, optim.AdamConfig{}, "optim: adam: f is frozen; want a tensor that can be written"},
		{append(good[:1:1], nn.Param{Name: "v", Value: tensor.Ones(other, backend.Float32)}), optim.AdamConfig{},
			"optim: adam: v belongs to another stream than w; want one for all"},
	} {
		adam, err := optim.NewAdam(c.params, c.config)
		require.EqualError(t, err, c.want)
		require.Nil(t, adam)
	}
}

func TestSetLRTakesNoRateThatIsNegativeOrNotFinite(t *testing.T) {
	s := newStream(t)
	adam, err := optim.NewAdam(newParams(s, backend.Float64), optim.AdamConfig{})
	require.NoError(t, err)
	for lr, want := range map[float64]string{
		-1:          "tensor: adam: learning rate is -1; want a finite number of at least 0",
		math.Inf(1): "tensor: adam: learning rate is +Inf; want a finite number of at least 0",
		math.NaN():  "tensor: adam: learning rate is NaN; want a finite number of at least 0",
	} {
		var err error
		func() {
			defer tensor.Catch(&err)
			adam.SetLR(lr)
		}()
		require.EqualError(t, err, want)
	}
	adam.SetLR(0)
}
