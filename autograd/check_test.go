package autograd_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// slanted is x², but its rule claims 2.01·x: the part that the tape does not see makes up the difference.
func slanted(x *autograd.Var) *autograd.Var {
	return autograd.Sub(autograd.MulScalar(square(x), 1.005), autograd.MulScalar(square(x), 0.005).Detach())
}

func TestChecksCatchAWrongRule(t *testing.T) {
	s := newStream(t)
	x := vector(s, 2, -1)
	err := autograd.CheckGrad(func(xs vars) *autograd.Var { return autograd.Sum(slanted(xs[0])) }, x)
	require.ErrorContains(t, err, "autograd: derivative by element 0 of input 0 is ")
	require.ErrorContains(t, err, "; central differences give ")
	require.NoError(t, autograd.Check{Rtol: 0.01}.CheckGrad(func(xs vars) *autograd.Var { return slanted(xs[0]) }, x))
}

// cube is x³ with the right derivative, 3x², whose own derivative the tape does not see.
func cube(x *autograd.Var) *autograd.Var {
	tangent := autograd.Mul(autograd.MulScalar(square(x), 3).Detach(), x)
	return autograd.Sub(tangent, autograd.MulScalar(autograd.PowScalar(x, 3), 2).Detach())
}

func TestChecksCatchAWrongSecondDerivative(t *testing.T) {
	s := newStream(t)
	f := func(xs vars) *autograd.Var { return cube(xs[0]) }
	require.NoError(t, autograd.CheckGrad(f, vector(s, 2, -1)))
	require.ErrorContains(t, autograd.CheckGradGrad(f, vector(s, 2, -1)), "is 0; central differences give")
}

func TestChecksCatchTheSecondInput(t *testing.T) {
	s := newStream(t)
	err := autograd.CheckGrad(func(xs vars) *autograd.Var { return autograd.Mul(xs[0], xs[1].Detach()) }, vector(s, 2), vector(s, 3))
	require.ErrorContains(t, err, "by element 0 of input 1 is 0;")
}

func TestChecksCatchNaN(t *testing.T) {
	s := newStream(t)
	require.Error(t, autograd.CheckGrad(func(xs vars) *autograd.Var { return autograd.Log(xs[0]) }, vector(s, -1)))
}

func TestChecksWantFloat64(t *testing.T) {
	s := newStream(t)
	err := autograd.CheckGrad(func(xs vars) *autograd.Var { return xs[0] }, tensor.Ones(s, backend.Float32, 2))
	require.EqualError(t, err, "tensor: check gradient(float32(2)): wants float64 inputs")
	err = autograd.CheckGrad(func(xs vars) *autograd.Var { return xs[0] })
	require.EqualError(t, err, "tensor: check gradient: wants at least one input")
	var misuse *tensor.Error
	require.True(t, errors.As(err, &misuse))
}

func TestChecksLeaveTheInputsAlone(t *testing.T) {
	s := newStream(t)
	x := vector(s, 1, 2)
	require.NoError(t, autograd.CheckGradGrad(func(xs vars) *autograd.Var { return autograd.Exp(xs[0]) }, x))
	require.Equal(t, []float64{1, 2}, read(t, x))
}
