package cuda

import "github.com/weir-ml/weir/backend"

// randomParams has the layout of Random in kernels/random.cu.
type randomParams struct {
	dst, state  uint64
	stateStride int64
	base        uint64
	n           uint64
	counters    uint64
	nest        nest
}

const (
	randomThreads = 256
	randomBlocks  = 1 << 20
)

func lowerRandom(b *batch, c *backend.Cmd) {
	dst, state := &c.Dst[0], &c.Src[0]
	n := uint64(dst.Len())
	if n == 0 {
		return
	}
	p := randomParams{
		dst: address(dst), state: address(state), stateStride: int64(state.Strides[0]),
		base: uint64(c.Base), n: n, nest: nestOf(-1, dst),
	}
	each := uint64(4) // elements of a counter
	if dst.DType.Size() == 8 {
		each = 2
	}
	p.counters = (p.base%each + n + each - 1) / each
	kernel := "random_" + c.RandomKind.String() + "_" + suffixes[dst.DType]
	add(b, launch{kernel: kernel, grid: covering(int64(p.counters), randomThreads, randomBlocks), block: [3]uint32{randomThreads}}, &p)
}
