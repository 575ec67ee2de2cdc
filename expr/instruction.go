package expr

import "github.com/weir-ml/weir/backend"

// Sqrt returns √x, NaN below 0. Its derivative at 0 is taken as 0.
func (e Expr) Sqrt() Expr { return e.unary(backend.Sqrt) }

// Not returns the negation of a truth.
func (e Expr) Not() Expr { return e.unary(backend.Not) }

// Add returns x + y.
func (e Expr) Add(y Expr) Expr { return e.binary(backend.Add, y) }

// Sub returns x − y.
func (e Expr) Sub(y Expr) Expr { return e.binary(backend.Sub, y) }

// Mul returns x·y.
func (e Expr) Mul(y Expr) Expr { return e.binary(backend.Mul, y) }

// Div returns x/y.
func (e Expr) Div(y Expr) Expr { return e.binary(backend.Div, y) }

// Mod returns x − y·⌊x/y⌋, which has the sign of y.
func (e Expr) Mod(y Expr) Expr { return e.binary(backend.Mod, y) }

// Pow returns x to the power of y.
func (e Expr) Pow(y Expr) Expr { return e.binary(backend.Pow, y) }

// Atan2 returns the angle of the point (y, x), x being the ordinate, in [−π, π]. Its derivative at the origin is taken as 0.
func (e Expr) Atan2(y Expr) Expr { return e.binary(backend.Atan2, y) }

// Minimum returns the lesser of x and y, NaN if either is.
func (e Expr) Minimum(y Expr) Expr { return e.binary(backend.Min, y) }

// Maximum returns the greater of x and y, NaN if either is.
func (e Expr) Maximum(y Expr) Expr { return e.binary(backend.Max, y) }

// Equal returns the truth of x = y.
func (e Expr) Equal(y Expr) Expr { return e.binary(backend.Eq, y) }

// NotEqual returns the truth of x ≠ y.
func (e Expr) NotEqual(y Expr) Expr { return e.binary(backend.Ne, y) }

// Less returns the truth of x < y.
func (e Expr) Less(y Expr) Expr { return e.binary(backend.Lt, y) }

// LessEqual returns the truth of x ≤ y.
func (e Expr) LessEqual(y Expr) Expr { return e.binary(backend.Le, y) }

// And returns x ∧ y of truths.
func (e Expr) And(y Expr) Expr { return e.binary(backend.And, y) }

// Or returns x ∨ y of truths.
func (e Expr) Or(y Expr) Expr { return e.binary(backend.Or, y) }

// Xor returns the exclusive or of truths.
func (e Expr) Xor(y Expr) Expr { return e.binary(backend.Xor, y) }

// Greater returns the truth of x > y.
func (e Expr) Greater(y Expr) Expr { return y.Less(e) }

// GreaterEqual returns the truth of x ≥ y.
func (e Expr) GreaterEqual(y Expr) Expr { return y.LessEqual(e) }
