package main

import (
	"go/types"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// sumVectors is the number of vectors of float64 that a function sums side by side.
const sumVectors = 2

// sumColumns writes the functions that cpu.Columns describes, one for each float type: they sum in float64, term i in sum i mod 4.
func sumColumns(c *build.Context, set isa) {
	for _, f := range set.floats() {
		s := columns{c, set, f}
		s.function()
	}
}

// columns is the writer of one function.
type columns struct {
	*build.Context
	isa
	float
}

func (s *columns) sum(i, v int) reg.Register { return s.isa.vectors[sumVectors*i+v] }

// wide is where a vector of terms is converted.
func (s *columns) wide(v int) reg.Register { return s.isa.vectors[4*sumVectors+v] }

func (s *columns) function() {
	dst, src, stride, stride3, left := reg.RDI, reg.RAX, reg.RDX, reg.R9, reg.RCX
	pointer, integer := types.UnsafePointer, types.Int
	function(s.Context, "sumColumns"+s.float.suffix+s.isa.suffix,
		param{"dst", pointer}, param{"src", pointer}, param{"stride", integer}, param{"terms", integer})
	loadWord(s.Context, "dst", dst)
	loadWord(s.Context, "src", src)
	loadWord(s.Context, "stride", stride)
	loadWord(s.Context, "terms", left)
	s.SHLQ(operand.U8(s.log), stride)
	s.LEAQ(operand.Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	for i := range 4 {
		for v := range sumVectors {
			s.clear(s.Context, s.sum(i, v))
		}
	}
	terms := [4]operand.Mem{{Base: src, Scale: 1}, {Base: src, Index: stride, Scale: 1}, {Base: src, Index: stride, Scale: 2},
		{Base: src, Index: stride3, Scale: 1}}
	s.SUBQ(operand.U8(4), left)
	s.JLT(operand.LabelRef("rest"))
	align(s.Context)
	s.Label("four")
	for i, at := range terms {
		s.addTerm(i, at)
	}
	s.LEAQ(operand.Mem{Base: src, Index: stride, Scale: 4}, src)
	s.SUBQ(operand.U8(4), left)
	s.JGE(operand.LabelRef("four"))
	s.Label("rest")
	for i, at := range terms[:3] {
		s.CMPQ(left, operand.I8(i-4))
		s.JEQ(operand.LabelRef("total"))
		s.addTerm(i, at)
	}
	s.Label("total")
	for v := range sumVectors {
		x := s.sum(0, v)
		s.VADDPD(s.sum(1, v), x, x)
		s.VADDPD(s.sum(3, v), s.sum(2, v), s.sum(2, v))
		s.VADDPD(s.sum(2, v), x, x)
		s.put(x, operand.Mem{Base: dst, Disp: v * s.stored()})
	}
	s.VZEROUPPER()
	s.RET()
}

// stored is the number of bytes of a vector of float64 as it is in memory.
func (s *columns) stored() int { return s.bytes / 8 * s.size }

// addTerm adds a vector of terms to sum number i.
func (s *columns) addTerm(i int, at operand.Mem) {
	for v := range sumVectors {
		at.Disp = v * s.stored()
		if s.size == 8 {
			s.VADDPD(at, s.sum(i, v), s.sum(i, v))
			continue
		}
		s.VCVTPS2PD(at, s.wide(v))
		s.VADDPD(s.wide(v), s.sum(i, v), s.sum(i, v))
	}
}

// put rounds a vector of sums and stores it.
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
