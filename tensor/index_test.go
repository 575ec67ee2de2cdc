package tensor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

func TestGatherPicksAlongAnAxis(t *testing.T) {
	s := newStream(t)
	x := wave(-1, 1, 3, 4)
	index := array{[]int{2, 4}, []float64{2, 0, 1, 1, 0, 0, 2, 1}}
	want := fill([]int{2, 4}, func(i []int) float64 { return x.pick([]int{int(index.pick(i)), i[1]}) })
	for layout, in := range x.layouts(s, backend.Float64) {
		for at, ix := range index.layouts(s, backend.Int64) {
			t.Run(layout+" at "+at, func(t *testing.T) { requireSame(t, want, tensor.Gather(in, 0, ix)) })
		}
	}
	for _, d := range backend.DTypes() {
		ones := tensor.Ones(s, d, 2, 2)
		require.Equal(t, d, tensor.Gather(ones, 1, tensor.Zeros(s, backend.Int64, 2, 0)).DType())
		requireSame(t, array{[]int{2, 1}, []float64{1, 1}}, tensor.Gather(ones, -1, tensor.Ones(s, backend.Int64, 2, 1)))
	}
}

func TestTakePicksSlices(t *testing.T) {
	s := newStream(t)
	x := wave(-1, 1, 3, 4)
	positions := []float64{2, 2, 0}
	rows := fill([]int{3, 4}, func(i []int) float64 { return x.pick([]int{int(positions[i[0]]), i[1]}) })
	columns := fill([]int{3, 3}, func(i []int) float64 { return x.pick([]int{i[0], int(positions[i[1]])}) })
	for layout, in := range x.layouts(s, backend.Float32) {
		x.data = read(t, in)
		for at, ix := range (array{[]int{3}, positions}).layouts(s, backend.Int64) {
			t.Run(layout+" at "+at, func(t *testing.T) {
				requireClose(t, rows, tensor.Take(in, 0, ix), 1e-6)
				requireClose(t, columns, tensor.Take(in, -1, ix), 1e-6)
			})
		}
	}
	requireSame(t, array{[]int{0, 4}, nil}, tensor.Take(x.on(s, backend.Float32), 0, tensor.Zeros(s, backend.Int64, 0)))
}

func TestScatterAddAddsRepeatedPositions(t *testing.T) {
	s := newStream(t)
	x, items := wave(-1, 1, 3, 2), wave(2, 3, 4, 2)
	index := array{[]int{4, 2}, []float64{0, 2, 0, 2, 1, 2, 0, 0}}
	want := fill(x.shape, x.pick)
	for i := range 4 {
		for j := range 2 {
			want.data[int(index.pick([]int{i, j}))*2+j] += items.pick([]int{i, j})
		}
	}
	for layout, in := range x.layouts(s, backend.Float64) {
		for at, adding := range items.layouts(s, backend.Float64) {
			t.Run(layout+" with "+at, func(t *testing.T) {
				before := read(t, in)
				requireSame(t, want, tensor.ScatterAdd(in, 0, index.on(s, backend.Int64), adding))
				require.Equal(t, before, read(t, in), "the operand stays as it was")
			})
		}
	}
}

func TestAnIndexOutOfRangePoisonsTheStream(t *testing.T) {
	s := newStream(t)
	x := tensor.Arange(s, backend.Float32, 3)
	y := tensor.Gather(x, 0, tensor.FromSlice(s, []int64{3}, 1))
	_, err := tensor.ToSlice[float32](y)
	require.ErrorContains(t, err, "3")
	_, again := x.Float64s()
	require.Equal(t, err, again, "every later read returns the first cause")
	require.Equal(t, err, s.Sync())
}
