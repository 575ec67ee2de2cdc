package autograd

import (
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/expr"
	"github.com/weir-ml/weir/tensor"
)

// Tan returns the tangent of x in radians.
func Tan(x *Var) *Var { return derived(expr.Tan, tensor.Tan(x.value), x) }

// Asin returns the angle in [−π/2, π/2] whose sine is x.
func Asin(x *Var) *Var { return derived(expr.Asin, tensor.Asin(x.value), x) }

// Acos returns the angle in [0, π] whose cosine is x.
func Acos(x *Var) *Var { return derived(expr.Acos, tensor.Acos(x.value), x) }

// Atan returns the angle in [−π/2, π/2] whose tangent is x.
func Atan(x *Var) *Var { return derived(expr.Atan, tensor.Atan(x.value), x) }

// Sinh returns the hyperbolic sine.
func Sinh(x *Var) *Var { return derived(expr.Sinh, tensor.Sinh(x.value), x) }

// Cosh returns the hyperbolic cosine.
func Cosh(x *Var) *Var { return derived(expr.Cosh, tensor.Cosh(x.value), x) }

// Asinh returns the inverse hyperbolic sine.
func Asinh(x *Var) *Var { return derived(expr.Asinh, tensor.Asinh(x.value), x) }

// Acosh returns the inverse hyperbolic cosine.
func Acosh(x *Var) *Var { return derived(expr.Acosh, tensor.Acosh(x.value), x) }

// Atanh returns the inverse hyperbolic tangent.
func Atanh(x *Var) *Var { return derived(expr.Atanh, tensor.Atanh(x.value), x) }

// Exp2 returns 2ˣ.
func Exp2(x *Var) *Var { return derived(expr.Exp2, tensor.Exp2(x.value), x) }

// Log2 returns the logarithm to base 2.
func Log2(x *Var) *Var { return derived(expr.Log2, tensor.Log2(x.value), x) }

// Log10 returns the logarithm to base 10.
func Log10(x *Var) *Var { return derived(expr.Log10, tensor.Log10(x.value), x) }

// LogSigmoid returns ln(1/(1 + e⁻ˣ)).
func LogSigmoid(x *Var) *Var { return derived(expr.LogSigmoid, tensor.LogSigmoid(x.value), x) }

// ReLU returns x where it is positive, else 0.
func ReLU(x *Var) *Var { return derived(expr.ReLU, tensor.ReLU(x.value), x) }

// SiLU returns x/(1 + e⁻ˣ).
func SiLU(x *Var) *Var { return derived(expr.SiLU, tensor.SiLU(x.value), x) }

// Square returns x².
func Square(x *Var) *Var { return derived(expr.Square, tensor.Square(x.value), x) }

// Reciprocal returns 1/x.
func Reciprocal(x *Var) *Var { return derived(expr.Reciprocal, tensor.Reciprocal(x.value), x) }

// Add returns x + y. Its rule and those of Sub and Mul are no work to be fused, so they are not derived: that costs the tape less.
func Add(x, y *Var) *Var {
	return record(tensor.Add(x.value, y.value), into(x, same), into(y, same))
}

// Sub returns x − y.
func Sub(x, y *Var) *Var {
	return record(tensor.Sub(x.value, y.value), into(x, same), into(y, Neg))
}

// Mul returns x·y, element by element.
func Mul(x, y *Var) *Var {
	return record(tensor.Mul(x.value, y.value), intoBy(x, Mul, y), intoBy(y, Mul, x))
}

// Div returns x/y.
func Div(x, y *Var) *Var { return derived(expr.Div, tensor.Div(x.value, y.value), x, y) }

// Mod returns x − y·⌊x/y⌋, which has the sign of y.
func Mod(x, y *Var) *Var { return derived(expr.Mod, tensor.Mod(x.value, y.value), x, y) }

// Pow returns x to the power of y.
func Pow(x, y *Var) *Var { return derived(expr.Pow, tensor.Pow(x.value, y.value), x, y) }

// Atan2 returns the angle of the point (x, y) in [−π, π].
func Atan2(y, x *Var) *Var { return derived(expr.Atan2, tensor.Atan2(y.value, x.value), y, x) }

// Hypot returns √(x² + y²).
func Hypot(x, y *Var) *Var { return derived(expr.Hypot, tensor.Hypot(x.value, y.value), x, y) }

// Maximum returns the greater of x and y.
func Maximum(x, y *Var) *Var { return derived(expr.Maximum, tensor.Maximum(x.value, y.value), x, y) }

// Minimum returns the lesser of x and y.
func Minimum(x, y *Var) *Var { return derived(expr.Minimum, tensor.Minimum(x.value, y.value), x, y) }

// GELU returns x·Φ(x) in its exact (erf) form. The derivative is computed along with the value where gradients flow.
func GELU(x *Var) *Var {
	if !x.Differentiable() || x.tape.paused {
		return x.tape.Const(tensor.GELU(x.value))
	}
	y, dy := tensor.GELUWithGrad(x.value)
	return derivedAll(geluFunc, []*tensor.Tensor{y, dy}, []*Var{x})[0]
}

var geluFunc = expr.NewParams("gelu", 1, 0, func(x, _ []expr.Expr) []expr.Expr { return []expr.Expr{x[0].GELU(), x[0].GELUGrad()} })

// FloorDiv returns ⌊x/y⌋, a constant: its derivative is 0 wherever it has one.
func FloorDiv(x, y *Var) *Var {
	return record(tensor.FloorDiv(x.value, y.value), edge{to: x}, edge{to: y})
}

// Where returns x where cond is true, else y. No gradient, not even NaN, reaches the operand that is not taken.
func Where(cond *tensor.Tensor, x, y *Var) *Var {
	return record(tensor.Where(cond, x.value, y.value),
		into(x, func(g *Var) *Var { return Where(cond, g, g.like(0)) }),
		into(y, func(g *Var) *Var { return Where(cond, g.like(0), g) }))
}

// Clamp returns x limited to [lo, hi].
func Clamp(x *Var, lo, hi float64) *Var {
	return derived(expr.Clamp.With(lo, hi), tensor.Clamp(x.value, lo, hi), x)
}

// LeakyReLU returns x where it is positive, else slope·x.
func LeakyReLU(x *Var, slope float64) *Var {
	return derived(expr.LeakyReLU.With(slope), tensor.LeakyReLU(x.value, slope), x)
}

// ELU returns x where it is positive, else alpha·(eˣ − 1).
func ELU(x *Var, alpha float64) *Var {
	return derived(expr.ELU.With(alpha), tensor.ELU(x.value, alpha), x)
}

// AddScalar returns x + c.
func AddScalar(x *Var, c float64) *Var { return record(tensor.AddScalar(x.value, c), into(x, same)) }

// SubFrom returns c − x.
func SubFrom(c float64, x *Var) *Var { return record(tensor.SubFrom(c, x.value), into(x, Neg)) }

// MulScalar returns c·x.
func MulScalar(x *Var, c float64) *Var {
	return record(tensor.MulScalar(x.value, c), into(x, func(g *Var) *Var { return MulScalar(g, c) }))
}

// DivScalar returns x/c.
func DivScalar(x *Var, c float64) *Var {
	return record(tensor.DivScalar(x.value, c), into(x, func(g *Var) *Var { return DivScalar(g, c) }))
}

// DivFrom returns c/x.
func DivFrom(c float64, x *Var) *Var {
	return derived(expr.DivFrom.With(c), tensor.DivFrom(c, x.value), x)
}

// ModScalar returns x − c·⌊x/c⌋.
func ModScalar(x *Var, c float64) *Var { return record(tensor.ModScalar(x.value, c), into(x, same)) }

// PowScalar returns x to the power of c.
func PowScalar(x *Var, c float64) *Var {
	if c == 0 {
		return x.tape.Const(tensor.PowScalar(x.value, 0))
	}
	return derived(expr.PowScalar.With(c), tensor.PowScalar(x.value, c), x)
}

// MaximumScalar returns the greater of x and c. Where they are equal x gets half the gradient.
func MaximumScalar(x *Var, c float64) *Var {
	return derived(expr.MaximumScalar.With(c), tensor.MaximumScalar(x.value, c), x)
}

// MinimumScalar returns the lesser of x and c. Where they are equal x gets half the gradient.
func MinimumScalar(x *Var, c float64) *Var {
	return derived(expr.MinimumScalar.With(c), tensor.MinimumScalar(x.value, c), x)
}

// Cast returns x as another dtype. No gradient passes through integers.
func Cast(x *Var, d backend.DType) *Var {
	switch {
	case x.value.DType() == d:
		return x
	case !d.IsFloat():
		return x.tape.Const(tensor.Cast(x.value, d))
	}
	return record(tensor.Cast(x.value, d), into(x, same))
}

// same passes a gradient on; backward fits it to the operand.
func same(g *Var) *Var { return g }

// like returns a constant of one element that broadcasts against x and has its dtype.
func (x *Var) like(value float64) *Var {
	return x.tape.Const(tensor.Full(x.tape.stream, x.value.DType(), value))
}
