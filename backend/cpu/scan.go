package cpu

import "github.com/weir-ml/weir/backend"

// scanLanes is the number of neighbouring lanes that are scanned together.
const scanLanes = 64

// scanning is the state of a Scan. The nest runs over the lanes, the places along the other axes; its operands are the destination and the
// source.
type scanning struct {
	nest     nest
	dst, src backend.View
	axis     int
}

func (s *stream) scan(c *backend.Cmd) error {
	p := &s.scanning
	p.dst, p.src, p.axis = c.Dst[0], c.Src[0], c.Axis
	n := p.dst.Len()
	if n == 0 {
		return nil
	}
	dst, src := p.dst, p.src
	dst.Dims[c.Axis], src.Dims[c.Axis] = 1, 1
	p.nest.reset(&dst, &src)
	err := s.run(p, (p.nest.len()+scanLanes-1)/scanLanes, 2*n)
	p.dst, p.src = backend.View{}, backend.View{}
	return err
}

func (p *scanning) do(_, chunk int) {
	switch p.dst.DType {
	case backend.Uint8:
		scanChunk(p, chunk, same[uint8], same[uint8])
	case backend.Int32:
		scanChunk(p, chunk, same[int32], same[int32])
	case backend.Int64:
		scanChunk(p, chunk, same[int64], same[int64])
	case backend.Float32:
		scanChunk(p, chunk, same[float32], same[float32])
	case backend.Float64:
		scanChunk(p, chunk, same[float64], same[float64])
	case backend.Float16:
		scanChunk(p, chunk, f16.float, toF16)
	case backend.BFloat16:
		scanChunk(p, chunk, bf16.float, toBF16)
	}
}

func scanChunk[T any, A number](p *scanning, chunk int, load func(T) A, round func(A) T) {
	dst, src := elements[T](&p.dst), elements[T](&p.src)
	in := p.nest.rank - 1
	lo := chunk * scanLanes
	left := min(scanLanes, p.nest.len()-lo)
	var at cursor
	for at.seek(&p.nest, lo); left > 0; {
		run := min(at.run(&p.nest), left)
		d, s := p.dst.Offset+at.offset(&p.nest, 0), p.src.Offset+at.offset(&p.nest, 1)
		var sums [scanLanes]A
		for range p.dst.Dims[p.axis] {
			for l := range sums[:run] {
				sums[l] += load(src[s+l*p.nest.strides[1][in]])
				dst[d+l*p.nest.strides[0][in]] = round(sums[l])
			}
			d += p.dst.Strides[p.axis]
			s += p.src.Strides[p.axis]
		}
		at.skip(&p.nest, run)
		left -= run
	}
}
