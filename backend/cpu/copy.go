package cpu

import "github.com/weir-ml/weir/backend"

// copyChunk is the number of elements a worker copies at a time.
const copyChunk = 1 << 15

// tile is the side of the square in which a transposing copy moves: 32×32 elements of 8 bytes fill a third of an L1 cache.
const tile = 32

// copying is the state of a Copy of one type.
type copying struct {
	nest     nest
	dst, src backend.View
	size     int
	flips    bool // moves in tiles over the two innermost axes
}

// copy copies between views of one shape and type.
func (s *stream) copy(dst, src *backend.View) error {
	c := &s.copying
	c.nest.reset(dst, src)
	n := c.nest.len()
	if n == 0 {
		return nil
	}
	c.dst, c.src, c.size = *dst, *src, dst.DType.Size()
	c.flips = transposes(&c.nest)
	chunks := (n + copyChunk - 1) / copyChunk
	if c.flips {
		rows := n / c.nest.dims[c.nest.rank-1]
		chunks = (rows + tile - 1) / tile
	}
	err := s.run(c, chunks, n)
	c.dst, c.src = backend.View{}, backend.View{}
	return err
}

// transposes reports whether the source runs faster along the second innermost axis than along the innermost.
func transposes(n *nest) bool {
	in, out := n.rank-1, n.rank-2
	return out >= 0 && abs(n.strides[1][out]) < abs(n.strides[1][in]) && n.strides[1][out] != 0 &&
		n.dims[in] >= tile && n.dims[out] >= tile
}

func abs(x int) int { return max(x, -x) }

func (c *copying) do(_, chunk int) {
	switch c.size {
	case 1:
		copyPart[uint8](c, chunk)
	case 2:
		copyPart[uint16](c, chunk)
	case 4:
		copyPart[uint32](c, chunk)
	case 8:
		copyPart[uint64](c, chunk)
	}
}

func copyPart[T any](c *copying, chunk int) {
	dst, src := elements[T](&c.dst), elements[T](&c.src)
	if c.flips {
		copyTiles(c, dst, src, chunk*tile)
		return
	}
	lo := chunk * copyChunk
	left := min(copyChunk, c.nest.len()-lo)
	in := c.nest.rank - 1
	var at cursor
	for at.seek(&c.nest, lo); left > 0; {
		run := min(at.run(&c.nest), left)
		d, s := c.dst.Offset+at.offset(&c.nest, 0), c.src.Offset+at.offset(&c.nest, 1)
		copyRun(dst, src, d, s, c.nest.strides[0][in], c.nest.strides[1][in], run)
		at.skip(&c.nest, run)
		left -= run
	}
}

// copyRun copies n elements, each time a stride further.
func copyRun[T any](dst, src []T, d, s, dstStride, srcStride, n int) {
	if dstStride == 1 && srcStride == 1 {
		copy(dst[d:d+n], src[s:s+n])
		return
	}
	for range n {
		dst[d] = src[s]
		d += dstStride
		s += srcStride
	}
}

// copyTiles copies rows [row, row+tile) of the two innermost axes, as long as they lie in one matrix, tile by tile, so that a
// source line is used whole while it is in the cache.
func copyTiles[T any](c *copying, dst, src []T, row int) {
	n, in := &c.nest, c.nest.rank-1
	rows, cols := n.dims[in-1], n.dims[in]
	total := n.len() / cols
	for end := min(row+tile, total); row < end; {
		var at cursor
		at.seek(n, row*cols)
		height := min(rows-row%rows, end-row)
		d, s := c.dst.Offset+at.offset(n, 0), c.src.Offset+at.offset(n, 1)
		for col := 0; col < cols; col += tile {
			width := min(tile, cols-col)
			for r := range height {
				copyRun(dst, src, d+r*n.strides[0][in-1]+col*n.strides[0][in], s+r*n.strides[1][in-1]+col*n.strides[1][in],
					n.strides[0][in], n.strides[1][in], width)
			}
		}
		row += height
	}
}
