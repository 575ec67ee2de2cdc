package cuda

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

func strided(dims, strides []int) view {
	v := backend.View{Buf: &backend.Buffer{}, DType: backend.Float32, Rank: len(dims)}
	copy(v.Dims[:], dims)
	copy(v.Strides[:], strides)
	return viewOf(&v)
}

func (v *view) layout() [2][]int64 { return [2][]int64{v.dims[:v.rank], v.strides[:v.rank]} }

func TestMergeJoinsWhatLiesTogether(t *testing.T) {
	type layout struct{ dims, strides []int }
	tests := []struct {
		name string
		in   []layout
		want [][2][]int64
	}{
		{"row-major", []layout{{[]int{2, 3, 4}, []int{12, 4, 1}}}, [][2][]int64{{{24}, {1}}}},
		{"one element", []layout{{[]int{1, 1}, []int{5, 7}}}, [][2][]int64{{{}, {}}}},
		{"rank 0", []layout{{nil, nil}}, [][2][]int64{{{}, {}}}},
		{"axes of length 1", []layout{{[]int{1, 3, 1, 2}, []int{9, 2, 9, 1}}}, [][2][]int64{{{6}, {1}}}},
		{"transposed", []layout{{[]int{2, 3}, []int{1, 2}}}, [][2][]int64{{{2, 3}, {1, 2}}}},
		{"broadcast", []layout{{[]int{2, 3, 4}, []int{0, 0, 0}}}, [][2][]int64{{{24}, {0}}}},
		{"backward", []layout{{[]int{2, 3}, []int{-3, -1}}}, [][2][]int64{{{6}, {-1}}}},
		{"empty", []layout{{[]int{2, 0, 3}, []int{3, 3, 1}}}, [][2][]int64{{{2, 0}, {3, 1}}}},
		{"together only where all are",
			[]layout{{[]int{2, 3, 4}, []int{12, 4, 1}}, {[]int{2, 3, 4}, []int{0, 4, 1}}},
			[][2][]int64{{{2, 12}, {12, 1}}, {{2, 12}, {0, 1}}}},
		{"a padded row", []layout{{[]int{5, 2, 2}, []int{8, 2, 1}}}, [][2][]int64{{{5, 4}, {8, 1}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var views []*view
			for _, l := range test.in {
				v := strided(l.dims, l.strides)
				views = append(views, &v)
			}
			merge(views...)
			for i, v := range views {
				require.Equal(t, test.want[i], v.layout())
				require.Equal(t, [backend.MaxRank]int64{}, func() (rest [backend.MaxRank]int64) {
					copy(rest[:], v.dims[v.rank:])
					return rest
				}(), "nothing of the old axes is left")
			}
		})
	}
}

func TestViewsBeginAtTheirFirstElement(t *testing.T) {
	v := backend.Contiguous(&backend.Buffer{Addr: 1000}, backend.Float64, 2, 3)
	v.Offset = 5
	w := viewOf(&v)
	require.Equal(t, uint64(1040), w.p)
	require.Equal(t, backend.Float64, w.dtypeOf())
	require.EqualValues(t, 6, w.len())
	require.True(t, w.contiguous())
	require.False(t, w.scalar())
}

func TestSmallViewsHaveOffsetsOf32Bits(t *testing.T) {
	tests := []struct {
		name          string
		dims, strides []int64
		want          bool
	}{
		{"a vector", []int64{1 << 20}, []int64{1}, true},
		{"too many elements", []int64{1 << 16, 1 << 16}, []int64{0, 0}, false},
		{"the last that fits", []int64{1<<31 - 1}, []int64{1}, true},
		{"far apart", []int64{2}, []int64{1 << 31}, false},
		{"far backward", []int64{2}, []int64{-1 << 31}, true},
		{"too far backward", []int64{3}, []int64{-1 << 31}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := view{rank: int32(len(test.dims))}
			copy(v.dims[:], test.dims)
			copy(v.strides[:], test.strides)
			require.Equal(t, test.want, v.small())
		})
	}
}

func TestGridsCoverAllElementsAndEndSomewhere(t *testing.T) {
	require.Equal(t, [3]uint32{0, 1, 1}, grid1(0, 256, 4, 100))
	require.Equal(t, [3]uint32{1, 1, 1}, grid1(1024, 256, 4, 100))
	require.Equal(t, [3]uint32{2, 1, 1}, grid1(1025, 256, 4, 100))
	require.Equal(t, [3]uint32{100, 1, 1}, grid1(1<<40, 256, 4, 100))
}

// The layouts of the structs that C and the kernels share.
func TestLayouts(t *testing.T) {
	require.EqualValues(t, 144, unsafe.Sizeof(view{}))
	require.EqualValues(t, 72, unsafe.Sizeof(node{}))
	require.EqualValues(t, faultBytes, unsafe.Sizeof(fault{}))
	require.EqualValues(t, 24, unsafe.Sizeof(uploadParams{}))
}
