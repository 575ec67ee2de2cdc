package simd

import (
	"cmp"
	"flag"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

var step = flag.Uint64("step", 4099, "measure the errors of the float32 functions on every step'th pattern of bits; 1 is all of them")

// function is a float32 function, its value in float64, and the error it may have, in units of the last place.
type function struct {
	op    backend.MapOp
	exact func(float64) float64
	ulps  float64
}

const invSqrt2Pi = 0.398942280401432677939946

func phi(x float64) float64 { return invSqrt2Pi * math.Exp(-x*x/2) }

func cdf(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// inAssembly returns the implementations in assembly that the machine has.
func inAssembly() []implementation {
	return slices.DeleteFunc(present(), func(i implementation) bool { return i == off })
}

var functions = []function{
	{backend.Exp, math.Exp, 1.25},
	{backend.Expm1, math.Expm1, 1.75},
	{backend.Log, math.Log, 1},
	{backend.Log1p, math.Log1p, 1},
	{backend.Sin, math.Sin, 1.75},
	{backend.Cos, math.Cos, 1.75},
	{backend.Tanh, math.Tanh, 1.75},
	{backend.Erf, math.Erf, 1.25},
	{backend.GELU, func(x float64) float64 { return math.Max(x, -30) * cdf(math.Max(x, -30)) }, 4},
	{backend.GELUGrad, func(x float64) float64 {
		x = min(max(x, -30), 30)
		return cdf(x) + float64(x*phi(x))
	}, 4},
	{backend.Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5},
	{backend.Softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 2},
	{backend.Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5},
}

// ulps returns how far got is from want in units of float32's last place at scale, which is |want| but for a function with a zero. Signs of
// zeros, infinities and NaN must be right.
func ulps(got float32, want, scale float64) float64 {
	rounded := float32(want)
	if want != want || math.IsInf(float64(rounded), 0) || rounded == 0 && got == 0 {
		if got != got && want != want || math.Float32bits(got) == math.Float32bits(rounded) {
			return 0
		}
		return math.Inf(1)
	}
	if got != got {
		return math.Inf(1)
	}
	const bias, mantissa, least = 1023, 23, -149
	exp := int(math.Float64bits(scale)>>52) - bias
	perUnit := math.Float64frombits(uint64(bias-max(exp-mantissa, least)) << 52)
	return math.Abs(float64(got)-want) * perUnit
}

// worst is the greatest error that was seen, and where.
type worst struct {
	ulps float64
	at   float32
}

// measure returns the worst error of a kernel on the float32 of every step'th pattern of bits, using all processors.
func (f function) measure(k cpu.Kernel, step uint64) (w worst) {
	parts := uint64(runtime.GOMAXPROCS(0))
	found := make([]worst, parts)
	var wait sync.WaitGroup
	for p := range parts {
		wait.Go(func() { found[p] = f.measurePart(k, p*step, parts*step) })
	}
	wait.Wait()
	return slices.MaxFunc(found, func(a, b worst) int { return cmp.Compare(a.ulps, b.ulps) })
}

func (f function) measurePart(k cpu.Kernel, bits, step uint64) (w worst) {
	const block = 512
	var x, y [block]float32
	for bits < 1<<32 {
		n := 0
		for ; n < block && bits < 1<<32; n++ {
			x[n] = math.Float32frombits(uint32(bits))
			bits += step
		}
		k(unsafe.Pointer(&y), unsafe.Pointer(&x), nil, nil, n)
		for i, v := range x[:n] {
			if off := f.off(v, y[i]); off > w.ulps {
				w = worst{off, v}
			}
		}
	}
	return w
}

func (f function) off(x, got float32) float64 {
	want := f.exact(float64(x))
	scale := math.Abs(want)
	if f.op == backend.GELUGrad && !math.IsInf(float64(x), 0) {
		scale = cdf(float64(x)) + math.Abs(float64(x))*phi(float64(x))
	}
	return ulps(got, want, scale)
}

// Only a sample is measured, but with -step 1. [TestImplementationsAgree] carries the errors over to the other implementation.
func TestErrorsOfFunctions(t *testing.T) {
	for _, i := range inAssembly()[:1] {
		for _, f := range functions {
			k := mapKernel(i, f.op, backend.Float32)
			require.NotNil(t, k, "%v %v", i, f.op)
			w := f.measure(k, *step)
			t.Logf("%v %v: %.3f ulp at %g", i, f.op, w.ulps, w.at)
			if w.ulps > f.ulps {
				t.Errorf("%v %v(%g): %.3f ulp; want at most %v", i, f.op, w.at, w.ulps, f.ulps)
			}
		}
	}
}

// The special values are those of Go's math package.
func TestSpecialValuesOfFunctions(t *testing.T) {
	x := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1, -1,
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, 0x1p-126, -0x1p-126,
		88.72284, 88.722839, -87.33655, -103.97, 1 << 17, -1 << 17, 1<<17 - 0.0078125}
	y := make([]float32, len(x))
	for _, i := range inAssembly() {
		for _, f := range functions {
			mapKernel(i, f.op, backend.Float32)(unsafe.Pointer(&y[0]), unsafe.Pointer(&x[0]), nil, nil, len(x))
			for j, v := range x {
				require.LessOrEqual(t, f.off(v, y[j]), f.ulps, "%v %v(%g) = %g", i, f.op, v, y[j])
			}
		}
	}
}
