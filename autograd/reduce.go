package autograd

import (
	"math"

	"github.com/weir-ml/weir/tensor"
)

// Sum returns the sum over axes, all of them if none are given; the axes are removed.
func Sum(x *Var, axes ...int) *Var {
	return record(tensor.Sum(x.value, axes...), into(x, func(g *Var) *Var { return spread(g, x, axes) }))
}

// SumTo returns x summed to a shape that broadcasts to x's.
func SumTo(x *Var, shape ...int) *Var {
	return record(tensor.SumTo(x.value, shape...), into(x, func(g *Var) *Var { return Broadcast(g, x.Shape()...) }))
}

// Mean returns the mean over axes, all of them if none are given; the axes are removed.
func Mean(x *Var, axes ...int) *Var {
	sum := Sum(x, axes...)
	return DivScalar(sum, float64(x.value.Len())/float64(max(sum.value.Len(), 1)))
}

// Max returns the greatest element over axes, all of them if none are given; the axes are removed.
func Max(x *Var, axes ...int) *Var { return extreme(x, tensor.Max(x.value, axes...), axes) }

// Min returns the least element over axes, all of them if none are given; the axes are removed.
func Min(x *Var, axes ...int) *Var { return extreme(x, tensor.Min(x.value, axes...), axes) }

// extreme records y, the greatest or least element of x over axes; elements that tie share the gradient.
func extreme(x *Var, y *tensor.Tensor, axes []int) *Var {
	return record(y, into(x, func(g *Var) *Var {
		ties := tensor.Equal(x.value, spread(x.tape.Const(y), x, axes).value)
		count := tensor.Sum(tensor.Cast(ties, y.DType()), axes...)
		return Where(ties, spread(Div(g, x.tape.Const(count)), x, axes), g.like(0))
	}))
}

// LogSumExp returns ln Σ eˣ over axes, all of them if none are given; the axes are removed. Where it is −Inf the gradient is 0, and where it
// is NaN so is the gradient.
func LogSumExp(x *Var, axes ...int) *Var {
	var y *Var
	y = record(tensor.LogSumExp(x.value, axes...), into(x, func(g *Var) *Var {
		nothing := tensor.EqualScalar(y.value, math.Inf(-1)) // −Inf − −Inf is NaN
		return Mul(spread(g, x, axes), Exp(Sub(x, spread(Where(nothing, y.like(0), y), x, axes))))
	}))
	return y
}

// CumSum returns the running sum along an axis.
func CumSum(x *Var, axis int) *Var {
	return record(tensor.CumSum(x.value, axis), into(x, func(g *Var) *Var {
		return Flip(CumSum(Flip(g, axis), axis), axis)
	}))
}

// spread returns g, whose axes were removed, stretched back over them to the shape of x.
func spread(g, x *Var, axes []int) *Var {
	kept := append([]int(nil), x.Shape()...)
	for _, a := range axes {
		if a < 0 {
			a += len(kept)
		}
		kept[a] = 1
	}
	if len(axes) == 0 {
		for i := range kept {
			kept[i] = 1
		}
	}
	return Broadcast(Reshape(g, kept...), x.Shape()...)
}
