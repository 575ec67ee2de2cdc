package cuda

import (
	"math"

	"github.com/weir-ml/weir/backend"
)

// isHalf reports whether d is computed with as float32.
func isHalf(d backend.DType) bool { return d == backend.Float16 || d == backend.BFloat16 }

// round rounds a float32 to the nearest value of a half, and leaves other types.
func (a *assembly) round(d backend.DType, x string) string {
	if !isHalf(d) {
		return x
	}
	return a.widen(d, a.narrow(d, x))
}

// narrow returns the half nearest to a float32.
func (a *assembly) narrow(d backend.DType, x string) string {
	if d == backend.BFloat16 {
		return a.do(halfWords, "cvt.rn.bf16.f32", x)
	}
	return a.do(halfWords, "cvt.rn.f16.f32", x)
}

// widen returns the float32 of a half.
func (a *assembly) widen(d backend.DType, h string) string {
	if d == backend.BFloat16 {
		return a.do(singles, "mov.b32", a.do(words, "shl.b32", a.do(words, "cvt.u32.u16", h), 16))
	}
	return a.do(singles, "cvt.f32.f16", h)
}

// cast converts a register.
func (a *assembly) cast(from, to backend.DType, x string) string {
	switch {
	case from == to:
		return x
	case to == backend.Bool && from.IsFloat():
		return a.truth(a.do(predicates, "setp.neu."+heldAs(from).number, x, literal(from, 0)))
	case to == backend.Bool:
		return a.truth(a.do(predicates, "setp.ne."+heldAs(from).number, x, 0))
	case from.IsFloat() && to.IsFloat():
		return a.castFloat(from, to, x)
	case from.IsFloat():
		return a.truncate(from, to, x)
	case to.IsFloat():
		return a.castToFloat(from, to, x)
	}
	return a.castInteger(from, to, x)
}

// castFloat rounds a float64 to a half by way of float32.
func (a *assembly) castFloat(from, to backend.DType, x string) string {
	switch {
	case to == backend.Float64:
		return a.do(doubles, "cvt.f64.f32", x)
	case from == backend.Float64:
		x = a.do(singles, "cvt.rn.f32.f64", x)
	}
	return a.round(to, x)
}

// castToFloat converts an integer or a bool. An int64 becomes a half by way of float64; of the smaller ones float32 is rounded alike.
func (a *assembly) castToFloat(from, to backend.DType, x string) string {
	number := heldAs(from).number
	if to == backend.Float64 || isHalf(to) && from == backend.Int64 {
		return a.cast(backend.Float64, to, a.do(doubles, "cvt.rn.f64."+number, x))
	}
	return a.round(to, a.do(singles, "cvt.rn.f32."+number, x))
}

// truncate converts a float to an integer; out of range saturates and NaN becomes 0.
func (a *assembly) truncate(from, to backend.DType, x string) string {
	h, number := heldAs(to), heldAs(from).number
	r := a.do(h.class, "cvt.rzi."+h.number+"."+number, x)
	r = a.pick(to, a.do(predicates, "setp.nan."+number, x, x), 0, r)
	if to == backend.Uint8 {
		r = a.do(words, "min.s32", a.do(words, "max.s32", r, 0), math.MaxUint8)
	}
	return r
}

// castInteger converts between integers, and from bools.
func (a *assembly) castInteger(from, to backend.DType, x string) string {
	switch {
	case to == backend.Int64 && from == backend.Int32:
		return a.do(longs, "cvt.s64.s32", x)
	case to == backend.Int64:
		return a.do(longs, "cvt.u64.u32", x)
	case from == backend.Int64:
		x = a.do(words, "cvt.u32.u64", x)
	}
	if from == backend.Bool {
		return x
	}
	return a.wrap(to, x)
}

// immediate returns the bits of a number of a command, cast to d.
func immediate(d backend.DType, x float64) uint64 {
	switch d {
	case backend.Bool:
		if x != 0 {
			return 1
		}
		return 0
	case backend.Uint8:
		return uint64(saturate(x, 0, math.MaxUint8))
	case backend.Int32:
		return uint64(uint32(saturate(x, math.MinInt32, math.MaxInt32)))
	case backend.Int64:
		return uint64(saturate(x, math.MinInt64, math.MaxInt64))
	case backend.Float64:
		return math.Float64bits(x)
	case backend.Float16:
		return uint64(math.Float32bits(backend.FromFloat16(backend.ToFloat16(float32(x)))))
	case backend.BFloat16:
		return uint64(math.Float32bits(backend.FromBFloat16(backend.ToBFloat16(float32(x)))))
	}
	return uint64(math.Float32bits(float32(x)))
}

// saturate truncates x and limits it to [lo, hi]; NaN is 0. The comparison is with the float next to hi where hi has none, so it holds for 2⁶³ too.
func saturate(x float64, lo, hi int64) int64 {
	switch {
	case x != x:
		return 0
	case x <= float64(lo):
		return lo
	case x >= float64(hi):
		return hi
	}
	return int64(x)
}
