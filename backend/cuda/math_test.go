//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/backendtest"
	_ "github.com/weir-ml/weir/backend/cpu"
	_ "github.com/weir-ml/weir/backend/simd"
	"github.com/weir-ml/weir/internal/emulator"
)

var step = flag.Uint64("step", 65521, "try every n-th float32, and as many float64")

// asSIMD are the functions that are package simd's, operation by operation.
var asSIMD = []backend.MapOp{
	backend.Sqrt, backend.Rsqrt, backend.Exp, backend.Expm1, backend.Log, backend.Log1p, backend.Sin, backend.Cos, backend.Tanh, backend.Erf,
	backend.GELU, backend.GELUGrad, backend.Sigmoid, backend.Softplus, backend.Floor, backend.Ceil, backend.Trunc, backend.Round, backend.Sign,
}

// apart32 are those whose float32 form here has steps of its own: package simd's tanh looks coefficients up in registers, and its sine and cosine count
// half turns.
var apart32 = map[backend.MapOp]func(float64) float64{backend.Sin: math.Sin, backend.Cos: math.Cos, backend.Tanh: math.Tanh}

// host opens another backend, or skips the test where there is none.
func host(t *testing.T, name string) backend.Device {
	t.Helper()
	d, err := backend.Open(name, backend.Options{Workers: 1})
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func emulated(t *testing.T) backend.Device {
	t.Helper()
	emulator.Need(t)
	d, err := backend.Open("cuda", backend.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// apply returns op(x) or op(x, y) as a device computes it.
func apply[T float32 | float64](t *testing.T, dev backend.Device, op backend.MapOp, operands ...[]T) []T {
	t.Helper()
	d, n := backend.Float32, len(operands[0])
	if _, wide := any(operands[0]).([]float64); wide {
		d = backend.Float64
	}
	s, err := dev.NewStream()
	require.NoError(t, err)
	vector := func() backend.View {
		b, err := dev.Alloc(n * d.Size())
		require.NoError(t, err)
		return backend.Contiguous(b, d, n)
	}
	c := backend.Cmd{Op: backend.Map, Dst: []backend.View{vector()}}
	types := make([]backend.DType, len(operands))
	for k, x := range operands {
		c.Src, types[k] = append(c.Src, vector()), d
		s.Upload(c.Src[k].Buf, 0, backend.AsBytes(x))
	}
	c.Prog, err = backend.NewProg(types, nil, []backend.Instr{{Op: op, DType: d, A: 0, B: 1}}, []backend.Value{backend.Value(len(operands))})
	require.NoError(t, err)
	s.Exec([]backend.Cmd{c})
	result := make([]T, n)
	require.NoError(t, s.Download(backend.AsBytes(result), c.Dst[0].Buf, 0))
	for _, v := range append(c.Dst, c.Src...) {
		dev.Free(v.Buf)
	}
	require.NoError(t, s.Close())
	return result
}

// sameBits returns the first element that differs, or −1. All NaNs are equal.
func sameBits[T float32 | float64](got, want []T) int {
	for i, x := range got {
		if y := want[i]; (x != y || math.Signbit(float64(x)) != math.Signbit(float64(y))) && (x == x || y == y) {
			return i
		}
	}
	return -1
}

// arguments32 and arguments64 return numbers of all kinds.
func arguments32() []float32 {
	var xs []float32
	for b := uint64(0); b < 1<<32; b += *step {
		xs = append(xs, math.Float32frombits(uint32(b)))
	}
	return append(xs, 0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()))
}

func arguments64() []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	xs := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN()}
	for range (1 << 31) / *step {
		xs = append(xs, math.Float64frombits(r.Uint64()), 20*r.NormFloat64())
	}
	return xs
}

// beyond reports whether package simd leaves an argument of sine or cosine to Go.
func beyond(op backend.MapOp, x, limit float64) bool {
	return (op == backend.Sin || op == backend.Cos) && math.Abs(x) >= limit
}

// without returns the arguments that a condition does not hold for.
func without[T float32 | float64](xs []T, drop func(x float64) bool) []T {
	var kept []T
	for _, x := range xs {
		if !drop(float64(x)) {
			kept = append(kept, x)
		}
	}
	return kept
}

func TestFunctionsHaveTheBitsOfPackageSIMD(t *testing.T) {
	simd, cuda := host(t, "simd"), emulated(t)
	for _, op := range asSIMD {
		if apart32[op] == nil {
			x := arguments32()
			got, want := apply(t, cuda, op, x), apply(t, simd, op, x)
			if i := sameBits(got, want); i >= 0 {
				require.Equal(t, want[i], got[i], "%v(%v) of float32", op, x[i])
			}
		}
		y := without(arguments64(), func(x float64) bool { return beyond(op, x, 0x1p30) })
		got64, want64 := apply(t, cuda, op, y), apply(t, simd, op, y)
		if i := sameBits(got64, want64); i >= 0 {
			require.Equal(t, want64[i], got64[i], "%v(%v) of float64", op, y[i])
		}
	}
}

func TestFunctionsWithStepsOfTheirOwnAreNearTheRealOnes(t *testing.T) {
	cuda := emulated(t)
	for op, real := range apart32 {
		t.Run(op.String(), func(t *testing.T) {
			x := without(arguments32(), func(x float64) bool { return beyond(op, x, 0x1p17) })
			worst := 0.0
			for i, got := range apply(t, cuda, op, x) {
				want := real(float64(x[i]))
				require.Equal(t, math.IsNaN(want), got != got, "%v(%v)", op, x[i])
				worst = max(worst, offFrom(float64(got), want, 0, 24, -126))
			}
			t.Logf("%.2f ulp", worst)
			require.Less(t, worst, 1.6)
		})
	}
}

// pairs returns arguments of functions of two, in orders of their own.
func pairs[T float32 | float64](xs []T) (x, y []T) {
	r := rand.New(rand.NewPCG(3, 4))
	x, y = append([]T(nil), xs...), append([]T(nil), xs...)
	r.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
	for i := range x {
		if i%2 == 0 { // powers that are numbers, angles that are not on the axes
			x[i], y[i] = T(math.Exp(r.NormFloat64())), T(8*r.NormFloat64())
		}
	}
	return x, y
}

func TestFunctionsOfTwoHaveTheBitsOfOthers(t *testing.T) {
	cuda := emulated(t)
	for _, test := range []struct {
		op backend.MapOp
		of string
	}{{backend.Pow, "simd"}, {backend.Atan2, "cpu"}, {backend.Mod, "cpu"}, {backend.Div, "cpu"}, {backend.Min, "cpu"}, {backend.Max, "cpu"}} {
		t.Run(test.op.String(), func(t *testing.T) {
			other := host(t, test.of)
			x, y := pairs(arguments32())
			got, want := apply(t, cuda, test.op, x, y), apply(t, other, test.op, x, y)
			if i := sameBits(got, want); i >= 0 {
				require.Equal(t, want[i], got[i], "%v(%v, %v) of float32", test.op, x[i], y[i])
			}
			x64, y64 := pairs(arguments64())
			got64, want64 := apply(t, cuda, test.op, x64, y64), apply(t, other, test.op, x64, y64)
			if i := sameBits(got64, want64); i >= 0 {
				require.Equal(t, want64[i], got64[i], "%v(%v, %v) of float64", test.op, x64[i], y64[i])
			}
		})
	}
}

// ulpOf returns the unit of the last place at x, in a format of so many bits whose least exponent is least.
func ulpOf(x float64, precision, least int) float64 {
	if x == 0 {
		return math.Ldexp(1, least-precision+1)
	}
	return math.Ldexp(1, max(math.Ilogb(x), least)-precision+1)
}

// offFrom returns how far a value is from the real one, in units of the last place.
func offFrom(got, hi, lo float64, precision, least int) float64 {
	if got != got && hi != hi {
		return 0
	}
	return math.Abs((got-hi)-lo) / ulpOf(hi, precision, least)
}

func TestLargeAnglesAreReducedExactly(t *testing.T) {
	const allowed = 0.95
	cuda := emulated(t)
	r := rand.New(rand.NewPCG(5, 6))
	x, y := []float64{6381956970095103 * 0x1p797, math.MaxFloat64, 0x1p30}, []float32{math.MaxFloat32, 0x1p17}
	for range 4000 {
		x = append(x, math.Ldexp(-1-r.Float64(), 30+r.IntN(994)), math.Floor(math.Exp2(30+20*r.Float64()))*math.Pi/2)
		y = append(y, float32(math.Ldexp(1+r.Float64(), 17+r.IntN(111))))
	}
	for _, op := range []backend.MapOp{backend.Sin, backend.Cos} {
		worst, worst32 := 0., 0.
		for i, got := range apply(t, cuda, op, x) {
			hi, lo := backendtest.Exact(op, x[i], 0)
			worst = max(worst, offFrom(got, hi, lo, 53, -1022))
		}
		for i, got := range apply(t, cuda, op, y) {
			hi, lo := backendtest.Exact(op, float64(y[i]), 0)
			worst32 = max(worst32, offFrom(float64(got), hi, lo, 24, -126))
		}
		t.Logf("%v: %.2f ulp of float32, %.2f of float64", op, worst32, worst)
		require.Less(t, worst, allowed)
		require.Less(t, worst32, 0.51)
	}
}

// draw returns n elements of a distribution.
func draw[T float32 | float64](t *testing.T, dev backend.Device, kind backend.RandomKind, n int, base int64) []T {
	t.Helper()
	d := backend.Float32
	result := make([]T, n)
	if _, wide := any(result).([]float64); wide {
		d = backend.Float64
	}
	s, err := dev.NewStream()
	require.NoError(t, err)
	state, err := dev.Alloc(16)
	require.NoError(t, err)
	dst, err := dev.Alloc(n * d.Size())
	require.NoError(t, err)
	s.Upload(state, 0, backend.AsBytes([]int64{-7, 1 << 40}))
	s.Exec([]backend.Cmd{{
		Op: backend.Random, RandomKind: kind, Base: base,
		Dst: []backend.View{backend.Contiguous(dst, d, n)}, Src: []backend.View{backend.Contiguous(state, backend.Int64, 2)},
	}})
	require.NoError(t, s.Download(backend.AsBytes(result), dst, 0))
	require.NoError(t, s.Close())
	dev.Free(state)
	dev.Free(dst)
	return result
}

func TestUniformsAreThoseOfCPU(t *testing.T) {
	cpu, cuda := host(t, "cpu"), emulated(t)
	for _, base := range []int64{0, 1, 6, 1 << 50} {
		require.Equal(t, draw[float32](t, cpu, backend.Uniform, 3001, base), draw[float32](t, cuda, backend.Uniform, 3001, base))
		require.Equal(t, draw[float64](t, cpu, backend.Uniform, 3001, base), draw[float64](t, cuda, backend.Uniform, 3001, base))
	}
}

// TestNormalsOfFloat32AreNearlyThoseOfCPU compares with normals that are within 0.51 ulp.
func TestNormalsOfFloat32AreNearlyThoseOfCPU(t *testing.T) {
	cpu, cuda := host(t, "cpu"), emulated(t)
	n := int(1 << 34 / *step)
	got, want := draw[float32](t, cuda, backend.Normal, n, 2), draw[float32](t, cpu, backend.Normal, n, 2)
	worst := 0.
	for i := range got {
		worst = max(worst, offFrom(float64(got[i]), float64(want[i]), 0, 24, -126))
	}
	t.Logf("%d normals: %.2f ulp from those of package cpu", n, worst)
	require.LessOrEqual(t, worst, 3.4)
}

func TestNormalsOfFloat64AreThoseOfPackageSIMD(t *testing.T) {
	simd, cuda := host(t, "simd"), emulated(t)
	require.Equal(t, draw[float64](t, simd, backend.Normal, 20_001, 3), draw[float64](t, cuda, backend.Normal, 20_001, 3))
}
