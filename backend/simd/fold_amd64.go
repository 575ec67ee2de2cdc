package simd

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

// foldKey names a reduction of a float type.
type foldKey struct {
	op backend.ReduceOp
	d  backend.DType
}

var foldsAVX512 = map[foldKey]*cpu.Fold{
	{backend.ReduceSum, backend.Float32}:  {Width: 16, Columns: sumColumnsFloat32AVX512, Rows: sumRowsFloat32AVX2},
	{backend.ReduceSum, backend.Float64}:  {Width: 16, Columns: sumColumnsFloat64AVX512, Rows: sumRowsFloat64AVX2},
	{backend.ReduceProd, backend.Float32}: {Width: 16, Columns: prodColumnsFloat32AVX512, Rows: prodRowsFloat32AVX2},
	{backend.ReduceProd, backend.Float64}: {Width: 16, Columns: prodColumnsFloat64AVX512, Rows: prodRowsFloat64AVX2},
	{backend.ReduceMax, backend.Float32}:  {Rows: maxRowsFloat32AVX512},
	{backend.ReduceMax, backend.Float64}:  {Rows: maxRowsFloat64AVX512},
	{backend.ReduceMin, backend.Float32}:  {Rows: minRowsFloat32AVX512},
	{backend.ReduceMin, backend.Float64}:  {Rows: minRowsFloat64AVX512},
}

var foldsAVX2 = map[foldKey]*cpu.Fold{
	{backend.ReduceSum, backend.Float32}:  {Width: 8, Columns: sumColumnsFloat32AVX2, Rows: sumRowsFloat32AVX2},
	{backend.ReduceSum, backend.Float64}:  {Width: 8, Columns: sumColumnsFloat64AVX2, Rows: sumRowsFloat64AVX2},
	{backend.ReduceProd, backend.Float32}: {Width: 8, Columns: prodColumnsFloat32AVX2, Rows: prodRowsFloat32AVX2},
	{backend.ReduceProd, backend.Float64}: {Width: 8, Columns: prodColumnsFloat64AVX2, Rows: prodRowsFloat64AVX2},
	{backend.ReduceMax, backend.Float32}:  {Rows: maxRowsFloat32AVX2},
	{backend.ReduceMax, backend.Float64}:  {Rows: maxRowsFloat64AVX2},
	{backend.ReduceMin, backend.Float32}:  {Rows: minRowsFloat32AVX2},
	{backend.ReduceMin, backend.Float64}:  {Rows: minRowsFloat64AVX2},
}

// foldOf returns the loops of an implementation that sum, multiply or find extremes, or nil if it has none.
func foldOf(i implementation, op backend.ReduceOp, d backend.DType) *cpu.Fold {
	switch i {
	case avx512:
		return foldsAVX512[foldKey{op, d}]
	case avx2:
		return foldsAVX2[foldKey{op, d}]
	}
	return nil
}

// The functions below sum or multiply a fixed number of columns, 16 with AVX-512 and 8 with AVX2; stride counts elements:
//
//	for j := range width {
//		s := [4]float64{} // of ones in a product
//		for i := range terms {
//			s[i%4] += float64(src[i*stride+j]) // or *=
//		}
//		dst[j] = T((s[0] + s[1]) + (s[2] + s[3]))
//	}

//go:noescape
func sumColumnsFloat32AVX512(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func sumColumnsFloat64AVX512(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func prodColumnsFloat32AVX512(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func prodColumnsFloat64AVX512(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func sumColumnsFloat32AVX2(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func sumColumnsFloat64AVX2(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func prodColumnsFloat32AVX2(dst, src unsafe.Pointer, stride, terms int)

//go:noescape
func prodColumnsFloat64AVX2(dst, src unsafe.Pointer, stride, terms int)

// The functions below sum or multiply rows, each as a column:
//
//	for i := range n {
//		s := [4]float64{} // of ones in a product
//		for k := range terms {
//			s[k%4] += float64(src[lanes[i]+k]) // or *=
//		}
//		dst[i] = T((s[0] + s[1]) + (s[2] + s[3]))
//	}

//go:noescape
func sumRowsFloat32AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func sumRowsFloat64AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func prodRowsFloat32AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func prodRowsFloat64AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

// The functions below find the extremes of rows:
//
//	for i := range n {
//		dst[i] = slices.Max(src[lanes[i]:][:terms]) // or Min
//	}

//go:noescape
func maxRowsFloat32AVX512(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func maxRowsFloat64AVX512(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func minRowsFloat32AVX512(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func minRowsFloat64AVX512(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func maxRowsFloat32AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func maxRowsFloat64AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func minRowsFloat32AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)

//go:noescape
func minRowsFloat64AVX2(dst, src unsafe.Pointer, lanes *int, n, terms int)
