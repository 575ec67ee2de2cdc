package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	noSplit  = attr.NOSPLIT
	readOnly = attr.RODATA | attr.NOPTR
)

// align begins a loop: at a place where the processor fetches its first instructions at once.
func align(c *build.Context) {
	c.Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []operand.Op{operand.U8(32)}})
}

// isa is an instruction set.
type isa struct {
	suffix  string
	bytes   int // of a vector
	vectors []reg.Register
	rows    int // of a matrix product's tile
}

var (
	avx2   = isa{"AVX2", 32, registers(reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15), 6}
	avx512 = isa{"AVX512", 64, registers(reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31), 14}
)

// hasMasks reports whether there are mask registers.
func (i isa) hasMasks() bool { return i.bytes == 64 }

// clear sets a vector to zero.
func (i isa) clear(c *build.Context, v reg.Register) {
	if i.hasMasks() {
		c.VPXORQ(v, v, v)
		return
	}
	c.VXORPS(v, v, v)
}

func registers(vs ...reg.VecPhysical) []reg.Register {
	rs := make([]reg.Register, len(vs))
	for i, v := range vs {
		rs[i] = v
	}
	return rs
}

// float is a float type and its instructions, of one operand order for both instruction sets.
type float struct {
	suffix string
	size   int
	log    uint64 // of size

	load, store func(c *build.Context, from, to operand.Op)
	broadcast   func(c *build.Context, from, to operand.Op)
	add         func(c *build.Context, x, y, to operand.Op)
	multiplyAdd func(c *build.Context, x, y, to operand.Op) // to += x·y, rounded once
	maskedLoad  func(c *build.Context, from, mask, to operand.Op)
	maskedStore func(c *build.Context, from, mask, to operand.Op)
}

func (i isa) floats() []float {
	load32 := func(c *build.Context, from, to operand.Op) { c.VMOVUPS(from, to) }
	load64 := func(c *build.Context, from, to operand.Op) { c.VMOVUPD(from, to) }
	f32 := float{
		suffix: "Float32", size: 4, log: 2, load: load32, store: load32,
		broadcast:   func(c *build.Context, from, to operand.Op) { c.VBROADCASTSS(from, to) },
		add:         func(c *build.Context, x, y, to operand.Op) { c.VADDPS(x, y, to) },
		multiplyAdd: func(c *build.Context, x, y, to operand.Op) { c.VFMADD231PS(x, y, to) },
		maskedLoad:  func(c *build.Context, from, mask, to operand.Op) { c.VMASKMOVPS(from, mask, to) },
		maskedStore: func(c *build.Context, from, mask, to operand.Op) { c.VMASKMOVPS(from, mask, to) },
	}
	f64 := float{
		suffix: "Float64", size: 8, log: 3, load: load64, store: load64,
		broadcast:   func(c *build.Context, from, to operand.Op) { c.VBROADCASTSD(from, to) },
		add:         func(c *build.Context, x, y, to operand.Op) { c.VADDPD(x, y, to) },
		multiplyAdd: func(c *build.Context, x, y, to operand.Op) { c.VFMADD231PD(x, y, to) },
		maskedLoad:  func(c *build.Context, from, mask, to operand.Op) { c.VMASKMOVPD(from, mask, to) },
		maskedStore: func(c *build.Context, from, mask, to operand.Op) { c.VMASKMOVPD(from, mask, to) },
	}
	if i.bytes == 64 {
		f32.maskedLoad = func(c *build.Context, from, mask, to operand.Op) { c.VMOVUPS_Z(from, mask, to) }
		f32.maskedStore = func(c *build.Context, from, mask, to operand.Op) { c.VMOVUPS(from, mask, to) }
		f64.maskedLoad = func(c *build.Context, from, mask, to operand.Op) { c.VMOVUPD_Z(from, mask, to) }
		f64.maskedStore = func(c *build.Context, from, mask, to operand.Op) { c.VMOVUPD(from, mask, to) }
	}
	return []float{f32, f64}
}
