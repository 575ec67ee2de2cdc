package cpu

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// floats32 returns float32 values of every exponent and both signs, and neighbourhoods where functions change their method.
func floats32() []float32 {
	xs := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}
	for b := uint32(1); b < 0x7f800000; b += 19937 {
		xs = append(xs, math.Float32frombits(b), math.Float32frombits(b|1<<31))
	}
	for i := -16000; i <= 16000; i++ {
		xs = append(xs, float32(i)/1000, 1+float32(i)*0x1p-23, float32(i)*(math.Pi/16), float32(i)/100)
	}
	return xs
}

// exactGELU and its derivative in the tail go by float64's corrected forms, which TestGELU64 holds against more digits.
func exact(op backend.MapOp, x float64) float64 {
	switch op {
	case backend.GELU, backend.GELUGrad:
		if x < geluEnd {
			return math.Copysign(0, -1)
		}
		if op == backend.GELUGrad {
			return geluGrad(x)
		}
		return gelu(x)
	case backend.Sigmoid:
		return sigmoid(x)
	}
	return wantMap(op, x, 0, 0)
}

// The float32 functions are within 0.52 ulp of float64's; GELU's derivative, which has a zero, to 0.52 ulp of its larger term.
func TestFloat32FunctionsAreNearlyExact(t *testing.T) {
	r := newRig(t, 2)
	xs := floats32()
	src, dst := r.empty(backend.Float32, len(xs)), r.empty(backend.Float32, len(xs))
	copy(elements[float32](&src), xs)
	for _, op := range []backend.MapOp{backend.Exp, backend.Expm1, backend.Log, backend.Log1p, backend.Sin, backend.Cos, backend.Tanh,
		backend.Erf, backend.GELU, backend.GELUGrad, backend.Sigmoid, backend.Softplus, backend.Rsqrt, backend.Sqrt} {
		r.exec(backend.Cmd{Op: backend.Map, Prog: single(t, op, backend.Float32), Dst: []backend.View{dst}, Src: []backend.View{src}})
		worst, where := 0.0, float32(0)
		for i, got := range elements[float32](&dst) {
			want := exact(op, float64(xs[i]))
			if off := ulps32(float64(got), want, op == backend.GELUGrad); off > worst {
				worst, where = off, xs[i]
			}
		}
		require.LessOrEqual(t, worst, 0.52, "%v(%v) = %v", op, where, exact(op, float64(where)))
	}
}

// ulps32 returns how far got is from want in units of float32's last place; signs of zeros and NaN must agree.
func ulps32(got, want float64, zero bool) float64 {
	rounded := float64(float32(want))
	switch {
	case math.IsNaN(want) || math.IsInf(rounded, 0) || rounded == 0:
		if fmt.Sprint(got) == fmt.Sprint(rounded) || zero && got == rounded {
			return 0
		}
		if rounded == 0 && math.Abs(got) == 0x1p-149 {
			return math.Abs(got-want) / 0x1p-149
		}
		return math.Inf(1)
	}
	_, exp := math.Frexp(want)
	if zero {
		exp = max(exp, -1)
	}
	return math.Abs(got-want) / math.Ldexp(1, max(exp-24, -149))
}

// bigTail returns Φ(x) and φ(x) for x < −3 to 60 digits, from Laplace's continued fraction for Mills' ratio.
func bigTail(x float64) (cdf, pdf *big.Float) {
	const prec = 300
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(v) }
	z := num(-x)
	f := num(-x)
	for k := 4000; k >= 1; k-- {
		f.Quo(num(float64(k)), f).Add(f, z)
	}
	half := num(x)
	half.Mul(half, half).Quo(half, num(-2))
	pdf = bigExp(half)
	pi, _ := new(big.Float).SetPrec(prec).SetString("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")
	pdf.Quo(pdf, new(big.Float).SetPrec(prec).Sqrt(pi.Mul(pi, num(2))))
	return new(big.Float).SetPrec(prec).Quo(pdf, f), pdf
}

// bigExp returns eˣ by its series at x/2¹⁶.
func bigExp(x *big.Float) *big.Float {
	small := new(big.Float).SetPrec(400).SetMantExp(x, -16)
	sum, term := big.NewFloat(1).SetPrec(400), big.NewFloat(1).SetPrec(400)
	for k := 1; k < 60; k++ {
		term.Mul(term, small).Quo(term, new(big.Float).SetPrec(400).SetInt64(int64(k)))
		sum.Add(sum, term)
	}
	for range 16 {
		sum.Mul(sum, sum)
	}
	return sum
}

func TestGELU64KeepsItsTail(t *testing.T) {
	for x := -4.0; x > -37; x -= 0.7391 {
		cdf, pdf := bigTail(x)
		z := new(big.Float).SetPrec(300).SetFloat64(x)
		value, _ := new(big.Float).Mul(z, cdf).Float64()
		grad, _ := new(big.Float).Add(cdf, new(big.Float).Mul(z, pdf)).Float64()
		require.InEpsilon(t, value, gelu(x), 4*0x1p-52, "GELU(%v)", x)
		require.InEpsilon(t, grad, geluGrad(x), 4*0x1p-52, "GELUGrad(%v)", x)
	}
}

// Go's own functions fail here on amd64.
func TestEndsOfExpAndLog(t *testing.T) {
	require.InEpsilon(t, 1.6549840276802644e308, exp(709.7), 1e-15)
	require.Equal(t, math.Inf(1), exp(709.8))
	require.Zero(t, exp(-746))
	require.Equal(t, -744.4400719213812, log(5e-324))
	require.Equal(t, math.Inf(-1), log(0))
	require.True(t, math.IsNaN(log(-1)))
}

func TestLimitsOfGELU(t *testing.T) {
	inf := math.Inf(1)
	require.Equal(t, inf, gelu(inf))
	require.Zero(t, gelu(-inf))
	require.Equal(t, 1., geluGrad(inf))
	require.Zero(t, geluGrad(-inf))
	require.Equal(t, 0.5, geluGrad(0))
	require.True(t, math.IsNaN(gelu(math.NaN())) && math.IsNaN(geluGrad(math.NaN())))
}

// BenchmarkFunctions compares the float32 functions with loops over Go's math, on 1024 values in [0.1, 3).
func BenchmarkFunctions(b *testing.B) {
	const n = 1024
	r := newRig(b, 1)
	src := r.empty(backend.Float32, n)
	xs := elements[float32](&src)
	for i := range xs {
		xs[i] = 0.1 + 2.9*r.rnd.Float32()
	}
	for op := backend.Exp; op <= backend.Softplus; op++ {
		b.Run(op.String()+"/float32/engine", func(b *testing.B) {
			cmds := []backend.Cmd{{Op: backend.Map, Prog: single(b, op, backend.Float32), Src: []backend.View{src},
				Dst: []backend.View{r.empty(backend.Float32, n)}}}
			for b.Loop() {
				r.s.Exec(cmds)
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/elem")
		})
		b.Run(op.String()+"/float32/math", func(b *testing.B) {
			dst := make([]float32, n)
			for b.Loop() {
				for i, x := range xs {
					dst[i] = float32(wantMap(op, float64(x), 0, 0))
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/elem")
		})
	}
	b.Run("gelu and gelu_grad/float32/engine", func(b *testing.B) {
		const f = backend.Float32
		p := prog(b, []backend.DType{f}, nil, []backend.Instr{{Op: backend.GELU, DType: f}, {Op: backend.GELUGrad, DType: f}}, 1, 2)
		cmds := []backend.Cmd{{Op: backend.Map, Prog: p, Dst: []backend.View{r.empty(f, n), r.empty(f, n)}, Src: []backend.View{src}}}
		for b.Loop() {
			r.s.Exec(cmds)
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/n, "ns/elem")
	})
}
