package cpu

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// slice returns indices [lo, hi) of the outermost axis.
func slice(v backend.View, lo, hi int) backend.View {
	v.Offset += lo * v.Strides[0]
	v.Dims[0] = hi - lo
	return v
}

// treeSum adds vectors as the contract says a tree of leaves is added.
func treeSum(leaves [][]float64) []float64 {
	if len(leaves) == 1 {
		return leaves[0]
	}
	at := backend.TreeSplit(len(leaves))
	left, right := treeSum(leaves[:at]), treeSum(leaves[at:])
	sum := make([]float64, len(left))
	for i := range sum {
		sum[i] = float64(float32(left[i]) + float32(right[i]))
	}
	return sum
}

// Sums in pieces of 2^k leaves, each by a command of its own, add up by TreeSplit to the bits of the whole.
func TestSumOfPiecesIsTheSum(t *testing.T) {
	r := newRig(t, 2)
	tests := []struct {
		name string
		v    backend.View
		mask int
		leaf int // indices of the outermost axis
	}{
		{"one axis", r.random(backend.Float32, 70001), 1, 4096},
		{"columns", r.random(backend.Float32, 1000, 64), 1, 64},
		{"samples", r.random(backend.Float32, 77, 100, 64), 3, 1},
		{"everything", r.random(backend.Float32, 77, 100, 64), 7, 1},
		{"wide kept axis", r.random(backend.Float32, 13, 5000), 1, 1},
		{"strided", permuted(r.random(backend.Float32, 64, 3, 1000), 2, 0, 1), 5, 16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sum := func(v backend.View) []float64 {
				dst := r.reduced(backend.Float32, &v, tt.mask)
				r.exec(backend.Cmd{Op: backend.Reduce, Dst: []backend.View{dst}, Src: []backend.View{v}})
				return values(&dst)
			}
			whole := sum(tt.v)
			for leaves := 1; leaves <= 8; leaves *= 2 {
				var pieces [][]float64
				n := tt.v.Dims[0]
				for lo := 0; lo < n; lo += leaves * tt.leaf {
					pieces = append(pieces, sum(slice(tt.v, lo, min(lo+leaves*tt.leaf, n))))
				}
				require.Equal(t, whole, treeSum(pieces), "pieces of %d leaves", leaves)
			}
		})
	}
}

func TestProductOfPiecesIsTheProduct(t *testing.T) {
	const d = backend.Float32
	r := newRig(t, 2)
	tests := []struct {
		name string
		a, b backend.View
		leaf int
	}{
		{"two samples a leaf", permuted(r.random(d, 101, 100, 6), 0, 2, 1), r.random(d, 101, 100, 5), 2},
		{"long samples", r.random(d, 21, 6, 300), r.random(d, 21, 300, 5), 1},
		{"rows", r.random(d, 3001, 6, 1), r.random(d, 3001, 1, 5), 256},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			product := func(a, b backend.View) []float64 {
				dst := r.empty(d, 1, 6, 5)
				r.exec(backend.Cmd{Op: backend.MatMul, Dst: []backend.View{dst}, Src: []backend.View{a, b}})
				return values(&dst)
			}
			whole := product(tt.a, tt.b)
			for leaves := 1; leaves <= 8; leaves *= 2 {
				var pieces [][]float64
				n := tt.a.Dims[0]
				for lo := 0; lo < n; lo += leaves * tt.leaf {
					hi := min(lo+leaves*tt.leaf, n)
					pieces = append(pieces, product(slice(tt.a, lo, hi), slice(tt.b, lo, hi)))
				}
				require.Equal(t, whole, treeSum(pieces), "pieces of %d leaves", leaves)
			}
		})
	}
}

// Rows of a product do not depend on how many are computed together, so a batch can be tiled by samples.
func TestRowsOfAProductStandAlone(t *testing.T) {
	const d = backend.Float32
	r := newRig(t, 2)
	a, b, dst := r.random(d, 201, 300), r.random(d, 300, 65), r.empty(d, 201, 65)
	r.exec(backend.Cmd{Op: backend.MatMul, Dst: []backend.View{dst}, Src: []backend.View{a, b}})
	whole := values(&dst)
	for lo := 0; lo < 201; lo += 7 {
		hi := min(lo+7, 201)
		r.exec(backend.Cmd{Op: backend.MatMul, Dst: []backend.View{slice(dst, lo, hi)}, Src: []backend.View{slice(a, lo, hi), b}})
	}
	require.Equal(t, whole, values(&dst))
}

func TestBitsDoNotDependOnWorkersNorStrides(t *testing.T) {
	const d = backend.Float32
	commands := map[string]func(r *rig) backend.Cmd{
		"sum of columns": func(r *rig) backend.Cmd {
			v := r.random(d, 300, 50, 64)
			return backend.Cmd{Op: backend.Reduce, Dst: []backend.View{r.reduced(d, &v, 3)}, Src: []backend.View{v}}
		},
		"sum of all": func(r *rig) backend.Cmd {
			v := r.random(d, 999, 333)
			return backend.Cmd{Op: backend.Reduce, Dst: []backend.View{r.reduced(d, &v, 3)}, Src: []backend.View{v}}
		},
		"product": func(r *rig) backend.Cmd {
			return backend.Cmd{Op: backend.MatMul, Dst: []backend.View{r.empty(d, 70, 30)},
				Src: []backend.View{r.random(d, 70, 5000), r.random(d, 5000, 30)}}
		},
		"weight gradient": func(r *rig) backend.Cmd { return weightProduct(200, 100, 32, 16)(r, d) },
		"normals": func(r *rig) backend.Cmd {
			return backend.Cmd{Op: backend.Random, RandomKind: backend.Normal, Dst: []backend.View{r.empty(d, 99, 1001)},
				Src: []backend.View{r.of(backend.Int64, []float64{5, 6}, 2)}}
		},
	}
	for name, command := range commands {
		t.Run(name, func(t *testing.T) {
			var want []float64
			for _, workers := range []int{1, 2, 3, 7} {
				r := newRig(t, workers)
				c := command(r)
				r.exec(c)
				got := values(&c.Dst[0])
				if want == nil {
					want = got
				}
				require.Equal(t, want, got, "%d workers", workers)
				r.scatterOperands(&c)
				r.exec(c)
				require.Equal(t, want, values(&c.Dst[0]), "%d workers, other strides", workers)
			}
		})
	}
}

// scatterOperands copies the float sources of c to places with other strides.
func (r *rig) scatterOperands(c *backend.Cmd) {
	for i := range c.Src {
		v := &c.Src[i]
		if !v.DType.IsFloat() {
			continue
		}
		dims := append([]int(nil), v.Shape()...)
		last := len(dims) - 1
		dims[0], dims[last] = dims[last], dims[0]
		w := r.empty(v.DType, dims...)
		w.Dims[0], w.Dims[last] = w.Dims[last], w.Dims[0]
		w.Strides[0], w.Strides[last] = w.Strides[last], w.Strides[0]
		for k := range v.Len() {
			set(&w, k, get(v, k))
		}
		*v = w
	}
}
