package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// wantMap computes op on numbers held as float64.
func wantMap(op backend.MapOp, x, y, z float64) float64 {
	switch op {
	case backend.Neg:
		return -x
	case backend.Abs:
		return math.Abs(x)
	case backend.Sign:
		if x == 0 || x != x {
			return x + 0
		}
		return math.Copysign(1, x)
	case backend.Sqrt:
		return math.Sqrt(x)
	case backend.Rsqrt:
		return 1 / math.Sqrt(x)
	case backend.Exp:
		return math.Exp(x)
	case backend.Expm1:
		return math.Expm1(x)
	case backend.Log:
		return math.Log(x)
	case backend.Log1p:
		return math.Log1p(x)
	case backend.Sin:
		return math.Sin(x)
	case backend.Cos:
		return math.Cos(x)
	case backend.Tanh:
		return math.Tanh(x)
	case backend.Erf:
		return math.Erf(x)
	case backend.GELU:
		return x * math.Erfc(-x/math.Sqrt2) / 2
	case backend.GELUGrad:
		return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	case backend.Sigmoid:
		return 1 / (1 + math.Exp(-x))
	case backend.Softplus:
		return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	case backend.Floor:
		return math.Floor(x)
	case backend.Ceil:
		return math.Ceil(x)
	case backend.Trunc:
		return math.Trunc(x)
	case backend.Round:
		return math.RoundToEven(x)
	case backend.Not:
		return 1 - x
	case backend.Add:
		return x + y
	case backend.Sub:
		return x - y
	case backend.Mul:
		return x * y
	case backend.Div:
		return x / y
	case backend.Mod:
		return x - y*math.Floor(x/y)
	case backend.Pow:
		return math.Pow(x, y)
	case backend.Atan2:
		return math.Atan2(x, y)
	case backend.Min:
		return math.Min(x, y)
	case backend.Max:
		return math.Max(x, y)
	case backend.Eq:
		return float64(truth(x == y))
	case backend.Ne:
		return float64(truth(x != y))
	case backend.Lt:
		return float64(truth(x < y))
	case backend.Le:
		return float64(truth(x <= y))
	case backend.And:
		return float64(int64(x) & int64(y))
	case backend.Or:
		return float64(int64(x) | int64(y))
	case backend.Xor:
		return float64(int64(x) ^ int64(y))
	case backend.Where:
		if x != 0 {
			return y
		}
		return z
	}
	return x // Cast
}

// single returns the program of one instruction on type d, with as many sources as it takes.
func single(t testing.TB, op backend.MapOp, d backend.DType) *backend.Prog {
	ins := make([]backend.DType, op.Arity())
	for i := range ins {
		ins[i] = d
	}
	result := d
	if op.Compares() {
		result = backend.Bool
	}
	if op == backend.Where {
		ins[0] = backend.Bool
	}
	code := []backend.Instr{{Op: op, DType: result, A: 0, B: 1, C: 2}}
	return prog(t, ins, nil, code, backend.Value(len(ins)))
}

func TestEveryInstruction(t *testing.T) {
	r := newRig(t, 2)
	for _, op := range backend.MapOps() {
		for _, d := range backend.DTypes() {
			if !op.Accepts(d) || op.IsFunction() || op == backend.Where && d == backend.Bool {
				continue // functions have tests of their own
			}
			p := single(t, op, d)
			src := make([]backend.View, len(p.Ins))
			for i, in := range p.Ins {
				src[i] = r.random(in, 3, 700)
			}
			dst := r.empty(p.TypeOf(p.Outs[0]), 3, 700)
			cmd := backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{dst}, Src: src}
			r.exec(cmd)
			for i, got := range values(&dst) {
				var x [3]float64
				for k := range src {
					x[k] = get(&src[k], i)
				}
				requireMapped(t, &cmd, d, x, got)
			}
		}
	}
}

func requireMapped(t *testing.T, cmd *backend.Cmd, d backend.DType, x [3]float64, got float64) {
	op := cmd.Prog.Code[0].Op
	want := wantMap(op, x[0], x[1], x[2])
	if !d.IsFloat() {
		switch {
		case op == backend.Div || op == backend.Mod || op == backend.Pow || d == backend.Uint8:
			return // TestIntegerArithmetic
		}
		require.Equal(t, want, got, "%v of %v", cmd, x)
		return
	}
	if math.IsNaN(want) {
		require.True(t, math.IsNaN(got), "%v of %v is %v", cmd, x, got)
		return
	}
	tolerance := math.Abs(want)*max(unit32[d]*1.001, 0x1p-49) + 1e-300
	if op == backend.Mod || op == backend.GELUGrad {
		tolerance += (math.Abs(x[0]) + math.Abs(x[1])) * max(unit32[d], 0x1p-50)
	}
	require.InDelta(t, want, got, tolerance, "%v of %v", cmd, x)
}

func TestIntegerArithmetic(t *testing.T) {
	const least = math.MinInt32
	tests := []struct {
		op         backend.MapOp
		d          backend.DType
		x, y, want float64
	}{
		{backend.Div, backend.Int32, 7, -2, -3},
		{backend.Div, backend.Int32, 7, 0, 0},
		{backend.Div, backend.Int32, least, -1, least},
		{backend.Mod, backend.Int32, 7, -2, -1},
		{backend.Mod, backend.Int32, -7, 2, 1},
		{backend.Mod, backend.Int64, -7, 0, 0},
		{backend.Mod, backend.Uint8, 7, 4, 3},
		{backend.Pow, backend.Int32, 3, 4, 81},
		{backend.Pow, backend.Int32, 2, -1, 0},
		{backend.Pow, backend.Int32, -1, -3, -1},
		{backend.Pow, backend.Int32, -1, -2, 1},
		{backend.Pow, backend.Int64, 1, -9, 1},
		{backend.Pow, backend.Int64, 0, 0, 1},
		{backend.Pow, backend.Int64, 0, -1, 0},
		{backend.Pow, backend.Uint8, 3, 6, 729 % 256},
		{backend.Add, backend.Uint8, 250, 10, 4},
		{backend.Neg, backend.Uint8, 1, 0, 255},
		{backend.Sign, backend.Uint8, 200, 0, 1},
		{backend.Sign, backend.Int64, -200, 0, -1},
		{backend.Abs, backend.Int32, least, 0, least},
	}
	r := newRig(t, 1)
	for _, tt := range tests {
		p := single(t, tt.op, tt.d)
		src := []backend.View{r.of(tt.d, []float64{tt.x}, 1), r.of(tt.d, []float64{tt.y}, 1)}[:tt.op.Arity()]
		dst := r.empty(tt.d, 1)
		r.exec(backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{dst}, Src: src})
		require.Equal(t, tt.want, get(&dst, 0), "%v %v %v of %v", tt.x, tt.op, tt.y, tt.d)
	}
}

func TestMapOfLayouts(t *testing.T) {
	r := newRig(t, 2)
	for _, d := range []backend.DType{backend.Uint8, backend.Int64, backend.BFloat16, backend.Float32} {
		p := single(t, backend.Sub, d)
		for _, size := range [][2]int{{41, 37}, {30, 64}, {1, 1}} {
			for left, x := range r.layouts(d, size[0], size[1]) {
				for right, y := range r.layouts(d, size[0], size[1]) {
					for _, dst := range []backend.View{r.empty(d, size[0], size[1]), permuted(r.empty(d, size[1], size[0]), 1, 0)} {
						r.exec(backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{dst}, Src: []backend.View{x, y}})
						want := r.empty(d, size[0], size[1])
						for i := range want.Len() {
							set(&want, i, get(&x, i)-get(&y, i))
						}
						require.Equal(t, values(&want), values(&dst), "%v: %s − %s", d, left, right)
					}
				}
			}
		}
	}
}

// A chain of Adam's kind: many values alive, parameters, two outputs over their own sources.
func TestProgramInPlace(t *testing.T) {
	const f = backend.Float32
	r := newRig(t, 2)
	g, m, v := r.random(f, 3000), r.random(f, 3000), r.random(f, 3000)
	p := prog(t, []backend.DType{f, f, f}, []backend.DType{f, f}, []backend.Instr{
		{Op: backend.Sub, DType: f, A: 0, B: 1},  // 5: g − m
		{Op: backend.Mul, DType: f, A: 5, B: 3},  // 6
		{Op: backend.Add, DType: f, A: 1, B: 6},  // 7: new m
		{Op: backend.Mul, DType: f, A: 0, B: 0},  // 8
		{Op: backend.Sub, DType: f, A: 8, B: 2},  // 9
		{Op: backend.Mul, DType: f, A: 9, B: 4},  // 10
		{Op: backend.Add, DType: f, A: 2, B: 10}, // 11: new v
		{Op: backend.Abs, DType: f, A: 1},        // 12: |old m|, read after the new one is made
	}, 7, 11, 12)
	gs, ms, vs := values(&g), values(&m), values(&v)
	out := r.empty(f, 3000)
	r.exec(backend.Cmd{Op: backend.Map, Prog: p, Imm: []float64{0.1, 0.01}, Dst: []backend.View{m, v, out}, Src: []backend.View{g, m, v}})
	b1, b2 := float32(0.1), float32(0.01)
	for i := range gs {
		x, y, z := float32(gs[i]), float32(ms[i]), float32(vs[i])
		require.Equal(t, float64(y+float32((x-y)*b1)), get(&m, i))
		require.Equal(t, float64(z+float32((float32(x*x)-z)*b2)), get(&v, i))
		require.Equal(t, math.Abs(ms[i]), get(&out, i))
	}
}

func TestProgramSwapsItsSources(t *testing.T) {
	r := newRig(t, 2)
	for _, d := range []backend.DType{backend.Float32, backend.Float16, backend.Int64} {
		x, y := r.random(d, 1500), r.random(d, 1500)
		xs, ys := values(&x), values(&y)
		p := prog(t, []backend.DType{d, d}, nil, nil, 1, 0)
		r.exec(backend.Cmd{Op: backend.Map, Prog: p, Dst: []backend.View{x, y}, Src: []backend.View{x, y}})
		require.Equal(t, ys, values(&x))
		require.Equal(t, xs, values(&y))
	}
}

func TestProgramMixesTypesAndStoresTwice(t *testing.T) {
	const f, h, b = backend.Float32, backend.BFloat16, backend.Bool
	r := newRig(t, 2)
	x, y := r.random(f, 40, 50), r.random(h, 40, 50)
	p := prog(t, []backend.DType{f, h}, []backend.DType{h, backend.Int64}, []backend.Instr{
		{Op: backend.Cast, DType: h, A: 0},              // 4
		{Op: backend.Mul, DType: h, A: 4, B: 1},         // 5
		{Op: backend.Lt, DType: b, A: 5, B: 2},          // 6
		{Op: backend.Where, DType: h, A: 6, B: 5, C: 2}, // 7
		{Op: backend.Cast, DType: backend.Int64, A: 7},  // 8
		{Op: backend.Mul, DType: backend.Int64, A: 8, B: 3},
	}, 7, 7, 9, 2)
	dst := []backend.View{r.empty(h, 40, 50), permuted(r.empty(h, 50, 40), 1, 0), r.empty(backend.Int64, 40, 50), r.empty(h, 40, 50)}
	r.exec(backend.Cmd{Op: backend.Map, Prog: p, Imm: []float64{0.3, 1e10}, Dst: dst, Src: []backend.View{x, y}})
	bound := toBF16(0.3).float()
	for i := range x.Len() {
		v := toBF16(toBF16(float32(get(&x, i))).float() * float32(get(&y, i))).float()
		if v >= bound {
			v = bound
		}
		require.Equal(t, float64(v), get(&dst[0], i))
		require.Equal(t, float64(v), get(&dst[1], i))
		require.Equal(t, math.Trunc(float64(v))*1e10, get(&dst[2], i)+0)
		require.Equal(t, float64(bound), get(&dst[3], i))
	}
}

// Fusing GELU with its derivative changes no bit.
func TestGELUPair(t *testing.T) {
	r := newRig(t, 1)
	for _, d := range []backend.DType{backend.Float16, backend.Float32, backend.Float64} {
		x := r.random(d, 999)
		p := prog(t, []backend.DType{d}, nil, []backend.Instr{
			{Op: backend.Neg, DType: d, A: 0}, {Op: backend.Neg, DType: d, A: 1},
			{Op: backend.GELUGrad, DType: d, A: 2}, {Op: backend.GELU, DType: d, A: 2}, {Op: backend.GELUGrad, DType: d, A: 2},
		}, 3, 4, 5)
		both := []backend.View{r.empty(d, 999), r.empty(d, 999), r.empty(d, 999)}
		r.exec(backend.Cmd{Op: backend.Map, Prog: p, Dst: both, Src: []backend.View{x}})
		for k, op := range []backend.MapOp{backend.GELUGrad, backend.GELU, backend.GELUGrad} {
			alone := r.empty(d, 999)
			r.exec(backend.Cmd{Op: backend.Map, Prog: single(t, op, d), Dst: []backend.View{alone}, Src: []backend.View{x}})
			require.Equal(t, values(&alone), values(&both[k]), "%v of %v", op, d)
		}
	}
}

func TestEagerMapAllocatesNothing(t *testing.T) {
	r := newRig(t, 1)
	x, y, z := r.random(backend.Float32, 1), r.random(backend.Float32, 1), r.empty(backend.Float32, 1)
	cmds := []backend.Cmd{{Op: backend.Map, Prog: single(t, backend.Add, backend.Float32), Dst: []backend.View{z}, Src: []backend.View{x, y}}}
	require.Zero(t, testing.AllocsPerRun(100, func() { r.s.Exec(cmds) }))
}

func BenchmarkMap(b *testing.B) {
	const d = backend.Float32
	for _, n := range []int{1, 1 << 20} {
		for _, op := range backend.MapOps() {
			if !op.Accepts(d) || n == 1 && op != backend.Add {
				continue
			}
			b.Run(fmt.Sprintf("%v/float32/%d", op, n), func(b *testing.B) {
				r := newRig(b, 1)
				p := single(b, op, d)
				src := make([]backend.View, len(p.Ins))
				for i, in := range p.Ins {
					src[i] = r.random(in, n)
				}
				cmds := []backend.Cmd{{Op: backend.Map, Prog: p, Dst: []backend.View{r.empty(p.TypeOf(p.Outs[0]), n)}, Src: src}}
				b.ReportAllocs()
				for b.Loop() {
					r.s.Exec(cmds)
				}
				require.NoError(b, r.s.Sync())
				b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/float64(n), "ns/elem")
			})
		}
	}
}
