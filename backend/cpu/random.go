package cpu

import (
	"math"

	"github.com/weir-ml/weir/backend"
)

// drawChunk is the number of elements a worker draws at a time.
const drawChunk = 1 << 12

// drawing is the state of a Random.
type drawing struct {
	nest         nest
	dst          backend.View
	kind         backend.RandomKind
	seed, offset uint64
	base         int64
}

func (s *stream) random(c *backend.Cmd) error {
	p := &s.drawing
	state := &c.Src[0]
	words := elements[int64](state)
	p.seed, p.offset = uint64(words[state.Offset]), uint64(words[state.Offset+state.Strides[0]])
	p.dst, p.kind, p.base = c.Dst[0], c.RandomKind, c.Base
	p.nest.reset(&p.dst)
	n := p.nest.len()
	err := s.run(p, (n+drawChunk-1)/drawChunk, 10*n)
	p.dst = backend.View{}
	return err
}

func (p *drawing) do(_, chunk int) {
	g := generator{seed: p.seed, offset: p.offset, block: -1}
	switch p.dst.DType {
	case backend.Uint8:
		draw(p, chunk, func(e uint64) uint8 { return uint8(g.word(e)) })
	case backend.Int32:
		draw(p, chunk, func(e uint64) int32 { return int32(g.word(e)) })
	case backend.Int64:
		draw(p, chunk, func(e uint64) int64 { return int64(uint64(g.word(2*e)) | uint64(g.word(2*e+1))<<32) })
	case backend.Float64:
		draw(p, chunk, g.float64(p.kind))
	case backend.Float32:
		draw(p, chunk, g.float32(p.kind))
	case backend.Float16:
		f := g.float32(p.kind)
		draw(p, chunk, func(e uint64) f16 { return toF16(f(e)) })
	case backend.BFloat16:
		f := g.float32(p.kind)
		draw(p, chunk, func(e uint64) bf16 { return toBF16(f(e)) })
	}
}

// draw writes the elements of a chunk, each from its logical index.
func draw[T any](p *drawing, chunk int, next func(e uint64) T) {
	dst, n, in := elements[T](&p.dst), &p.nest, p.nest.rank-1
	lo := chunk * drawChunk
	left := min(drawChunk, n.len()-lo)
	e := uint64(p.base) + uint64(lo)
	var at cursor
	for at.seek(n, lo); left > 0; {
		run := min(at.run(n), left)
		d := p.dst.Offset + at.offset(n, 0)
		for range run {
			dst[d] = next(e)
			d += n.strides[0][in]
			e++
		}
		at.skip(n, run)
		left -= run
	}
}

// generator remembers the last block of words and the last pair of normals, since elements come in order.
type generator struct {
	seed, offset uint64
	block        int64
	words        [4]uint32
	pair         uint64
	paired       bool
	cos, sin     float64
}

func (g *generator) word(w uint64) uint32 {
	if b := int64(w / 4); b != g.block {
		g.block, g.words = b, backend.Philox4x32(g.seed, g.offset+uint64(b))
	}
	return g.words[w%4]
}

// uniform64 returns element e of the uniform float64, in [0, 1).
func (g *generator) uniform64(e uint64) float64 {
	high, low := g.word(2*e)>>5, g.word(2*e+1)>>6
	return float64(uint64(high)<<26|uint64(low)) * 0x1p-53
}

func (g *generator) float64(kind backend.RandomKind) func(e uint64) float64 {
	if kind == backend.Uniform {
		return g.uniform64
	}
	return func(e uint64) float64 {
		return g.normal(e, func(j uint64) (u, v float64) { return 1 - g.uniform64(2*j), g.uniform64(2*j + 1) })
	}
}

func (g *generator) float32(kind backend.RandomKind) func(e uint64) float32 {
	if kind == backend.Uniform {
		return func(e uint64) float32 { return float32(g.word(e)>>8) * 0x1p-24 }
	}
	return func(e uint64) float32 {
		return float32(g.normal(e, func(j uint64) (u, v float64) {
			return (float64(g.word(2*j)) + 0.5) * 0x1p-32, float64(g.word(2*j+1)) * 0x1p-32
		}))
	}
}

// normal returns element e of the normals that Box and Muller's method makes of pairs of uniforms.
func (g *generator) normal(e uint64, uniforms func(j uint64) (u, v float64)) float64 {
	if j := e / 2; !g.paired || j != g.pair {
		u, v := uniforms(j)
		radius := math.Sqrt(-2 * math.Log(u))
		sin, cos := math.Sincos(2 * math.Pi * v)
		g.pair, g.paired, g.cos, g.sin = j, true, radius*cos, radius*sin
	}
	if e%2 == 0 {
		return g.cos
	}
	return g.sin
}
