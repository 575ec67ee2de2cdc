package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// reduced returns an operand for v reduced over the axes in mask.
func (r *rig) reduced(d backend.DType, v *backend.View, mask int) backend.View {
	dims := append([]int(nil), v.Shape()...)
	for a := range dims {
		if mask>>a&1 == 1 {
			dims[a] = 1
		}
	}
	return r.empty(d, dims...)
}

// groups returns the elements of v that meet in each element of dst.
func groups(dst, v *backend.View) [][]float64 {
	terms := make([][]float64, dst.Len())
	for i := range v.Len() {
		to, rest, size := 0, i, 1
		for a := v.Rank - 1; a >= 0; a-- {
			if dst.Dims[a] > 1 {
				to += rest % v.Dims[a] * size
			}
			rest /= v.Dims[a]
			size *= dst.Dims[a]
		}
		terms[to] = append(terms[to], get(v, i))
	}
	return terms
}

func wantReduce(op backend.ReduceOp, xs []float64) float64 {
	switch op {
	case backend.ReduceProd:
		p := 1.0
		for _, x := range xs {
			p *= x
		}
		return p
	case backend.ReduceMax:
		m := math.Inf(-1)
		for _, x := range xs {
			m = math.Max(m, x)
		}
		return m
	case backend.ReduceMin:
		m := math.Inf(1)
		for _, x := range xs {
			m = math.Min(m, x)
		}
		return m
	}
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum
}

func TestReduceOverEverySetOfAxes(t *testing.T) {
	r := newRig(t, 2)
	ops := []backend.ReduceOp{backend.ReduceSum, backend.ReduceProd, backend.ReduceMax, backend.ReduceMin}
	for _, d := range []backend.DType{backend.Int32, backend.Int64, backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		shapes := []backend.View{
			r.random(d, 3, 4, 2, 5), permuted(r.random(d, 7, 3, 4), 2, 0, 1), flipped(r.random(d, 6, 300), 1),
			broadcast(r.random(d, 3, 1, 4), 1, 5), r.random(d, 1, 4, 1),
		}
		for _, v := range shapes {
			for mask := range 1 << v.Rank {
				for _, op := range ops {
					dst := r.reduced(d, &v, mask)
					cmd := backend.Cmd{Op: backend.Reduce, ReduceOp: op, Dst: []backend.View{dst}, Src: []backend.View{v}}
					r.exec(cmd)
					for i, xs := range groups(&dst, &v) {
						want, tolerance := wantReduce(op, xs), 0.0
						if d == backend.Int32 && op == backend.ReduceProd {
							continue // wraps; TestIntegersWrap
						}
						if d.IsFloat() && op == backend.ReduceSum {
							for _, x := range xs {
								tolerance += math.Abs(x) * 0x1p-20
							}
						}
						if d.IsFloat() && op <= backend.ReduceProd {
							tolerance += 4*math.Abs(want)*max(unit32[d], 0x1p-22) + 1e-7
						}
						got := get(&dst, i)
						if math.IsInf(got, 0) && d == backend.Float16 || math.Abs(want) > 1<<53 {
							continue
						}
						require.InDelta(t, want, got, tolerance, "%v, element %d", &cmd, i)
					}
				}
			}
		}
	}
}

func TestIntegersWrap(t *testing.T) {
	r := newRig(t, 1)
	v, dst := r.of(backend.Uint8, []float64{200, 100, 3}, 3), r.empty(backend.Uint8, 1)
	r.exec(backend.Cmd{Op: backend.Reduce, Dst: []backend.View{dst}, Src: []backend.View{v}})
	require.Equal(t, []float64{47}, values(&dst))
	r.exec(backend.Cmd{Op: backend.Reduce, ReduceOp: backend.ReduceProd, Dst: []backend.View{dst}, Src: []backend.View{v}})
	require.Equal(t, []float64{60000 % 256}, values(&dst))
}

func TestReduceOfSpecialValues(t *testing.T) {
	nan, inf, zero := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	tests := []struct {
		op   backend.ReduceOp
		in   []float64
		want float64
	}{
		{backend.ReduceSum, nil, 0},
		{backend.ReduceProd, nil, 1},
		{backend.ReduceMax, nil, -inf},
		{backend.ReduceMin, nil, inf},
		{backend.ReduceMax, []float64{1, nan, 3}, nan},
		{backend.ReduceMin, []float64{nan, -inf}, nan},
		{backend.ReduceMax, []float64{zero, 0, zero}, 0},
		{backend.ReduceMin, []float64{0, zero, 0}, zero},
		{backend.ReduceSum, []float64{inf, 1}, inf},
		{backend.ReduceSum, []float64{inf, -inf}, nan},
	}
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		for _, tt := range tests {
			r := newRig(t, 1)
			v, dst := r.of(d, tt.in, len(tt.in)), r.empty(d, 1)
			r.exec(backend.Cmd{Op: backend.Reduce, ReduceOp: tt.op, Dst: []backend.View{dst}, Src: []backend.View{v}})
			got := get(&dst, 0)
			require.Equal(t, fmt.Sprint(tt.want), fmt.Sprint(got), "%v %v of %v", d, tt.op, tt.in)
			require.Equal(t, math.Signbit(tt.want), math.Signbit(got) && got == got, "%v %v of %v", d, tt.op, tt.in)
		}
	}
}

func TestArgReduce(t *testing.T) {
	nan, zero := math.NaN(), math.Copysign(0, -1)
	tests := []struct {
		op   backend.ReduceOp
		in   []float64
		want float64
	}{
		{backend.ReduceArgMax, []float64{1, 3, 2, 3}, 1},
		{backend.ReduceArgMin, []float64{1, 0, 2, 0}, 1},
		{backend.ReduceArgMax, []float64{1, nan, 5, nan}, 1},
		{backend.ReduceArgMin, []float64{-1, 2, nan}, 2},
		{backend.ReduceArgMax, []float64{zero, 0}, 0},
		{backend.ReduceArgMin, []float64{7}, 0},
	}
	for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		for _, tt := range tests {
			r := newRig(t, 1)
			v, dst := r.of(d, tt.in, 1, len(tt.in)), r.empty(backend.Int64, 1, 1)
			r.exec(backend.Cmd{Op: backend.Reduce, ReduceOp: tt.op, Dst: []backend.View{dst}, Src: []backend.View{v}})
			require.Equal(t, tt.want, get(&dst, 0), "%v %v of %v", d, tt.op, tt.in)
		}
	}
}

func TestArgReduceAlongEachAxis(t *testing.T) {
	r := newRig(t, 2)
	for axis := range 3 {
		v := permuted(r.random(backend.Int32, 30, 40, 9), 1, 2, 0)
		dst := r.reduced(backend.Int64, &v, 1<<axis)
		r.exec(backend.Cmd{Op: backend.Reduce, ReduceOp: backend.ReduceArgMax, Dst: []backend.View{dst}, Src: []backend.View{v}})
		for i, xs := range groups(&dst, &v) {
			best := 0
			for k, x := range xs {
				if x > xs[best] {
					best = k
				}
			}
			require.Equal(t, float64(best), get(&dst, i))
		}
	}
}

func BenchmarkReduce(b *testing.B) {
	r := newRig(b, 2)
	const d = backend.Float32
	v := r.random(d, 500, 100, 64)
	for _, bench := range []struct {
		name string
		op   backend.ReduceOp
		mask int
	}{
		{"sum/500x100x64 to 64", backend.ReduceSum, 3}, {"sum/500x100x64 to 500,64", backend.ReduceSum, 2},
		{"sum/500x100x64 to 500,100", backend.ReduceSum, 4}, {"sum/500x100x64 to 1", backend.ReduceSum, 7},
		{"sum/500x100x64 to 100,64", backend.ReduceSum, 1}, {"max/500x100x64 to 500,100", backend.ReduceMax, 4},
		{"argmax/500x100x64 to 500,100", backend.ReduceArgMax, 4},
	} {
		b.Run("float32/"+bench.name, func(b *testing.B) {
			to := d
			if bench.op.IsArg() {
				to = backend.Int64
			}
			cmds := []backend.Cmd{{Op: backend.Reduce, ReduceOp: bench.op, Src: []backend.View{v}, Dst: []backend.View{r.reduced(to, &v, bench.mask)}}}
			b.SetBytes(int64(4 * v.Len()))
			b.ReportAllocs()
			for b.Loop() {
				r.s.Exec(cmds)
			}
			require.NoError(b, r.s.Sync())
		})
	}
}
