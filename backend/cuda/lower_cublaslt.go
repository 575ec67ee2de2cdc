package cuda

import (
	"fmt"
	"math"
	"math/bits"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// cublasLtName is what backend.Options call the library.
const cublasLtName = "cublaslt"

// multiplier is a library of matrix products.
type multiplier interface {
	// least returns the shortest side of a product that it is given.
	least() int64
	// plan returns how it computes products of a shape.
	plan(ltShape) (ltPlan, error)
}

// ltPlan is the library's plan for a shape, 0 if it has none, and the bytes of memory that the plan works in.
type ltPlan struct {
	handle    uint64
	workspace int
}

// ltShape is what the library chooses an algorithm by. It has the layout of Shape in cublaslt.h, where matrices are stored column by column. All that
// it tells apart is the same in a replay as in a command that is executed once, so the algorithm is.
type ltShape struct {
	dtype, compute    int32
	transposed        [2]int32
	alignment         [3]int32
	batches           int32
	rows, cols, terms int64
	leading           [3]int64
	stride            [3]int64
}

// ltParams has the layout of Product in cublaslt.h.
type ltParams struct {
	a, b, c, d       uint64
	workspace, bytes uint64
	accumulate       int64
}

// mostAlignment is as far as alignments of addresses are told apart: no instruction moves more bytes at a time.
const mostAlignment = wideBytes

// ltTypes are cudaDataType_t, and ltSums the cublasComputeType_t of sums: at least float32.
var (
	ltTypes = map[backend.DType]int32{backend.Float32: 0, backend.Float64: 1, backend.Float16: 2, backend.BFloat16: 14}
	ltSums  = map[string]int32{"f32": 68, "f16": 68, "bf16": 68, "tf32": 77, "f64": 70}
)

// lowerToLibrary gives the product to the library, if the device has one and it is for such a product. It reports whether it did, or failed to.
func (p *product) lowerToLibrary(b *batch) bool {
	m := b.on.multiplier()
	if m == nil {
		return false
	}
	shape, params, ok := p.forLibrary(m.least())
	if !ok {
		return false
	}
	plan, err := m.plan(shape)
	if err != nil {
		b.fail(fmt.Errorf("%s: %w", cublasLtName, err))
		return true
	}
	if plan.handle == 0 {
		return false
	}
	params.workspace, params.bytes = b.scratch(plan.workspace), uint64(plan.workspace)
	if b.faults.guard(false) == 0 {
		b.product(plan, &params)
		return true
	}
	// The library does not look whether an earlier command has failed. What moves its result does.
	room := backend.Buffer{Addr: uintptr(b.scratch(shape.bytes(p.d.DType)))}
	result := *p.d
	result.Buf, result.Offset = &room, 0
	params.d = uint64(room.Addr)
	b.product(plan, &params)
	b.move(p.d, &result)
	return true
}

// bytes returns how far the results reach in memory.
func (s *ltShape) bytes(d backend.DType) int {
	return d.Size() * int(int64(s.batches-1)*s.stride[2]+(s.cols-1)*s.leading[2]+s.rows)
}

// product appends a run of a plan.
func (b *batch) product(plan ltPlan, p *ltParams) {
	if b.err != nil {
		return
	}
	b.push(node{kind: productNode, function: plan.handle, dst: uint64(len(b.params)), bytes: uint64(unsafe.Sizeof(*p))})
	b.pass(unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)))
}

// forLibrary returns the product as the library knows it, the transposed one in fact, since its matrices are stored by columns. It reports false for
// those that it cannot compute, or that are thin: shorter than least on a side.
func (p *product) forLibrary(least int64) (s ltShape, params ltParams, ok bool) {
	how, known := ltSums[p.arithmetic.name]
	terms := p.summedTerms()
	laid := *p
	laid.arithmetic.swaps = false
	laid.lay(p.d)
	q := &laid.params
	q.termA, q.termB = terms.inner(0), terms.inner(1)
	if q.colD != 1 {
		q.swap()
	}
	s = ltShape{dtype: ltTypes[p.d.DType], compute: how, batches: 1, rows: q.cols, cols: q.rows, terms: terms.len()}
	if !known || terms.rank > 1 || min(s.rows, s.cols, s.terms) < least || max(s.rows, s.cols, s.terms, q.batches) > math.MaxInt32 || q.batch.rank > 1 {
		return s, params, false
	}
	s.batches = int32(q.batches)
	if !s.store(0, q.colB, s.rows, q.termB, s.terms) || !s.store(1, q.termA, s.terms, q.rowA, s.cols) || !s.store(2, q.colD, s.rows, q.rowD, s.cols) {
		return s, params, false
	}
	for k, operand := range []int{1, 0, 2} {
		if s.stride[k] = q.batch.inner(operand); s.stride[k] < 0 {
			return s, params, false
		}
	}
	for k, at := range []uint64{q.b, q.a, q.d} {
		s.alignment[k] = alignment(at)
	}
	params = ltParams{a: q.b, b: q.a, c: q.d, d: q.d}
	if p.accumulate {
		params.accumulate = 1
	}
	return s, params, true
}

// summedTerms returns where the terms of a sum are in both sources. Axes that lie as one are one.
func (p *product) summedTerms() nest {
	var terms nest
	m, n := p.d.Rank-2, p.d.Rank-1
	for i := range m {
		if p.a.Dims[i] != p.d.Dims[i] {
			terms.push(p.a.Dims[i], p.a.Strides[i], p.b.Strides[i])
		}
	}
	terms.push(p.a.Dims[n], p.a.Strides[n], p.b.Strides[m])
	return terms
}

// store finds how matrix k of so many rows and columns is stored, by its distances from row to row and from column to column. A result cannot be
// transposed. It reports false if neither is 1, or lines overlap.
func (s *ltShape) store(k int, row, rows, col, cols int64) bool {
	if leading, ok := leadingOf(row, rows, col, cols); ok {
		s.leading[k] = leading
		return true
	}
	leading, ok := leadingOf(col, cols, row, rows)
	if !ok || k == 2 {
		return false
	}
	s.leading[k], s.transposed[k] = leading, 1
	return true
}

// leadingOf returns how far lines of n neighbours are apart, if that is what they are. A single one may be anywhere.
func leadingOf(unit, n, line, lines int64) (int64, bool) {
	switch {
	case unit != 1 && n > 1:
		return 0, false
	case lines == 1:
		return n, true
	}
	return line, line >= n && line <= math.MaxInt32
}

// alignment returns the largest power of 2 that divides an address, as far as it matters.
func alignment(at uint64) int32 {
	return int32(1) << min(bits.TrailingZeros64(at), bits.TrailingZeros64(mostAlignment))
}
