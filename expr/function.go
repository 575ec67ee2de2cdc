package expr

// Functions of package tensor as values: operands for Grad, and what package autograd derives its rules of.
var (
	Tan        = New1("tan", Expr.Tan)
	Asin       = New1("asin", Expr.Asin)
	Acos       = New1("acos", Expr.Acos)
	Atan       = New1("atan", Expr.Atan)
	Sinh       = New1("sinh", Expr.Sinh)
	Cosh       = New1("cosh", Expr.Cosh)
	Asinh      = New1("asinh", Expr.Asinh)
	Acosh      = New1("acosh", Expr.Acosh)
	Atanh      = New1("atanh", Expr.Atanh)
	Exp2       = New1("exp2", Expr.Exp2)
	Log2       = New1("log2", Expr.Log2)
	Log10      = New1("log10", Expr.Log10)
	LogSigmoid = New1("log_sigmoid", Expr.LogSigmoid)
	ReLU       = New1("relu", Expr.ReLU)
	SiLU       = New1("silu", Expr.SiLU)
	Square     = New1("square", Expr.Square)
	Reciprocal = New1("reciprocal", Expr.Reciprocal)

	FloorDiv = New2("floor_div", Expr.FloorDiv)
	Hypot    = New2("hypot", Expr.Hypot)
	Maximum  = New2("maximum", Expr.Maximum)
	Minimum  = New2("minimum", Expr.Minimum)
)

// Functions of one operand and parameters: Clamp takes the limits, LeakyReLU the slope, ELU alpha, the others a number as the other operand.
var (
	Clamp         = NewParams("clamp", 1, 2, func(x, p []Expr) []Expr { return []Expr{x[0].Clamp(p[0], p[1])} })
	LeakyReLU     = withScalar("leaky_relu", Expr.LeakyReLU)
	ELU           = withScalar("elu", Expr.ELU)
	DivFrom       = withScalar("div", func(x, c Expr) Expr { return c.Div(x) })
	PowScalar     = withScalar("pow", Expr.Pow)
	MaximumScalar = withScalar("max", Expr.Maximum)
	MinimumScalar = withScalar("min", Expr.Minimum)
)

func withScalar(name string, f func(x, c Expr) Expr) *Func {
	return NewParams(name, 1, 1, func(x, p []Expr) []Expr { return []Expr{f(x[0], p[0])} })
}
