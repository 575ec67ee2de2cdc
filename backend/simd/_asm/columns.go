package main

import (
	"go/types"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// foldVectors is the number of vectors of float64 that a function folds side by side.
const foldVectors = 2

// foldColumns writes the functions that cpu.Fold describes as Columns, a sum and a product for each float type: they fold in float64, term i
// in part i mod 4.
func foldColumns(c *build.Context, set isa) {
	for _, p := range products {
		for _, f := range set.floats() {
			s := columns{c, set, f, p}
			s.function()
		}
	}
}

// columns is the writer of one function.
type columns struct {
	*build.Context
	isa
	float
	product
}

func (s *columns) part(i, v int) reg.Register { return s.isa.vectors[foldVectors*i+v] }

// wide is where a vector of terms is converted.
func (s *columns) wide(v int) reg.Register { return s.isa.vectors[4*foldVectors+v] }

func (s *columns) function() {
	dst, src, stride, stride3, left := reg.RDI, reg.RAX, reg.RDX, reg.R9, reg.RCX
	pointer, integer := types.UnsafePointer, types.Int
	function(s.Context, s.product.name+"Columns"+s.float.suffix+s.isa.suffix,
		param{"dst", pointer}, param{"src", pointer}, param{"stride", integer}, param{"terms", integer})
	loadWord(s.Context, "dst", dst)
	loadWord(s.Context, "src", src)
	loadWord(s.Context, "stride", stride)
	loadWord(s.Context, "terms", left)
	s.SHLQ(operand.U8(s.log), stride)
	s.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	s.start(s.Context, s.isa, reg.R8, s.isa.vectors[:4*foldVectors]...)
	terms := [4]operand.Mem{{Base: src, Scale: 1}, {Base: src, Index: stride, Scale: 1}, {Base: src, Index: stride, Scale: 2},
		{Base: src, Index: stride3, Scale: 1}}
	s.SUBQ(operand.U8(4), left)
	s.JLT(operand.LabelRef("rest"))
	align(s.Context)
	s.Label("four")
	for i, at := range terms {
		s.take(i, at)
	}
	s.LEAQ(operand.Mem{Base: src, Index: stride, Scale: 4}, src)
	s.SUBQ(operand.U8(4), left)
	s.JGE(operand.LabelRef("four"))
	s.Label("rest")
	for i, at := range terms[:3] {
		s.CMPQ(left, operand.I8(i-4))
		s.JEQ(operand.LabelRef("total"))
		s.take(i, at)
	}
	s.Label("total")
	for v := range foldVectors {
		x := s.part(0, v)
		s.vector(s.Context, s.part(1, v), x, x)
		s.vector(s.Context, s.part(3, v), s.part(2, v), s.part(2, v))
		s.vector(s.Context, s.part(2, v), x, x)
		s.put(x, operand.Mem{Base: dst, Disp: v * s.stored()})
	}
	s.VZEROUPPER()
	s.RET()
}

// stored is the number of bytes of a vector of float64 as it is in memory.
func (s *columns) stored() int { return s.bytes / 8 * s.size }

// take folds a vector of terms into part i.
func (s *columns) take(i int, at operand.Mem) {
	for v := range foldVectors {
		at.Disp = v * s.stored()
		if s.size == 8 {
			s.vector(s.Context, at, s.part(i, v), s.part(i, v))
			continue
		}
		s.VCVTPS2PD(at, s.wide(v))
		s.vector(s.Context, s.wide(v), s.part(i, v), s.part(i, v))
	}
}

// put rounds a vector of results and stores it.
func (s *columns) put(x reg.Register, to operand.Mem) {
	switch {
	case s.size == 8:
		s.VMOVUPD(x, to)
	case s.bytes == 64:
		half := x.(reg.VecPhysical).AsY()
		s.VCVTPD2PS(x, half)
		s.VMOVUPS(half, to)
	default:
		half := x.(reg.VecPhysical).AsX()
		s.VCVTPD2PSY(x, half)
		s.VMOVUPS(half, to)
	}
}
