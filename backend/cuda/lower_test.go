package cuda

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func strided(dims, strides []int) backend.View {
	v := backend.View{Buf: &backend.Buffer{}, DType: backend.Float32, Rank: len(dims)}
	copy(v.Dims[:], dims)
	copy(v.Strides[:], strides)
	return v
}

func TestMergeJoinsWhatLiesTogether(t *testing.T) {
	type layout struct{ dims, strides []int }
	tests := []struct {
		name string
		in   []layout
		want []layout
	}{
		{"row-major", []layout{{[]int{2, 3, 4}, []int{12, 4, 1}}}, []layout{{[]int{24}, []int{1}}}},
		{"one element", []layout{{[]int{1, 1}, []int{5, 7}}}, []layout{{[]int{}, []int{}}}},
		{"rank 0", []layout{{nil, nil}}, []layout{{[]int{}, []int{}}}},
		{"axes of length 1", []layout{{[]int{1, 3, 1, 2}, []int{9, 2, 9, 1}}}, []layout{{[]int{6}, []int{1}}}},
		{"transposed", []layout{{[]int{2, 3}, []int{1, 2}}}, []layout{{[]int{2, 3}, []int{1, 2}}}},
		{"broadcast", []layout{{[]int{2, 3, 4}, []int{0, 0, 0}}}, []layout{{[]int{24}, []int{0}}}},
		{"backward", []layout{{[]int{2, 3}, []int{-3, -1}}}, []layout{{[]int{6}, []int{-1}}}},
		{"empty", []layout{{[]int{2, 0, 3}, []int{3, 3, 1}}}, []layout{{[]int{2, 0}, []int{3, 1}}}},
		{"together only where all are",
			[]layout{{[]int{2, 3, 4}, []int{12, 4, 1}}, {[]int{2, 3, 4}, []int{0, 4, 1}}},
			[]layout{{[]int{2, 12}, []int{12, 1}}, {[]int{2, 12}, []int{0, 1}}}},
		{"a padded row", []layout{{[]int{5, 2, 2}, []int{8, 2, 1}}}, []layout{{[]int{5, 4}, []int{8, 1}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var views, want []backend.View
			for i, l := range test.in {
				views = append(views, strided(l.dims, l.strides))
				want = append(want, strided(test.want[i].dims, test.want[i].strides))
				want[i].Buf = views[i].Buf
			}
			merge(views)
			require.Equal(t, want, views)
		})
	}
}

// The layouts of the structs that C and the kernels share.
func TestLayouts(t *testing.T) {
	require.EqualValues(t, 72, unsafe.Sizeof(node{}))
	require.EqualValues(t, faultBytes, unsafe.Sizeof(fault{}))
	require.EqualValues(t, 24, unsafe.Sizeof(uploadParams{}))
}
