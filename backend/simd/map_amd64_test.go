package simd

import (
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

var samples = flag.Uint64("samples", 0, "measure the errors of the float64 functions on so many times more arguments")

// function is a float32 function, its value in float64, and the error it may have, in units of the last place.
type function struct {
	op    backend.MapOp
	exact func(float64) float64
	ulps  float64
	tail  float64 // the error below −1 if it is another: there GELU is small, and the contract bounds its absolute error
}

// geluEnd is where GELU and its derivative end: below they are 0, which the contract allows.
const geluEnd = -9

const invSqrt2Pi = 0.398942280401432677939946

func phi(x float64) float64 { return invSqrt2Pi * math.Exp(-x*x/2) }

func cdf(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// inAssembly returns the implementations in assembly that the machine has.
func inAssembly() []implementation {
	return slices.DeleteFunc(present(), func(i implementation) bool { return i == off })
}

var functions = []function{
	{backend.Exp, math.Exp, 1.25, 0},
	{backend.Expm1, math.Expm1, 1.75, 0},
	{backend.Log, math.Log, 1, 0},
	{backend.Log1p, math.Log1p, 1, 0},
	{backend.Sin, math.Sin, 1.98, 0},
	{backend.Cos, math.Cos, 1.98, 0},
	{backend.Tanh, math.Tanh, 1.25, 0},
	{backend.Erf, math.Erf, 1.25, 0},
	{backend.GELU, func(x float64) float64 {
		if x < geluEnd {
			return math.Copysign(0, -1)
		}
		return x * cdf(x)
	}, 4, 5.5},
	{backend.GELUGrad, func(x float64) float64 {
		if x < geluEnd {
			return math.Copysign(0, -1)
		}
		x = min(x, 30)
		return cdf(x) + float64(x*phi(x))
	}, 4, 5.5},
	{backend.Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 2.5, 0},
	{backend.Softplus, func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }, 2, 0},
	{backend.Rsqrt, func(x float64) float64 { return 1 / math.Sqrt(x) }, 1.5, 0},
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

// bound returns the error that f may have at x.
func (f function) bound(x float32) float64 {
	if f.tail > 0 && x < -1 {
		return f.tail
	}
	return f.ulps
}

// worst is the greatest error that was seen, and where.
type worst struct {
	ulps float64
	at   float32
}

func (w *worst) see(e worst) {
	if e.ulps > w.ulps {
		*w = e
	}
}

// extremes are the worst of the arguments from −1 up and of those below, where some functions have a tail.
type extremes struct{ above, below worst }

// measure returns the worst errors of a kernel on the float32 of every step'th pattern of bits, using all processors.
func (f function) measure(k cpu.Kernel, step uint64) (all extremes) {
	parts := make([]extremes, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for p := range parts {
		wait.Go(func() { parts[p] = f.measurePart(k, uint64(p)*step, uint64(len(parts))*step) })
	}
	wait.Wait()
	for _, e := range parts {
		all.above.see(e.above)
		all.below.see(e.below)
	}
	return all
}

func (f function) measurePart(k cpu.Kernel, bits, step uint64) (e extremes) {
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
			w := &e.above
			if v < -1 {
				w = &e.below
			}
			w.see(worst{f.off(v, y[i]), v})
		}
	}
	return e
}

func (f function) off(x, got float32) float64 {
	want := f.exact(float64(x))
	if math.IsInf(float64(x), 0) && got != float32(want) && want == want {
		return math.Inf(1)
	}
	scale := math.Abs(want)
	if f.op == backend.GELUGrad && !math.IsInf(float64(x), 0) {
		scale = cdf(float64(x)) + math.Abs(float64(x))*phi(float64(x))
	}
	return ulps(got, want, scale)
}

// Only a sample is measured, but with -step 1. [TestImplementationsAgree] carries the errors over to the other implementation.
func TestErrorsOfFunctions(t *testing.T) {
	i := inAssembly()[0]
	for _, f := range functions {
		t.Run(f.op.String(), func(t *testing.T) {
			w := f.measure(mapKernel(i, f.op, backend.Float32), *step)
			t.Logf("%v: %.3f ulp at %g; below −1 %.3f ulp at %g", i, w.above.ulps, w.above.at, w.below.ulps, w.below.at)
			for _, e := range []worst{w.above, w.below} {
				require.LessOrEqual(t, e.ulps, f.bound(e.at), "%v(%g)", f.op, e.at)
			}
		})
	}
}

// The special values are those of Go's math package.
func TestSpecialValuesOfFunctions(t *testing.T) {
	x := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1, -1,
		math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, 0x1p-126, -0x1p-126,
		88.72284, 88.722839, -87.33655, -103.97, 1 << 16, -1 << 16, 1<<16 - 0.00390625, -73975.11}
	y := make([]float32, len(x))
	for _, i := range inAssembly() {
		for _, f := range functions {
			mapKernel(i, f.op, backend.Float32)(unsafe.Pointer(&y[0]), unsafe.Pointer(&x[0]), nil, nil, len(x))
			for j, v := range x {
				require.LessOrEqual(t, f.off(v, y[j]), f.bound(v), "%v %v(%g) = %g", i, f.op, v, y[j])
			}
		}
	}
}
