package autograd_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/expr"
)

// Every instruction that has a derivative is checked to second order, those too that nobody has written a case for.
func TestEveryInstructionHasTheDerivativeOfItsRule(t *testing.T) {
	s := newStream(t)
	checked := 0
	for _, op := range backend.MapOps() {
		if !op.Accepts(backend.Float64) || op.Accepts(backend.Bool) || op.Compares() || op.Arity() > 2 {
			continue
		}
		f := expr.Of(op)
		if f.Grad(0, 0) == nil {
			continue // the integers near a number do not change with it
		}
		t.Run(op.String(), func(t *testing.T) {
			inputs := tensors{sample(s, 0.3, 0.7, 5), sample(s, 0.8, 1.3, 5)}[:op.Arity()]
			apply := func(xs vars) *autograd.Var { return autograd.Apply(f, xs...) }
			require.NoError(t, autograd.CheckGrad(apply, inputs...))
			require.NoError(t, autograd.CheckGradGrad(apply, inputs...))
		})
		checked++
	}
	require.Greater(t, checked, 20)
}
