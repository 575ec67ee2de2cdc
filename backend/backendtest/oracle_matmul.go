package backendtest

import (
	"github.com/weir-ml/weir/backend"
)

// predictMatMul sums, for each element of the result, over the contracted batch axes and k, by definition. Terms may each be off by
// a share of their magnitudes.
func predictMatMul(c *backend.Cmd, share float64) []expect {
	dst, a, b := &c.Dst[0], &c.Src[0], &c.Src[1]
	m, n := dst.Rank-2, dst.Rank-1
	rows, cols, inner := dst.Dims[m], dst.Dims[n], a.Dims[n]
	batches := 1
	for _, d := range a.Dims[:m] {
		batches *= d
	}
	dstBatch, srcBatch := *dst, *a
	dstBatch.Rank, srcBatch.Rank = m, m

	sums := make([]sum, dst.Len())
	x, y := read(a), read(b)
	for batch := range batches {
		to := reducedIndex(&dstBatch, &srcBatch, batch) * rows * cols
		for i := range rows {
			for j := range cols {
				for k := range inner {
					sums[to+i*cols+j].addProduct(x[(batch*rows+i)*inner+k].f, y[(batch*inner+k)*cols+j].f)
				}
			}
		}
	}
	path := matMulPath(dst, a) + 1 // one more for the rounding of the product
	if c.Accumulate {
		path++
		for e, x := range read(dst) {
			sums[e].add(x.f)
		}
	}
	es := make([]expect, len(sums))
	for e := range sums {
		es[e] = sums[e].expect(dst.DType, path)
		if share > 0 {
			es[e].slack += share * sums[e].abs
		}
	}
	return es
}

func matMulPath(dst, a *backend.View) int {
	var lengths []int
	for axis := range a.Rank {
		if axis == a.Rank-1 || axis < a.Rank-2 && a.Dims[axis] != dst.Dims[axis] {
			lengths = append(lengths, a.Dims[axis])
		}
	}
	inner := make([]int, len(lengths))
	terms := 1
	for i := len(lengths) - 1; i >= 0; i-- {
		inner[i] = terms
		terms *= lengths[i]
	}
	return sumPath(backend.MatMulGrain, lengths, inner)
}
