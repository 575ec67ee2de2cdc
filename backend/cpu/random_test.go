package cpu

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// drawn computes element e of a Random by the contract's text.
func drawn(kind backend.RandomKind, d backend.DType, seed, offset uint64, e int) float64 {
	word := func(w int) uint32 { return backend.Philox4x32(seed, offset+uint64(w/4))[w%4] }
	uniform64 := func(e int) float64 {
		return (float64(word(2*e)>>5)*0x1p26 + float64(word(2*e+1)>>6)) * 0x1p-53
	}
	switch {
	case kind == backend.Bits && d == backend.Uint8:
		return float64(uint8(word(e)))
	case kind == backend.Bits && d == backend.Int32:
		return float64(int32(word(e)))
	case kind == backend.Bits:
		return float64(int64(uint64(word(2*e)) | uint64(word(2*e+1))<<32))
	case kind == backend.Uniform && d == backend.Float64:
		return uniform64(e)
	case kind == backend.Uniform:
		return float64(word(e)>>8) * 0x1p-24
	}
	j := e / 2
	u, v := (float64(word(2*j))+0.5)*0x1p-32, float64(word(2*j+1))*0x1p-32
	if d == backend.Float64 {
		u, v = 1-uniform64(2*j), uniform64(2*j+1)
	}
	if e%2 == 0 {
		return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
	}
	return math.Sqrt(-2*math.Log(u)) * math.Sin(2*math.Pi*v)
}

func TestRandomFollowsTheContract(t *testing.T) {
	tests := []struct {
		kind   backend.RandomKind
		dtypes []backend.DType
	}{
		{backend.Bits, []backend.DType{backend.Uint8, backend.Int32, backend.Int64}},
		{backend.Uniform, []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64}},
		{backend.Normal, []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64}},
	}
	r := newRig(t, 2)
	seed, offset := uint64(0xfedcba9876543210), uint64(1)<<40
	state := r.empty(backend.Int64, 2)
	elements[int64](&state)[0], elements[int64](&state)[1] = int64(seed), int64(offset)
	for _, tt := range tests {
		for _, d := range tt.dtypes {
			for _, base := range []int{0, 1, 4097} {
				for _, dst := range []backend.View{r.empty(d, 9000), permuted(r.empty(d, 33, 11), 1, 0), r.empty(d), r.empty(d, 0)} {
					r.exec(backend.Cmd{Op: backend.Random, RandomKind: tt.kind, Base: int64(base),
						Dst: []backend.View{dst}, Src: []backend.View{state}})
					want := r.empty(d, dst.Shape()...)
					for i := range want.Len() {
						x := drawn(tt.kind, d, seed, offset, base+i)
						if set(&want, i, x); tt.kind == backend.Normal {
							require.InEpsilon(t, 10+get(&want, i), 10+get(&dst, i), 1e-7, "element %d of %v", i, d)
							continue
						}
						if d == backend.Int64 {
							require.Equal(t, x, get(&dst, i))
							continue
						}
						require.Equal(t, get(&want, i), get(&dst, i), "element %d of %v", i, d)
					}
				}
			}
		}
	}
}

func TestNormalsAreNormal(t *testing.T) {
	r := newRig(t, 2)
	const n = 1 << 17
	dst := r.empty(backend.Float32, n)
	r.exec(backend.Cmd{Op: backend.Random, RandomKind: backend.Normal, Dst: []backend.View{dst}, Src: []backend.View{r.of(backend.Int64, []float64{1, 0}, 2)}})
	var mean, square, beyond float64
	for _, x := range values(&dst) {
		mean += x / n
		square += x * x / n
		if math.Abs(x) > 1.959964 {
			beyond += 1. / n
		}
	}
	require.InDelta(t, 0, mean, 4/math.Sqrt(n))
	require.InDelta(t, 1, square, 4*math.Sqrt(2./n))
	require.InDelta(t, 0.05, beyond, 4*math.Sqrt(0.05/n))
}

func BenchmarkRandom(b *testing.B) {
	r := newRig(b, 1)
	dst, state := r.empty(backend.Float32, 1<<18), r.of(backend.Int64, []float64{1, 0}, 2)
	for _, kind := range []backend.RandomKind{backend.Uniform, backend.Normal} {
		b.Run(kind.String()+"/float32/262144", func(b *testing.B) {
			cmds := []backend.Cmd{{Op: backend.Random, RandomKind: kind, Dst: []backend.View{dst}, Src: []backend.View{state}}}
			b.SetBytes(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				r.s.Exec(cmds)
			}
		})
	}
}
