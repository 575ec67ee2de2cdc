package cpu

import (
	"math"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

const (
	// drawChunk is the number of elements a worker draws at a time.
	drawChunk = 1 << 12
	// drawBlock is the number of elements drawn together, a whole number of Philox blocks and of pairs of normals.
	drawBlock = 128
)

// drawing is the state of a Random.
type drawing struct {
	nest         nest
	dst          backend.View
	kind         backend.RandomKind
	seed, offset uint64
	base         uint64
	scratch      []drawScratch // by worker
}

// drawScratch is what a worker needs of its own: the words of a block of elements, two for each of the wide types, and the elements.
type drawScratch struct {
	words    [2 * drawBlock]uint32
	elements [drawBlock]uint64
	halves   [drawBlock]uint16
}

func (s *stream) random(c *backend.Cmd) error {
	p := &s.drawing
	state := &c.Src[0]
	numbers := elements[int64](state)
	p.seed, p.offset = uint64(numbers[state.Offset]), uint64(numbers[state.Offset+state.Strides[0]])
	p.dst, p.kind, p.base = c.Dst[0], c.RandomKind, uint64(c.Base)
	p.nest.reset(&p.dst)
	n := p.nest.len()
	err := s.run(p, (n+drawChunk-1)/drawChunk, 10*n)
	p.dst = backend.View{}
	return err
}

func (p *drawing) do(worker, chunk int) {
	w := &p.scratch[worker]
	lo := chunk * drawChunk
	hi := min(lo+drawChunk, p.nest.len())
	perElement := uint64(1)
	if p.dst.DType.Size() == 8 {
		perElement = 2
	}
	for lo < hi {
		// Blocks begin at multiples of drawBlock of the logical index, whatever the base.
		e := p.base + uint64(lo)
		skip := int(e % drawBlock)
		count := min(drawBlock-skip, hi-lo)
		counter := p.offset + (e-uint64(skip))*perElement/4
		for i := range drawBlock * perElement / 4 {
			*(*[4]uint32)(w.words[4*i:]) = backend.Philox4x32(p.seed, counter+i)
		}
		p.convert(w)
		p.store(w, lo, skip, count)
		lo += count
	}
}

// convert makes elements of the words.
func (p *drawing) convert(w *drawScratch) {
	at := unsafe.Pointer(&w.elements)
	switch d := p.dst.DType; {
	case d == backend.Uint8:
		castPlain[int32, uint8](at, unsafe.Pointer(&w.words), nil, nil, drawBlock)
	case d == backend.Int32:
		copy(block[uint32](at, drawBlock), w.words[:])
	case d == backend.Int64:
		for i := range w.elements {
			w.elements[i] = uint64(w.words[2*i]) | uint64(w.words[2*i+1])<<32
		}
	case d == backend.Float64 && p.kind == backend.Uniform:
		uniform64(block[float64](at, drawBlock), w.words[:])
	case d == backend.Float64:
		normal64(block[float64](at, drawBlock), w.words[:])
	case p.kind == backend.Uniform:
		uniform32(block[float32](at, drawBlock), w.words[:])
	default:
		normal32(block[float32](at, drawBlock), w.words[:])
	}
	if isHalf(p.dst.DType) {
		narrow(p.dst.DType, w.halves[:], block[float32](at, drawBlock))
	}
}

// store writes elements [skip, skip+count) of the block to the destination, from its element lo on.
func (p *drawing) store(w *drawScratch, lo, skip, count int) {
	var to cursor
	to.seek(&p.nest, lo)
	at, end := unsafe.Pointer(&w.elements), skip+count
	switch p.dst.DType.Size() {
	case 1:
		scatterBlock(&p.dst, block[uint8](at, end)[skip:], &p.nest, 0, to)
	case 2:
		scatterBlock(&p.dst, w.halves[skip:end], &p.nest, 0, to)
	case 4:
		scatterBlock(&p.dst, block[uint32](at, end)[skip:], &p.nest, 0, to)
	case 8:
		scatterBlock(&p.dst, block[uint64](at, end)[skip:], &p.nest, 0, to)
	}
}

func uniform32(dst []float32, words []uint32) {
	for i := range dst {
		dst[i] = float32(words[i]>>8) * 0x1p-24
	}
}

func uniform64(dst []float64, words []uint32) {
	for i := range dst {
		dst[i] = float64(uint64(words[2*i]>>5)<<26|uint64(words[2*i+1]>>6)) * 0x1p-53
	}
}

// normal32 makes pairs of normals by Box and Muller's method, in float64, with the functions that are exact enough for float32.
func normal32(dst []float32, words []uint32) {
	for i := 0; i < len(dst); i += 2 {
		u, v := (float64(words[i])+0.5)*0x1p-32, float64(words[i+1])*0x1p-32
		radius, angle := math.Sqrt(-2*logWide(u)), 2*math.Pi*v
		dst[i], dst[i+1] = float32(radius*sinQuadrant(angle, 1)), float32(radius*sinQuadrant(angle, 0))
	}
}

func normal64(dst []float64, words []uint32) {
	uniform64(dst, words)
	for i := 0; i < len(dst); i += 2 {
		sin, cos := sinCos(2 * math.Pi * dst[i+1])
		radius := math.Sqrt(-2 * log(1-dst[i]))
		dst[i], dst[i+1] = radius*cos, radius*sin
	}
}
