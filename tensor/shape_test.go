package tensor_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// count returns 0, 1, 2, … in that shape.
func count(shape ...int) array {
	n := -1.0
	return fill(shape, func([]int) float64 { n++; return n })
}

func TestViewsPickTheElementsTheirDocumentationSays(t *testing.T) {
	s := newStream(t)
	for _, d := range backend.DTypes() {
		testViews(t, s, d)
	}
}

func testViews(t *testing.T, s *tensor.Stream, d backend.DType) {
	x := count(2, 3, 4)
	x.data = read(t, x.on(s, d))
	at := func(i, j, k int) float64 { return x.data[(i*3+j)*4+k] }
	for _, c := range []struct {
		name string
		f    func(x *tensor.Tensor) *tensor.Tensor
		want array
	}{
		{"permute", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Permute(x, 2, 0, -2) },
			fill([]int{4, 2, 3}, func(i []int) float64 { return at(i[1], i[2], i[0]) })},
		{"transpose", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Transpose(x, 0, -1) },
			fill([]int{4, 3, 2}, func(i []int) float64 { return at(i[2], i[1], i[0]) })},
		{"slice", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Slice(x, -1, 1, 3) },
			fill([]int{2, 3, 2}, func(i []int) float64 { return at(i[0], i[1], i[2]+1) })},
		{"slice of nothing", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Slice(x, 1, 3, 3) },
			array{[]int{2, 0, 4}, nil}},
		{"select", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Select(x, 1, 2) },
			fill([]int{2, 4}, func(i []int) float64 { return at(i[0], 2, i[1]) })},
		{"flip", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Flip(x, -2) },
			fill([]int{2, 3, 4}, func(i []int) float64 { return at(i[0], 2-i[1], i[2]) })},
		{"unsqueeze first", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Unsqueeze(x, 0) }, array{[]int{1, 2, 3, 4}, x.data}},
		{"unsqueeze last", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Unsqueeze(x, -1) }, array{[]int{2, 3, 4, 1}, x.data}},
		{"squeeze", func(x *tensor.Tensor) *tensor.Tensor {
			return tensor.Squeeze(tensor.Unsqueeze(tensor.Unsqueeze(x, 1), 0), 2, 0)
		}, x},
		{"squeeze nothing", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Squeeze(x) }, x},
		{"broadcast", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Broadcast(tensor.Slice(x, 1, 0, 1), 2, 2, 5, 4) },
			fill([]int{2, 2, 5, 4}, func(i []int) float64 { return at(i[1], 0, i[3]) })},
		{"reshape", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Reshape(x, 4, -1) }, array{[]int{4, 6}, x.data}},
	} {
		for layout, in := range x.layouts(s, d) {
			t.Run(fmt.Sprint(c.name, " ", d, " ", layout), func(t *testing.T) { requireSame(t, c.want, c.f(in)) })
		}
	}
}

// view returns a random chain of views on random elements, and the shape to reshape it to.
func view(s *tensor.Stream, r *rand.Rand) (x *tensor.Tensor, shape []int) {
	dims := make([]int, r.IntN(4))
	for i := range dims {
		dims[i] = []int{1, 1, 2, 2, 3, 4, 6, 0}[r.IntN(8)]
	}
	x = count(dims...).on(s, backend.Int32)
	for range r.IntN(6) {
		if x.Rank() == 0 {
			x = tensor.Broadcast(x, 1, 2)
			continue
		}
		axis := r.IntN(x.Rank())
		switch r.IntN(6) {
		case 0:
			x = tensor.Transpose(x, axis, r.IntN(x.Rank()))
		case 1:
			x = tensor.Flip(x, axis)
		case 2:
			lo := r.IntN(x.Dim(axis) + 1)
			x = tensor.Slice(x, axis, lo, lo+r.IntN(x.Dim(axis)-lo+1))
		case 3:
			if x.Rank() < backend.MaxRank {
				x = tensor.Unsqueeze(x, axis)
			}
		case 4:
			if x.Dim(axis) == 1 {
				wide := append([]int(nil), x.Shape()...)
				wide[axis] = 1 + r.IntN(3)
				x = tensor.Broadcast(x, wide...)
			}
		case 5:
			if x.Dim(axis) > 0 {
				x = tensor.Slice(x, axis, 0, (x.Dim(axis)+1)/2)
			}
		}
	}
	return x, factors(r, x.Len())
}

// factors returns a random shape of n elements.
func factors(r *rand.Rand, n int) []int {
	if n == 0 {
		return [][]int{{0}, {3, 0}, {0, 2, 2}, {1, 0, 1}}[r.IntN(4)]
	}
	var shape []int
	for d := 2; n > 1; {
		if n%d == 0 {
			if r.IntN(3) == 0 && len(shape) > 0 {
				shape[len(shape)-1] *= d
			} else {
				shape = append(shape, d)
			}
			n /= d
			continue
		}
		d++
	}
	r.Shuffle(len(shape), func(i, j int) { shape[i], shape[j] = shape[j], shape[i] })
	for len(shape) < backend.MaxRank && r.IntN(2) == 0 {
		at := r.IntN(len(shape) + 1)
		shape = append(shape[:at], append([]int{1}, shape[at:]...)...)
	}
	return shape
}

func checkReshape(t *testing.T, s *tensor.Stream, seed uint64) {
	s.Scope(func() {
		x, shape := view(s, rand.New(rand.NewPCG(seed, 1)))
		if len(shape) > backend.MaxRank {
			return
		}
		got := tensor.Reshape(x, shape...)
		require.Equal(t, append([]int{}, shape...), append([]int{}, got.Shape()...), "seed %d", seed)
		require.Equal(t, read(t, tensor.Clone(x)), read(t, got), "seed %d: %v strides %v to %v", seed, x.Shape(), x.Strides(), shape)
	})
}

func TestReshapeOfAnyViewKeepsTheElementsInOrder(t *testing.T) {
	s := newStream(t)
	for seed := range uint64(4000) {
		checkReshape(t, s, seed)
	}
}

func FuzzReshape(f *testing.F) {
	f.Add(uint64(1))
	s := newStream(f)
	f.Fuzz(func(t *testing.T, seed uint64) { checkReshape(t, s, seed) })
}

func TestReshapeSharesMemoryWhereStridesAllow(t *testing.T) {
	s := newStream(t)
	for _, c := range []struct {
		name   string
		view   func(x *tensor.Tensor) *tensor.Tensor // of shape (4, 6)
		shape  []int
		shares bool
	}{
		{"contiguous", func(x *tensor.Tensor) *tensor.Tensor { return x }, []int{2, 12}, true},
		{"columns split", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Slice(x, 1, 0, 4) }, []int{4, 2, 2}, true},
		{"rows split", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Slice(x, 1, 0, 4) }, []int{2, 2, 1, 4}, true},
		{"columns and rows join", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Slice(x, 1, 0, 4) }, []int{16}, false},
		{"transposed split", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Transpose(x, 0, 1) }, []int{2, 3, 1, 4}, true},
		{"transposed join", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Transpose(x, 0, 1) }, []int{24}, false},
		{"flipped rows split", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Flip(x, 0) }, []int{2, 2, 6}, true},
		{"broadcast joins itself", func(x *tensor.Tensor) *tensor.Tensor { return tensor.Broadcast(tensor.Slice(x, 0, 0, 1), 2, 2, 1, 6) }, []int{4, 6}, true},
		{"size-1 axes between", func(x *tensor.Tensor) *tensor.Tensor {
			return tensor.Unsqueeze(tensor.Unsqueeze(tensor.Flip(x, 0), 1), 0)
		}, []int{4, 6, 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := count(4, 6).on(s, backend.Float64)
			v := c.view(x)
			y := tensor.Reshape(v, c.shape...)
			before := read(t, y)
			tensor.CopyInto(x, tensor.Full(s, backend.Float64, -1))
			require.Equal(t, c.shares, read(t, y)[0] != before[0])
		})
	}
}

func TestSumToIsTheAdjointOfBroadcast(t *testing.T) {
	s := newStream(t)
	for _, c := range []struct{ from, to []int }{
		{[]int{2, 3}, []int{2, 3}}, {[]int{2, 3}, []int{3}}, {[]int{2, 3}, []int{2, 1}}, {[]int{2, 3}, []int{}},
		{[]int{4, 2, 3}, []int{2, 1}}, {[]int{4, 2, 3}, []int{1, 1, 1}}, {[]int{}, []int{}}, {[]int{0, 3}, []int{1, 3}}, {[]int{0, 3}, []int{3}},
		{[]int{3, 0}, []int{3, 1}},
	} {
		x := count(c.from...)
		want := fill(c.to, func([]int) float64 { return 0 })
		ids := count(c.to...)
		target := fill(c.from, ids.pick)
		for i, v := range x.data {
			want.data[int(target.data[i])] += v
		}
		for layout, in := range x.layouts(s, backend.Float64) {
			t.Run(fmt.Sprint(c.from, c.to, layout), func(t *testing.T) { requireSame(t, want, tensor.SumTo(in, c.to...)) })
		}
	}
}

func TestConcatAndStackJoinAnyLayouts(t *testing.T) {
	s := newStream(t)
	x, y := count(2, 3), wave(0, 1, 2, 3)
	for layout, in := range x.layouts(s, backend.Int32) {
		t.Run(layout, func(t *testing.T) {
			other := y.layouts(s, backend.Float64)[layout]
			requireSame(t, array{[]int{4, 3}, append(append([]float64(nil), x.data...), y.data...)}, tensor.Concat(0, in, other))
			requireSame(t, fill([]int{2, 6}, func(i []int) float64 {
				return []array{x, y}[i[1]/3].pick([]int{i[0], i[1] % 3})
			}), tensor.Concat(-1, in, other))
			requireSame(t, fill([]int{2, 3, 2}, func(i []int) float64 { return []array{x, y}[i[2]].pick(i[:2]) }), tensor.Stack(-1, in, other))
			requireSame(t, fill([]int{2, 2, 3}, func(i []int) float64 { return []array{x, y}[i[0]].pick(i[1:]) }), tensor.Stack(0, in, other))
		})
	}
	none := tensor.Zeros(s, backend.Int32, 2, 0)
	requireSame(t, x, tensor.Concat(1, none, x.on(s, backend.Int32), none))
	requireSame(t, array{[]int{2}, []float64{1, 2}}, tensor.Stack(0, tensor.Full(s, backend.Bool, 1), tensor.Full(s, backend.Uint8, 2)))
}
