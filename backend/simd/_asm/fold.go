package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// product is a sum or a product of float64, to which elements of other types are converted.
type product struct {
	name   string
	one    bool // it starts from 1, not from 0
	vector func(c *build.Context, x, y, to operand.Op)
}

var products = []product{
	{"sum", false, func(c *build.Context, x, y, to operand.Op) { c.VADDPD(x, y, to) }},
	{"prod", true, func(c *build.Context, x, y, to operand.Op) { c.VMULPD(x, y, to) }},
}

// start sets vectors to what the fold of no terms is; scratch is a general register.
func (p product) start(c *build.Context, set isa, scratch reg.GPPhysical, vs ...reg.Register) {
	if !p.one {
		for _, v := range vs {
			set.clear(c, v)
		}
		return
	}
	set.broadcastOne(c, scratch, vs[0])
	for _, v := range vs[1:] {
		c.VMOVUPD(vs[0], v)
	}
}

// broadcastOne sets the float64 of a vector to 1.
func (i isa) broadcastOne(c *build.Context, scratch reg.GPPhysical, v reg.Register) {
	low := v.(reg.VecPhysical).AsX()
	c.MOVQ(operand.U64(0x3ff0000000000000), scratch)
	c.VMOVQ(scratch, low)
	c.VBROADCASTSD(low, v)
}

// sized returns the part of a vector register that is so many bytes long.
func sized(v reg.Register, bytes int) reg.Register {
	switch p := v.(reg.VecPhysical); bytes {
	case 16:
		return p.AsX()
	case 32:
		return p.AsY()
	default:
		return p.AsZ()
	}
}

// upperHalf moves the upper half of a vector of so many bytes.
func upperHalf(c *build.Context, bytes int, v, to reg.Register) {
	if bytes == 64 {
		c.VEXTRACTF64X4(operand.U8(1), v, sized(to, 32))
		return
	}
	c.VEXTRACTF128(operand.U8(1), sized(v, 32), sized(to, 16))
}
