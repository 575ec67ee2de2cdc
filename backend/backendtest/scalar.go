package backendtest

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weir-ml/weir/backend"
)

// scalar is the value of one element: floats in f, integers and booleans in i. Both hold every value of their dtypes exactly.
type scalar struct {
	f float64
	i int64
}

// format describes a binary floating-point format: significant bits, and the exponents of its least and greatest normal powers of two.
type format struct{ precision, minExp, maxExp int }

var formats = [...]format{
	backend.Float16:  {11, -14, 15},
	backend.BFloat16: {8, -126, 127},
	backend.Float32:  {24, -126, 127},
	backend.Float64:  {53, -1022, 1023},
}

// narrow reports whether arithmetic on d is done in float32 and rounded.
func narrow(d backend.DType) bool { return d == backend.Float16 || d == backend.BFloat16 }

// unit returns u, half the distance from 1 to the next number, of the type that sums of d are carried in.
func unit(d backend.DType) float64 {
	if d == backend.Float64 {
		return 0x1p-53
	}
	return 0x1p-24
}

// ulp returns the distance between neighbours of d at x.
func ulp(d backend.DType, x float64) float64 {
	f := formats[d]
	e := f.minExp
	if x != 0 {
		if math.IsInf(x, 0) {
			e = f.maxExp
		} else {
			e = min(max(math.Ilogb(x), f.minExp), f.maxExp)
		}
	}
	return math.Ldexp(1, e-f.precision+1)
}

// round returns x rounded to nearest even in d.
func round(d backend.DType, x float64) float64 {
	if d == backend.Float64 || x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	if d == backend.Float32 {
		return float64(float32(x))
	}
	f := formats[d]
	quantum := math.Ldexp(1, max(math.Ilogb(x), f.minExp)-f.precision+1)
	y := math.RoundToEven(x/quantum) * quantum
	if math.Abs(y) >= math.Ldexp(1, f.maxExp+1) {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return y
}

// roundInstr returns x as an instruction on d stores it: float16 and bfloat16 come by way of float32.
func roundInstr(d backend.DType, x float64) float64 {
	if narrow(d) {
		x = round(backend.Float32, x)
	}
	return round(d, x)
}

// wrap returns the integer that the bits of i are in d.
func wrap(d backend.DType, i int64) int64 {
	switch d {
	case backend.Uint8:
		return int64(uint8(i))
	case backend.Int32:
		return int64(int32(i))
	}
	return i
}

// limits returns the least and the greatest integer of d.
func limits(d backend.DType) (lo, hi int64) {
	switch d {
	case backend.Uint8:
		return 0, math.MaxUint8
	case backend.Int32:
		return math.MinInt32, math.MaxInt32
	}
	return math.MinInt64, math.MaxInt64
}

// cast converts x between dtypes by the rules of package backend.
func cast(x scalar, from, to backend.DType) scalar {
	switch {
	case to == backend.Bool && from.IsFloat():
		return truth(x.f != 0)
	case to == backend.Bool:
		return truth(x.i != 0)
	case from.IsFloat() && to.IsFloat():
		return scalar{f: roundInstr(to, x.f)}
	case from.IsFloat():
		return scalar{i: truncate(x.f, to)}
	case to.IsInt():
		return scalar{i: wrap(to, x.i)}
	case to == backend.Float32:
		return scalar{f: float64(float32(x.i))}
	}
	return scalar{f: roundInstr(to, float64(x.i))}
}

func truth(b bool) scalar {
	if b {
		return scalar{i: 1}
	}
	return scalar{}
}

// truncate returns the integer part of x, saturated; 0 for NaN.
func truncate(x float64, to backend.DType) int64 {
	lo, hi := limits(to)
	switch {
	case math.IsNaN(x):
		return 0
	case x <= float64(lo):
		return lo
	case x >= float64(hi): // float64(MaxInt64) is 2⁶³, the first value out of range
		return hi
	}
	return int64(x)
}

// load reads element n of memory.
func load(memory []byte, d backend.DType, n int) scalar {
	b := memory[n*d.Size():]
	switch d {
	case backend.Bool, backend.Uint8:
		return scalar{i: int64(b[0])}
	case backend.Int32:
		return scalar{i: int64(int32(binary.NativeEndian.Uint32(b)))}
	case backend.Int64:
		return scalar{i: int64(binary.NativeEndian.Uint64(b))}
	case backend.Float32:
		return scalar{f: float64(math.Float32frombits(binary.NativeEndian.Uint32(b)))}
	case backend.Float64:
		return scalar{f: math.Float64frombits(binary.NativeEndian.Uint64(b))}
	}
	return scalar{f: decode16(formats[d], binary.NativeEndian.Uint16(b))}
}

// store writes element n of memory; x is a value of d.
func store(memory []byte, d backend.DType, n int, x scalar) {
	b := memory[n*d.Size():]
	switch d {
	case backend.Bool, backend.Uint8:
		b[0] = byte(x.i)
	case backend.Int32:
		binary.NativeEndian.PutUint32(b, uint32(x.i))
	case backend.Int64:
		binary.NativeEndian.PutUint64(b, uint64(x.i))
	case backend.Float32:
		binary.NativeEndian.PutUint32(b, math.Float32bits(float32(x.f)))
	case backend.Float64:
		binary.NativeEndian.PutUint64(b, math.Float64bits(x.f))
	default:
		binary.NativeEndian.PutUint16(b, encode16(formats[d], x.f))
	}
}

// decode16 returns the value of a 16-bit pattern: sign, biased exponent, fraction.
func decode16(f format, bits uint16) float64 {
	width := f.precision - 1
	fraction := float64(bits & (1<<width - 1))
	biased := int(bits&0x7fff) >> width
	x := math.Ldexp(fraction+math.Ldexp(1, width), biased-f.maxExp-width)
	switch {
	case biased == 0:
		x = math.Ldexp(fraction, f.minExp-width)
	case biased == 2*f.maxExp+1 && fraction == 0:
		x = math.Inf(1)
	case biased == 2*f.maxExp+1:
		return math.NaN()
	}
	if bits>>15 == 1 {
		return -x
	}
	return x
}

// encode16 returns the 16-bit pattern of a value that the format holds.
func encode16(f format, x float64) uint16 {
	width := f.precision - 1
	var sign uint16
	if math.Signbit(x) {
		sign = 1 << 15
	}
	infinity := uint16(2*f.maxExp+1) << width
	x = math.Abs(x)
	switch {
	case math.IsNaN(x):
		return infinity | 1<<(width-1)
	case math.IsInf(x, 0):
		return sign | infinity
	case x < math.Ldexp(1, f.minExp):
		return sign | uint16(math.Ldexp(x, width-f.minExp))
	}
	e := math.Ilogb(x)
	return sign | uint16(e+f.maxExp)<<width | uint16(math.Ldexp(x, width-e)-math.Ldexp(1, width))
}

// format prints x as a value of d, floats with their bits.
func (x scalar) format(d backend.DType) string {
	if !d.IsFloat() {
		return fmt.Sprint(x.i)
	}
	var b [8]byte
	store(b[:], d, 0, x)
	switch d.Size() {
	case 2:
		return fmt.Sprintf("%g (%#04x)", x.f, binary.NativeEndian.Uint16(b[:]))
	case 4:
		return fmt.Sprintf("%g (%#08x)", float32(x.f), binary.NativeEndian.Uint32(b[:]))
	}
	return fmt.Sprintf("%g (%#016x)", x.f, binary.NativeEndian.Uint64(b[:]))
}
