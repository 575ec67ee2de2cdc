package cuda

import "github.com/weir-ml/weir/backend"

// scanParams has the layout of Scan in kernels/scan.cu, which says what it means.
type scanParams struct {
	src, dst             uint64
	lanes, n             int64
	srcStride, dstStride int64
	alongSrc, alongDst   int32
	lane                 nest
}

const (
	scanLanes   = 32 // of a block
	scanThreads = 128
)

func lowerScan(b *batch, c *backend.Cmd) {
	dst, src := &c.Dst[0], &c.Src[0]
	if src.Len() == 0 {
		return
	}
	p := scanParams{
		src: address(src), dst: address(dst), n: int64(src.Dims[c.Axis]),
		srcStride: int64(src.Strides[c.Axis]), dstStride: int64(dst.Strides[c.Axis]),
		lane: nestOf(c.Axis, src, dst),
	}
	p.lanes = p.lane.len()
	p.alongSrc, p.alongDst = p.along(0, p.srcStride), p.along(1, p.dstStride)
	add(b, launch{kernel: "scan_" + suffixes[src.DType], grid: line(ratio(p.lanes, scanLanes)), block: [3]uint32{scanThreads}}, &p)
}

// along returns 1 if neighbours along the axis are closer in operand k than neighbouring lanes.
func (p *scanParams) along(k int, stride int64) int32 {
	if p.lanes == 1 || distance(stride) < distance(p.lane.inner(k)) {
		return 1
	}
	return 0
}
