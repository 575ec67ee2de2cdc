package simd

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

var argsAVX512 = map[foldKey]*cpu.Arg{
	{backend.ReduceArgMax, backend.Float32}: {Width: 32, Columns: argMaxColumnsFloat32AVX512, Extreme: maxRowsFloat32AVX512, Find: findFloat32AVX512},
	{backend.ReduceArgMax, backend.Float64}: {Width: 16, Columns: argMaxColumnsFloat64AVX512, Extreme: maxRowsFloat64AVX512, Find: findFloat64AVX512},
	{backend.ReduceArgMin, backend.Float32}: {Width: 32, Columns: argMinColumnsFloat32AVX512, Extreme: minRowsFloat32AVX512, Find: findFloat32AVX512},
	{backend.ReduceArgMin, backend.Float64}: {Width: 16, Columns: argMinColumnsFloat64AVX512, Extreme: minRowsFloat64AVX512, Find: findFloat64AVX512},
}

var argsAVX2 = map[foldKey]*cpu.Arg{
	{backend.ReduceArgMax, backend.Float32}: {Width: 32, Columns: argMaxColumnsFloat32AVX2, Extreme: maxRowsFloat32AVX2, Find: findFloat32AVX2},
	{backend.ReduceArgMax, backend.Float64}: {Width: 16, Columns: argMaxColumnsFloat64AVX2, Extreme: maxRowsFloat64AVX2, Find: findFloat64AVX2},
	{backend.ReduceArgMin, backend.Float32}: {Width: 32, Columns: argMinColumnsFloat32AVX2, Extreme: minRowsFloat32AVX2, Find: findFloat32AVX2},
	{backend.ReduceArgMin, backend.Float64}: {Width: 16, Columns: argMinColumnsFloat64AVX2, Extreme: minRowsFloat64AVX2, Find: findFloat64AVX2},
}

// argOf returns the loops of an implementation that find positions, or nil if it has none.
func argOf(i implementation, op backend.ReduceOp, d backend.DType) *cpu.Arg {
	switch i {
	case avx512:
		return argsAVX512[foldKey{op, d}]
	case avx2:
		return argsAVX2[foldKey{op, d}]
	}
	return nil
}

// The functions below find the extremes of 32 columns of float32 or 16 of float64, and where each is first:
//
//	for j := range width {
//		where[j], best[j] = terms-1, src[(terms-1)*stride+j]
//		for i := terms - 2; i >= 0; i-- {
//			if x := src[i*stride+j]; x >= best[j] || x != x { // or <=
//				where[j], best[j] = i, x
//			}
//		}
//	}

//go:noescape
func argMaxColumnsFloat32AVX512(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMaxColumnsFloat64AVX512(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMinColumnsFloat32AVX512(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMinColumnsFloat64AVX512(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMaxColumnsFloat32AVX2(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMaxColumnsFloat64AVX2(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMinColumnsFloat32AVX2(where *int64, best, src unsafe.Pointer, stride, terms int)

//go:noescape
func argMinColumnsFloat64AVX2(where *int64, best, src unsafe.Pointer, stride, terms int)

// The functions below find a number of each row:
//
//	for i := range n {
//		where[i] = slices.IndexFunc(src[lanes[i]:][:terms], func(x T) bool { return x == values[i] || x != x })
//	}

//go:noescape
func findFloat32AVX512(where *int64, values, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func findFloat64AVX512(where *int64, values, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func findFloat32AVX2(where *int64, values, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func findFloat64AVX2(where *int64, values, src unsafe.Pointer, lanes *int, n, terms int)
