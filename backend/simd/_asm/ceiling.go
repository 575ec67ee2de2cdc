package main

import (
	"go/types"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// ceilings writes, for each float type, the loops that measure what a processor and its memory can do.
func ceilings(c *build.Context, set isa) {
	for _, f := range set.floats() {
		l := ceilingLoop{c, set, f}
		l.multiplyAdds()
		l.triad()
	}
}

// ceilingLoop is the writer of the loops of one float type.
type ceilingLoop struct {
	*build.Context
	isa
	float
}

// multiplyAddChains are the sums of a round: a dozen that do not wait for each other hide the latency of two units.
const multiplyAddChains = 12

func (l *ceilingLoop) multiplyAdds() {
	factors, left := reg.RAX, reg.RCX
	function(l.Context, "multiplyAdds"+l.float.suffix+l.isa.suffix, param{"factors", types.UnsafePointer}, param{"rounds", types.Int})
	loadWord(l.Context, "factors", factors)
	loadWord(l.Context, "rounds", left)
	x, y := l.isa.vectors[multiplyAddChains], l.isa.vectors[multiplyAddChains+1]
	l.broadcast(l.Context, operand.Mem{Base: factors}, x)
	l.broadcast(l.Context, operand.Mem{Base: factors, Disp: l.size}, y)
	for i := range multiplyAddChains {
		l.clear(l.Context, l.isa.vectors[i])
	}
	align(l.Context)
	l.Label("round")
	for i := range multiplyAddChains {
		l.multiplyAdd(l.Context, x, y, l.isa.vectors[i])
	}
	l.DECQ(left)
	l.JNZ(operand.LabelRef("round"))
	l.VZEROUPPER()
	l.RET()
}

// triadVectors are what a turn of the triad computes.
const triadVectors = 4

func (l *ceilingLoop) triad() {
	dst, x, y, factor, left, at := reg.RDI, reg.RSI, reg.RDX, reg.RAX, reg.RCX, reg.R8
	pointer := types.UnsafePointer
	function(l.Context, "triad"+l.float.suffix+l.isa.suffix,
		param{"dst", pointer}, param{"x", pointer}, param{"y", pointer}, param{"factor", pointer}, param{"n", types.Int})
	loadWord(l.Context, "dst", dst)
	loadWord(l.Context, "x", x)
	loadWord(l.Context, "y", y)
	loadWord(l.Context, "factor", factor)
	loadWord(l.Context, "n", left)
	s := l.isa.vectors[triadVectors]
	l.broadcast(l.Context, operand.Mem{Base: factor}, s)
	l.XORQ(at, at)
	align(l.Context)
	l.Label("turn")
	for i := range triadVectors {
		l.load(l.Context, operand.Mem{Base: x, Index: at, Scale: 1, Disp: i * l.bytes}, l.isa.vectors[i])
	}
	for i := range triadVectors {
		z := l.isa.vectors[triadVectors+1+i]
		l.load(l.Context, operand.Mem{Base: y, Index: at, Scale: 1, Disp: i * l.bytes}, z)
		l.multiplyAdd(l.Context, z, s, l.isa.vectors[i])
	}
	for i := range triadVectors {
		l.store(l.Context, l.isa.vectors[i], operand.Mem{Base: dst, Index: at, Scale: 1, Disp: i * l.bytes})
	}
	l.ADDQ(operand.U32(triadVectors*l.bytes), at)
	l.SUBQ(operand.U32(triadVectors*l.bytes/l.size), left)
	l.JNZ(operand.LabelRef("turn"))
	l.VZEROUPPER()
	l.RET()
}
