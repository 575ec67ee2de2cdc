package crosscheck

import (
	"strconv"

	"github.com/weir-ml/weir/autograd"
	"github.com/weir-ml/weir/tensor"
)

type (
	tensors = []*tensor.Tensor
	vars    = []*autograd.Var
)

// operation calls a function of package tensor, and the one of package autograd with the same name. Either may be nil: there is none.
type operation struct {
	tensor   func(a arguments, xs tensors) tensors
	autograd func(a arguments, xs vars) vars
}

// value is an operation without a derivative.
func value(f func(a arguments, xs tensors) tensors) operation { return operation{tensor: f} }

// The functions below give a signature of T, a tensor or a Var, the common form.

func one[T any](f func(x T) T) func(arguments, []T) []T {
	return func(_ arguments, xs []T) []T { return []T{f(xs[0])} }
}

func two[T any](f func(x, y T) T) func(arguments, []T) []T {
	return func(_ arguments, xs []T) []T { return []T{f(xs[0], xs[1])} }
}

func number[T any](f func(x T, c float64) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.number("c"))} }
}

func numberFirst[T any](f func(c float64, x T) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(a.number("c"), xs[0])} }
}

func lists[T any](f func(x T, list ...int) T, list string) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.integers(list)...)} }
}

func ints[T any](f func(x T, i int) T, i string) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.integer(i))} }
}

func ints2[T any](f func(x T, i, j int) T, i, j string) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.integer(i), a.integer(j))} }
}

func ints3[T any](f func(x T, i, j, k int) T, i, j, k string) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.integer(i), a.integer(j), a.integer(k))} }
}

func ints4[T any](f func(x T, i, j, k, l int) T, i, j, k, l string) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T {
		return []T{f(xs[0], a.integer(i), a.integer(j), a.integer(k), a.integer(l))}
	}
}

func norm[T any](f func(x T, p float64, axes ...int) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T {
		p := must(strconv.ParseFloat(get[string](a, "p"), 64)) // text, because JSON has no infinity
		return []T{f(xs[0], p, a.integers("axes")...)}
	}
}

func deviation[T any](f func(x T, ddof int, axes ...int) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.integer("ddof"), a.integers("axes")...)} }
}

func parts[T any](f func(x T, axis, n int) []T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return f(xs[0], a.integer("axis"), a.integer("n")) }
}

func split[T any](f func(x T, axis int, sizes ...int) []T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return f(xs[0], a.integer("axis"), a.integers("sizes")...) }
}

func pad[T any](f func(x T, value float64, pads ...[2]int) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(xs[0], a.number("c"), get[[][2]int](a, "pads")...)} }
}

func einsum[T any](f func(spec string, xs ...T) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(get[string](a, "spec"), xs...)} }
}

func join[T any](f func(axis int, xs ...T) T) func(arguments, []T) []T {
	return func(a arguments, xs []T) []T { return []T{f(a.integer("axis"), xs...)} }
}

// operations are the functions that cases call, by name.
var operations = map[string]operation{
	"Abs":          {one(tensor.Abs), one(autograd.Abs)},
	"Acos":         {one(tensor.Acos), one(autograd.Acos)},
	"Acosh":        {one(tensor.Acosh), one(autograd.Acosh)},
	"Asin":         {one(tensor.Asin), one(autograd.Asin)},
	"Asinh":        {one(tensor.Asinh), one(autograd.Asinh)},
	"Atan":         {one(tensor.Atan), one(autograd.Atan)},
	"Atanh":        {one(tensor.Atanh), one(autograd.Atanh)},
	"Ceil":         {one(tensor.Ceil), one(autograd.Ceil)},
	"Cos":          {one(tensor.Cos), one(autograd.Cos)},
	"Cosh":         {one(tensor.Cosh), one(autograd.Cosh)},
	"Erf":          {one(tensor.Erf), one(autograd.Erf)},
	"Exp":          {one(tensor.Exp), one(autograd.Exp)},
	"Exp2":         {one(tensor.Exp2), one(autograd.Exp2)},
	"Expm1":        {one(tensor.Expm1), one(autograd.Expm1)},
	"Floor":        {one(tensor.Floor), one(autograd.Floor)},
	"GELU":         {one(tensor.GELU), one(autograd.GELU)},
	"GELUGrad":     {one(tensor.GELUGrad), one(autograd.GELUGrad)},
	"IsFinite":     {one(tensor.IsFinite), nil},
	"IsInf":        {one(tensor.IsInf), nil},
	"IsNaN":        {one(tensor.IsNaN), nil},
	"Log":          {one(tensor.Log), one(autograd.Log)},
	"Log10":        {one(tensor.Log10), one(autograd.Log10)},
	"Log1p":        {one(tensor.Log1p), one(autograd.Log1p)},
	"Log2":         {one(tensor.Log2), one(autograd.Log2)},
	"LogSigmoid":   {one(tensor.LogSigmoid), one(autograd.LogSigmoid)},
	"Neg":          {one(tensor.Neg), one(autograd.Neg)},
	"Not":          {one(tensor.Not), nil},
	"Reciprocal":   {one(tensor.Reciprocal), one(autograd.Reciprocal)},
	"ReLU":         {one(tensor.ReLU), one(autograd.ReLU)},
	"Round":        {one(tensor.Round), one(autograd.Round)},
	"Rsqrt":        {one(tensor.Rsqrt), one(autograd.Rsqrt)},
	"Sigmoid":      {one(tensor.Sigmoid), one(autograd.Sigmoid)},
	"Sign":         {one(tensor.Sign), one(autograd.Sign)},
	"SiLU":         {one(tensor.SiLU), one(autograd.SiLU)},
	"Sin":          {one(tensor.Sin), one(autograd.Sin)},
	"Sinh":         {one(tensor.Sinh), one(autograd.Sinh)},
	"Softplus":     {one(tensor.Softplus), one(autograd.Softplus)},
	"Sqrt":         {one(tensor.Sqrt), one(autograd.Sqrt)},
	"Square":       {one(tensor.Square), one(autograd.Square)},
	"Tan":          {one(tensor.Tan), one(autograd.Tan)},
	"Tanh":         {one(tensor.Tanh), one(autograd.Tanh)},
	"Trunc":        {one(tensor.Trunc), one(autograd.Trunc)},
	"GELUWithGrad": value(func(_ arguments, xs tensors) tensors { y, dy := tensor.GELUWithGrad(xs[0]); return tensors{y, dy} }),

	"Apply": {
		func(a arguments, xs tensors) tensors { return tensors{tensor.Apply(a.function(), xs...)} },
		func(a arguments, xs vars) vars { return vars{autograd.Apply(a.function(), xs...)} },
	},
	"ApplyAll": {
		func(a arguments, xs tensors) tensors { return tensor.ApplyAll(a.function(), xs...) },
		func(a arguments, xs vars) vars { return autograd.ApplyAll(a.function(), xs...) },
	},

	"Add":          {two(tensor.Add), two(autograd.Add)},
	"And":          {two(tensor.And), nil},
	"Atan2":        {two(tensor.Atan2), two(autograd.Atan2)},
	"Div":          {two(tensor.Div), two(autograd.Div)},
	"Equal":        {two(tensor.Equal), nil},
	"FloorDiv":     {two(tensor.FloorDiv), two(autograd.FloorDiv)},
	"Greater":      {two(tensor.Greater), nil},
	"GreaterEqual": {two(tensor.GreaterEqual), nil},
	"Hypot":        {two(tensor.Hypot), two(autograd.Hypot)},
	"Less":         {two(tensor.Less), nil},
	"LessEqual":    {two(tensor.LessEqual), nil},
	"Maximum":      {two(tensor.Maximum), two(autograd.Maximum)},
	"Minimum":      {two(tensor.Minimum), two(autograd.Minimum)},
	"Mod":          {two(tensor.Mod), two(autograd.Mod)},
	"Mul":          {two(tensor.Mul), two(autograd.Mul)},
	"NotEqual":     {two(tensor.NotEqual), nil},
	"Or":           {two(tensor.Or), nil},
	"Pow":          {two(tensor.Pow), two(autograd.Pow)},
	"Sub":          {two(tensor.Sub), two(autograd.Sub)},
	"Xor":          {two(tensor.Xor), nil},
	"Where": {
		func(_ arguments, xs tensors) tensors { return tensors{tensor.Where(xs[0], xs[1], xs[2])} },
		func(_ arguments, xs vars) vars { return vars{autograd.Where(xs[0].Value(), xs[1], xs[2])} },
	},

	"AddScalar":          {number(tensor.AddScalar), number(autograd.AddScalar)},
	"DivFrom":            {numberFirst(tensor.DivFrom), numberFirst(autograd.DivFrom)},
	"DivScalar":          {number(tensor.DivScalar), number(autograd.DivScalar)},
	"ELU":                {number(tensor.ELU), number(autograd.ELU)},
	"EqualScalar":        {number(tensor.EqualScalar), nil},
	"GreaterEqualScalar": {number(tensor.GreaterEqualScalar), nil},
	"GreaterScalar":      {number(tensor.GreaterScalar), nil},
	"LeakyReLU":          {number(tensor.LeakyReLU), number(autograd.LeakyReLU)},
	"LessEqualScalar":    {number(tensor.LessEqualScalar), nil},
	"LessScalar":         {number(tensor.LessScalar), nil},
	"MaximumScalar":      {number(tensor.MaximumScalar), number(autograd.MaximumScalar)},
	"MinimumScalar":      {number(tensor.MinimumScalar), number(autograd.MinimumScalar)},
	"ModScalar":          {number(tensor.ModScalar), number(autograd.ModScalar)},
	"MulScalar":          {number(tensor.MulScalar), number(autograd.MulScalar)},
	"NotEqualScalar":     {number(tensor.NotEqualScalar), nil},
	"PowScalar":          {number(tensor.PowScalar), number(autograd.PowScalar)},
	"SubFrom":            {numberFirst(tensor.SubFrom), numberFirst(autograd.SubFrom)},
	"Clamp": {
		func(a arguments, xs tensors) tensors {
			return tensors{tensor.Clamp(xs[0], a.number("lo"), a.number("hi"))}
		},
		func(a arguments, xs vars) vars { return vars{autograd.Clamp(xs[0], a.number("lo"), a.number("hi"))} },
	},
	"Cast": {
		func(a arguments, xs tensors) tensors { return tensors{tensor.Cast(xs[0], a.dtype())} },
		func(a arguments, xs vars) vars { return vars{autograd.Cast(xs[0], a.dtype())} },
	},

	"All":           {lists(tensor.All, "axes"), nil},
	"AllKeep":       {lists(tensor.AllKeep, "axes"), nil},
	"Any":           {lists(tensor.Any, "axes"), nil},
	"AnyKeep":       {lists(tensor.AnyKeep, "axes"), nil},
	"ArgMax":        {lists(tensor.ArgMax, "axis"), nil},
	"ArgMin":        {lists(tensor.ArgMin, "axis"), nil},
	"CountNonZero":  {lists(tensor.CountNonZero, "axes"), nil},
	"CumSum":        {ints(tensor.CumSum, "axis"), ints(autograd.CumSum, "axis")},
	"LogSoftmax":    {ints(tensor.LogSoftmax, "axis"), ints(autograd.LogSoftmax, "axis")},
	"LogSumExp":     {lists(tensor.LogSumExp, "axes"), lists(autograd.LogSumExp, "axes")},
	"LogSumExpKeep": {lists(tensor.LogSumExpKeep, "axes"), lists(autograd.LogSumExpKeep, "axes")},
	"Max":           {lists(tensor.Max, "axes"), lists(autograd.Max, "axes")},
	"MaxKeep":       {lists(tensor.MaxKeep, "axes"), lists(autograd.MaxKeep, "axes")},
	"Mean":          {lists(tensor.Mean, "axes"), lists(autograd.Mean, "axes")},
	"MeanKeep":      {lists(tensor.MeanKeep, "axes"), lists(autograd.MeanKeep, "axes")},
	"Min":           {lists(tensor.Min, "axes"), lists(autograd.Min, "axes")},
	"MinKeep":       {lists(tensor.MinKeep, "axes"), lists(autograd.MinKeep, "axes")},
	"Norm":          {norm(tensor.Norm), norm(autograd.Norm)},
	"NormKeep":      {norm(tensor.NormKeep), norm(autograd.NormKeep)},
	"Prod":          {lists(tensor.Prod, "axes"), lists(autograd.Prod, "axes")},
	"ProdKeep":      {lists(tensor.ProdKeep, "axes"), lists(autograd.ProdKeep, "axes")},
	"Softmax":       {ints(tensor.Softmax, "axis"), ints(autograd.Softmax, "axis")},
	"Std":           {deviation(tensor.Std), deviation(autograd.Std)},
	"StdKeep":       {deviation(tensor.StdKeep), deviation(autograd.StdKeep)},
	"Sum":           {lists(tensor.Sum, "axes"), lists(autograd.Sum, "axes")},
	"SumKeep":       {lists(tensor.SumKeep, "axes"), lists(autograd.SumKeep, "axes")},
	"SumTo":         {lists(tensor.SumTo, "shape"), lists(autograd.SumTo, "shape")},
	"Variance":      {deviation(tensor.Variance), deviation(autograd.Variance)},
	"VarianceKeep":  {deviation(tensor.VarianceKeep), deviation(autograd.VarianceKeep)},

	"Broadcast":        {lists(tensor.Broadcast, "shape"), lists(autograd.Broadcast, "shape")},
	"Chunk":            {parts(tensor.Chunk), parts(autograd.Chunk)},
	"Clone":            {one(tensor.Clone), nil},
	"Concat":           {join(tensor.Concat), join(autograd.Concat)},
	"Contiguous":       {one(tensor.Contiguous), nil},
	"CopyInto":         value(copyInto),
	"Diagonal":         {ints3(tensor.Diagonal, "offset", "a", "b"), ints3(autograd.Diagonal, "offset", "a", "b")},
	"Flip":             {ints(tensor.Flip, "axis"), ints(autograd.Flip, "axis")},
	"MoveAxis":         {ints2(tensor.MoveAxis, "a", "b"), ints2(autograd.MoveAxis, "a", "b")},
	"Pad":              {pad(tensor.Pad), pad(autograd.Pad)},
	"Permute":          {lists(tensor.Permute, "order"), lists(autograd.Permute, "order")},
	"Repeat":           {lists(tensor.Repeat, "counts"), lists(autograd.Repeat, "counts")},
	"RepeatInterleave": {ints2(tensor.RepeatInterleave, "axis", "n"), ints2(autograd.RepeatInterleave, "axis", "n")},
	"Reshape":          {lists(tensor.Reshape, "shape"), lists(autograd.Reshape, "shape")},
	"Roll":             {ints2(tensor.Roll, "axis", "shift"), ints2(autograd.Roll, "axis", "shift")},
	"Select":           {ints2(tensor.Select, "axis", "i"), ints2(autograd.Select, "axis", "i")},
	"Slice":            {ints3(tensor.Slice, "axis", "lo", "hi"), ints3(autograd.Slice, "axis", "lo", "hi")},
	"SliceStep":        {ints4(tensor.SliceStep, "axis", "lo", "hi", "step"), ints4(autograd.SliceStep, "axis", "lo", "hi", "step")},
	"Split":            {split(tensor.Split), split(autograd.Split)},
	"Squeeze":          {lists(tensor.Squeeze, "axes"), lists(autograd.Squeeze, "axes")},
	"Stack":            {join(tensor.Stack), join(autograd.Stack)},
	"Transpose":        {ints2(tensor.Transpose, "a", "b"), ints2(autograd.Transpose, "a", "b")},
	"Tril":             {ints(tensor.Tril, "k"), ints(autograd.Tril, "k")},
	"Triu":             {ints(tensor.Triu, "k"), ints(autograd.Triu, "k")},
	"Unfold":           {ints3(tensor.Unfold, "axis", "size", "step"), ints3(autograd.Unfold, "axis", "size", "step")},
	"Unsqueeze":        {ints(tensor.Unsqueeze, "axis"), ints(autograd.Unsqueeze, "axis")},

	"ArgSort": value(func(a arguments, xs tensors) tensors {
		return tensors{tensor.ArgSort(xs[0], a.integer("axis"), a.flag("descending"))}
	}),
	"Gather": {
		func(a arguments, xs tensors) tensors { return tensors{tensor.Gather(xs[0], a.integer("axis"), xs[1])} },
		func(a arguments, xs vars) vars { return vars{autograd.Gather(xs[0], a.integer("axis"), xs[1].Value())} },
	},
	"MaskedFill": {
		func(a arguments, xs tensors) tensors { return tensors{tensor.MaskedFill(xs[0], xs[1], a.number("c"))} },
		func(a arguments, xs vars) vars { return vars{autograd.MaskedFill(xs[0], xs[1].Value(), a.number("c"))} },
	},
	"MaskedSelect": {
		func(_ arguments, xs tensors) tensors { return tensors{must(tensor.MaskedSelect(xs[0], xs[1]))} },
		func(_ arguments, xs vars) vars { return vars{must(autograd.MaskedSelect(xs[0], xs[1].Value()))} },
	},
	"NonZero": value(func(_ arguments, xs tensors) tensors { return tensors{must(tensor.NonZero(xs[0]))} }),
	"OneHot":  value(func(a arguments, xs tensors) tensors { return tensors{tensor.OneHot(xs[0], a.integer("n"), a.dtype())} }),
	"Scatter": {
		func(a arguments, xs tensors) tensors {
			return tensors{tensor.Scatter(xs[0], a.integer("axis"), xs[1], xs[2])}
		},
		func(a arguments, xs vars) vars {
			return vars{autograd.Scatter(xs[0], a.integer("axis"), xs[1].Value(), xs[2])}
		},
	},
	"ScatterAdd": {
		func(a arguments, xs tensors) tensors {
			return tensors{tensor.ScatterAdd(xs[0], a.integer("axis"), xs[1], xs[2])}
		},
		func(a arguments, xs vars) vars {
			return vars{autograd.ScatterAdd(xs[0], a.integer("axis"), xs[1].Value(), xs[2])}
		},
	},
	"SearchSorted": value(func(a arguments, xs tensors) tensors {
		return tensors{tensor.SearchSorted(xs[0], xs[1], a.flag("right"))}
	}),
	"Sort": {
		func(a arguments, xs tensors) tensors {
			sorted, positions := tensor.Sort(xs[0], a.integer("axis"), a.flag("descending"))
			return tensors{sorted, positions}
		},
		func(a arguments, xs vars) vars {
			sorted, positions := autograd.Sort(xs[0], a.integer("axis"), a.flag("descending"))
			return vars{sorted, sorted.Tape().Const(positions)}
		},
	},
	"Take": {
		func(a arguments, xs tensors) tensors { return tensors{tensor.Take(xs[0], a.integer("axis"), xs[1])} },
		func(a arguments, xs vars) vars { return vars{autograd.Take(xs[0], a.integer("axis"), xs[1].Value())} },
	},
	"TopK": {
		func(a arguments, xs tensors) tensors {
			top, positions := tensor.TopK(xs[0], a.integer("axis"), a.integer("k"), a.flag("largest"))
			return tensors{top, positions}
		},
		func(a arguments, xs vars) vars {
			top, positions := autograd.TopK(xs[0], a.integer("axis"), a.integer("k"), a.flag("largest"))
			return vars{top, top.Tape().Const(positions)}
		},
	},
	"Unique": value(func(_ arguments, xs tensors) tensors { return tensors{must(tensor.Unique(xs[0]))} }),

	"Dot":    {two(tensor.Dot), two(autograd.Dot)},
	"Einsum": {einsum(tensor.Einsum), einsum(autograd.Einsum)},
	"Linear": {
		func(_ arguments, xs tensors) tensors { return tensors{tensor.Linear(xs[0], xs[1], optional(xs, 2))} },
		func(_ arguments, xs vars) vars { return vars{autograd.Linear(xs[0], xs[1], optional(xs, 2))} },
	},
	"MatMul": {two(tensor.MatMul), two(autograd.MatMul)},
	"MatMulTo": {
		func(a arguments, xs tensors) tensors {
			return tensors{tensor.MatMulTo(xs[0], xs[1], a.integers("batch")...)}
		},
		func(a arguments, xs vars) vars { return vars{autograd.MatMulTo(xs[0], xs[1], a.integers("batch")...)} },
	},
	"Outer": {two(tensor.Outer), two(autograd.Outer)},
	"Trace": {one(tensor.Trace), one(autograd.Trace)},

	"Checkpoint": derivative(checkpoint),
	"Custom":     derivative(customLayer),
	"HVP":        derivative(hvp),
	"JVP":        derivative(jvp),
	"Jacobian":   derivative(jacobian),
}

func copyInto(_ arguments, xs tensors) tensors {
	dst := tensor.Clone(xs[0])
	tensor.CopyInto(dst, xs[1])
	return tensors{dst}
}

// must returns v, and panics with err as misuse would.
func must[T any](v T, err error) T {
	if err != nil {
		tensor.Fail("crosscheck", nil, "%v", err)
	}
	return v
}

// optional returns xs[i], or nil if there are fewer.
func optional[T any](xs []*T, i int) *T {
	if i < len(xs) {
		return xs[i]
	}
	return nil
}
