package cpu

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

// held is what a loop keeps of a copy of a product's operand. An operand that does not move is the same in every iteration, since no iteration reads what
// another writes, so the first of a worker's iterations copies it for all of them.
type held struct {
	memory []uint64
	parts  []packedKey // what is there, in order
}

// heldParts bounds the parts of a held operand, which are looked for one by one.
const heldParts = 64

// heldBy returns what the loop keeps of each command of the body: of the operands of products that do not move.
func heldBy(loop *backend.Loop) [][2]*held {
	all := make([][2]*held, len(loop.Body))
	for i := range loop.Body {
		c := &loop.Body[i]
		if c.Op != backend.MatMul {
			continue
		}
		for k := range all[i] {
			if c.Src[k].Buf != loop.Private && loop.Moves[i][len(c.Dst)+k] == 0 {
				all[i][k] = &held{}
			}
		}
	}
	return all
}

// hold returns the place of the next leaf of the second operand in what the loop holds, of which every part is that long, and whether it is there
// already. It returns nil if there is too much to hold.
func (t *tiledBlock[T, A]) hold(key packedKey, length int) (at []A, done bool) {
	p := t.p
	parts := p.colBlocks * p.grain.allLeaves()
	for _, x := range p.batch[:p.batches] {
		if x.b != 0 {
			parts *= x.dim
		}
	}
	if parts > heldParts || parts*length > keptElements {
		return nil, false
	}
	h := p.held[1]
	all := aligned[A](&h.memory, parts*length)
	i := slices.Index(h.parts, key)
	if done = i >= 0; !done {
		i = len(h.parts)
		h.parts = append(h.parts, key)
	}
	return all[i*length : (i+1)*length], done
}
