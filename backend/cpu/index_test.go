package cpu

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// coordinates returns the index of element i of a shape.
func coordinates(v *backend.View, i int) []int {
	at := make([]int, v.Rank)
	for a := v.Rank - 1; a >= 0; a-- {
		at[a] = i % v.Dims[a]
		i /= v.Dims[a]
	}
	return at
}

func number32(v *backend.View, at []int) int {
	i := 0
	for a, x := range at {
		i = i*v.Dims[a] + x
	}
	return i
}

// indices returns an index operand for items along axis, below n; shared makes it one along the other axes.
func (r *rig) indices(items *backend.View, axis, n int, shared bool) backend.View {
	dims := append([]int(nil), items.Shape()...)
	if shared {
		for a := range dims {
			if a != axis {
				dims[a] = 1
			}
		}
	}
	v := r.empty(backend.Int64, dims...)
	for i := range v.Len() {
		set(&v, i, float64(r.rnd.IntN(n)))
	}
	for a := range dims {
		if dims[a] != items.Dims[a] {
			v = broadcast(v, a, items.Dims[a])
		}
	}
	return v
}

func TestGatherAndScatterAdd(t *testing.T) {
	r := newRig(t, 2)
	for _, d := range []backend.DType{backend.Uint8, backend.Int32, backend.Int64, backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		for axis := range 3 {
			for _, shared := range []bool{false, true} {
				items := permuted(r.random(d, 20, 9, 21), 1, 0, 2)
				dims := append([]int(nil), items.Shape()...)
				dims[axis] = 5
				table, out := r.random(d, dims...), r.empty(d, items.Shape()...)
				index := r.indices(&items, axis, 5, shared)

				r.exec(backend.Cmd{Op: backend.Gather, Axis: axis, Dst: []backend.View{out}, Src: []backend.View{table, index}})
				want := make([]float64, out.Len())
				sums := values(&table)
				for i := range want {
					at := coordinates(&items, i)
					at[axis] = int(get(&index, i))
					want[i] = get(&table, number32(&table, at))
				}
				require.Equal(t, want, values(&out), "%v axis %d", d, axis)

				for i := range items.Len() {
					at := coordinates(&items, i)
					at[axis] = int(get(&index, i))
					k := number32(&table, at)
					sums[k] += get(&items, i)
					if d != backend.Float64 && d.IsFloat() {
						sums[k] = float64(float32(sums[k]))
					}
				}
				r.exec(backend.Cmd{Op: backend.ScatterAdd, Axis: axis, Dst: []backend.View{table}, Src: []backend.View{items, index}})
				rounded := r.of(d, sums, dims...)
				require.Equal(t, values(&rounded), values(&table), "%v axis %d", d, axis)
			}
		}
	}
}

func TestIndexOutOfRange(t *testing.T) {
	for _, op := range []backend.Op{backend.Gather, backend.ScatterAdd} {
		for _, bad := range []float64{-1, 4, 1 << 40} {
			r := newRig(t, 2)
			table, items := r.random(backend.Float32, 3, 4), r.random(backend.Float32, 3, 2)
			index := r.of(backend.Int64, []float64{0, 1, 2, bad, 9, 3}, 3, 2)
			cmd := backend.Cmd{Op: op, Axis: 1, Dst: []backend.View{items}, Src: []backend.View{table, index}}
			if op == backend.ScatterAdd {
				cmd.Dst, cmd.Src = []backend.View{table}, []backend.View{items, index}
			}
			r.s.Exec([]backend.Cmd{cmd})
			require.ErrorContains(t, r.s.Sync(), "is out of range for axis 1 of length 4")
		}
	}
}

func TestScan(t *testing.T) {
	r := newRig(t, 2)
	for _, d := range []backend.DType{backend.Uint8, backend.Int32, backend.Int64, backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
		for axis := range 3 {
			src := flipped(permuted(r.random(d, 70, 5, 6), 2, 0, 1), 1)
			dst := r.empty(d, src.Shape()...)
			want := r.empty(d, src.Shape()...)
			sums := map[int]float64{}
			for i := range src.Len() {
				at := coordinates(&src, i)
				at[axis] = 0
				k := number32(&src, at)
				sums[k] += get(&src, i)
				if d != backend.Float64 && d.IsFloat() {
					sums[k] = float64(float32(sums[k]))
				}
				set(&want, i, sums[k])
			}
			r.exec(backend.Cmd{Op: backend.Scan, Axis: axis, Dst: []backend.View{dst}, Src: []backend.View{src}})
			require.Equal(t, values(&want), values(&dst), "%v axis %d", d, axis)
		}
	}
}

func TestSort(t *testing.T) {
	nan, zero := math.NaN(), math.Copysign(0, -1)
	tests := []struct {
		name       string
		descending bool
		in         []float64
		want       []float64 // positions
	}{
		{"ascending, ties in order", false, []float64{3, 1, 2, 1, 3}, []float64{1, 3, 2, 0, 4}},
		{"descending, ties in order", true, []float64{3, 1, 2, 1, 3}, []float64{0, 4, 2, 1, 3}},
		{"NaN last", false, []float64{nan, 1, nan, 0}, []float64{3, 1, 0, 2}},
		{"NaN last when descending", true, []float64{nan, 1, nan, 2}, []float64{3, 1, 0, 2}},
		{"zeros are equal", false, []float64{0, zero, -1, zero}, []float64{2, 0, 1, 3}},
	}
	for _, tt := range tests {
		for _, d := range []backend.DType{backend.Float16, backend.BFloat16, backend.Float32, backend.Float64} {
			r := newRig(t, 1)
			n := len(tt.in)
			src, dst, where := r.of(d, tt.in, n), r.empty(d, n), r.empty(backend.Int64, n)
			r.exec(backend.Cmd{Op: backend.Sort, Descending: tt.descending, Dst: []backend.View{dst, where}, Src: []backend.View{src}})
			require.Equal(t, tt.want, values(&where), "%s, %v", tt.name, d)
			for i, p := range tt.want {
				require.Equal(t, math.Float64bits(get(&src, int(p))), math.Float64bits(get(&dst, i)), "%s, %v", tt.name, d)
			}
		}
	}
}

func TestSortAlongEachAxis(t *testing.T) {
	r := newRig(t, 2)
	for _, d := range []backend.DType{backend.Bool, backend.Uint8, backend.Int32, backend.Int64, backend.Float32} {
		for axis := range 2 {
			src := permuted(r.random(d, 60, 50), 1, 0)
			dst, where := r.empty(d, 50, 60), r.empty(backend.Int64, 50, 60)
			r.exec(backend.Cmd{Op: backend.Sort, Axis: axis, Dst: []backend.View{dst, where}, Src: []backend.View{src}})
			lanes := permuted(src, axis, 1-axis)
			sorted, from := permuted(dst, axis, 1-axis), permuted(where, axis, 1-axis)
			width := lanes.Dims[1]
			for l := range width {
				var want, got []float64
				for i := range lanes.Dims[0] {
					want = append(want, get(&lanes, i*width+l))
					got = append(got, get(&sorted, i*width+l))
					require.Equal(t, got[i], get(&lanes, int(get(&from, i*width+l))*width+l))
				}
				slices.Sort(want)
				require.Equal(t, want, got)
			}
		}
	}
}
