package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

type vec = reg.VecVirtual

// machine emits the vector instructions of one implementation on one type of element. Its methods return new registers but where they are
// said to change an operand, so that a kernel reads as a formula and is written once for both implementations. An operand is a register or
// a constant in memory.
type machine struct {
	*build.Context
	wide   bool // AVX-512: 64-byte vectors and masks of their own
	double bool // float64
	table  *table
}

// bytes returns the length of a vector.
func (m *machine) bytes() int {
	if m.wide {
		return 64
	}
	return 32
}

// size returns the length of an element.
func (m *machine) size() int {
	if m.double {
		return 8
	}
	return 4
}

func (m *machine) lanes() int { return m.bytes() / m.size() }

func (m *machine) vec() vec {
	if m.wide {
		return m.ZMM()
	}
	return m.YMM()
}

// table is the read-only data of a file: AVX-512 broadcasts an element as it reads it, AVX2 reads whole vectors.
type table struct {
	symbol operand.Symbol
	next   int
	offset map[entry]int
	data   []entry
}

type entry struct {
	bits   uint64
	size   int
	copies int
}

// newTable returns a table that begins with 32 bytes of ones and 32 of zeros for AVX2, which has no masks but vectors.
func newTable(name string, wide bool) *table {
	t := &table{symbol: operand.NewStaticSymbol(name), offset: map[entry]int{}}
	if !wide {
		t.at(entry{1<<64 - 1, 8, 4})
		t.at(entry{0, 8, 4})
	}
	return t
}

// at returns where an entry is; equal ones are stored once.
func (t *table) at(e entry) operand.Op {
	at, ok := t.offset[e]
	if !ok {
		at = t.next
		t.offset[e] = at
		t.data = append(t.data, e)
		t.next += e.size * e.copies
	}
	return operand.NewDataAddr(t.symbol, at)
}

// list returns where a vector of 64-bit elements is, stored as it is.
func (t *table) list(elements ...uint64) operand.Op {
	at := t.next
	for _, x := range elements {
		t.data = append(t.data, entry{x, 8, 1})
		t.next += 8
	}
	return operand.NewDataAddr(t.symbol, at)
}

// emit writes the table, after all functions.
func (t *table) emit(ctx *build.Context) {
	ctx.StaticGlobal(t.symbol.Name)
	ctx.DataAttributes(rodata)
	for _, e := range t.data {
		for range e.copies {
			if e.size == 4 {
				ctx.AppendDatum(operand.U32(e.bits))
			} else {
				ctx.AppendDatum(operand.U64(e.bits))
			}
		}
	}
}

// num returns a constant.
func (m *machine) num(x float64) operand.Op {
	if m.double {
		return m.bits(math.Float64bits(x))
	}
	return m.bits(uint64(math.Float32bits(float32(x))))
}

// bits returns a constant by its bits.
func (m *machine) bits(b uint64) operand.Op {
	copies := 1
	if !m.wide {
		copies = m.lanes()
	}
	return m.table.at(entry{b, m.size(), copies})
}

func (m *machine) signBit() operand.Op { return m.bits(1 << (8*m.size() - 1)) }

func (m *machine) magnitude() operand.Op { return m.bits(1<<(8*m.size()-1) - 1) }

// form is an instruction on both types of elements, and on a constant that it broadcasts.
type form struct{ ps, pd, psBroadcast, pdBroadcast func(...operand.Op) }

// emit appends the instruction. The first operand, or the second after an immediate, may be a constant.
func (m *machine) emit(f form, ops ...operand.Op) {
	broadcast := false
	for _, op := range ops[:2] {
		if mem, ok := op.(operand.Mem); ok && mem.Symbol == m.table.symbol {
			broadcast = m.wide
		}
	}
	switch {
	case broadcast && m.double:
		f.pdBroadcast(ops...)
	case broadcast:
		f.psBroadcast(ops...)
	case m.double:
		f.pd(ops...)
	default:
		f.ps(ops...)
	}
}

// binary returns a ∘ b.
func (m *machine) binary(f form, a vec, b operand.Op) vec {
	r := m.vec()
	m.emit(f, b, a, r)
	return r
}

func (m *machine) add(a vec, b operand.Op) vec {
	return m.binary(form{m.VADDPS, m.VADDPD, m.VADDPS_BCST, m.VADDPD_BCST}, a, b)
}

func (m *machine) sub(a vec, b operand.Op) vec {
	return m.binary(form{m.VSUBPS, m.VSUBPD, m.VSUBPS_BCST, m.VSUBPD_BCST}, a, b)
}

func (m *machine) mul(a vec, b operand.Op) vec {
	return m.binary(form{m.VMULPS, m.VMULPD, m.VMULPS_BCST, m.VMULPD_BCST}, a, b)
}

func (m *machine) div(a vec, b operand.Op) vec {
	return m.binary(form{m.VDIVPS, m.VDIVPD, m.VDIVPS_BCST, m.VDIVPD_BCST}, a, b)
}

// min and max return b where an operand is NaN or both are zeros.
func (m *machine) min(a vec, b operand.Op) vec {
	return m.binary(form{m.VMINPS, m.VMINPD, m.VMINPS_BCST, m.VMINPD_BCST}, a, b)
}

func (m *machine) max(a vec, b operand.Op) vec {
	return m.binary(form{m.VMAXPS, m.VMAXPD, m.VMAXPS_BCST, m.VMAXPD_BCST}, a, b)
}

func (m *machine) and(a vec, b operand.Op) vec {
	return m.binary(form{m.VANDPS, m.VANDPD, m.VANDPS_BCST, m.VANDPD_BCST}, a, b)
}

func (m *machine) or(a vec, b operand.Op) vec {
	return m.binary(form{m.VORPS, m.VORPD, m.VORPS_BCST, m.VORPD_BCST}, a, b)
}

func (m *machine) xor(a vec, b operand.Op) vec {
	return m.binary(form{m.VXORPS, m.VXORPD, m.VXORPS_BCST, m.VXORPD_BCST}, a, b)
}

// flip returns y with its sign changed where that of a is set.
func (m *machine) flip(y, a vec) vec {
	if !m.wide {
		return m.xor(y, m.and(a, m.signBit()))
	}
	const xorOfAnd = 0x78
	return m.ternary(xorOfAnd, y, a, m.signBit())
}

// join returns a ∧ kept ∨ b.
func (m *machine) join(a vec, kept uint64, b vec) vec {
	if !m.wide {
		return m.or(m.and(a, m.bits(kept)), b)
	}
	const orOfAnd = 0xf8
	return m.ternary(orOfAnd, b, a, m.bits(kept))
}

// ternary returns the function of the bits of a, b and c that AVX-512 finds in a table of eight.
func (m *machine) ternary(table uint8, a, b vec, c operand.Op) vec {
	r := m.load(a)
	f := form{m.VPTERNLOGD, m.VPTERNLOGQ, m.VPTERNLOGD_BCST, m.VPTERNLOGQ_BCST}
	m.emit(f, operand.U8(table), c, b, r)
	return r
}

func (m *machine) sqrt(a vec) vec {
	r := m.vec()
	if m.double {
		m.VSQRTPD(a, r)
	} else {
		m.VSQRTPS(a, r)
	}
	return r
}

// mulAdd returns a·b + c, rounded once.
func (m *machine) mulAdd(a vec, b, c operand.Op) vec {
	r := m.load(c)
	m.emit(form{m.VFMADD231PS, m.VFMADD231PD, m.VFMADD231PS_BCST, m.VFMADD231PD_BCST}, b, a, r)
	return r
}

// negMulAdd returns c − a·b, rounded once.
func (m *machine) negMulAdd(a vec, b, c operand.Op) vec {
	r := m.load(c)
	m.emit(form{m.VFNMADD231PS, m.VFNMADD231PD, m.VFNMADD231PS_BCST, m.VFNMADD231PD_BCST}, b, a, r)
	return r
}

// mulSub returns a·b − c, rounded once.
func (m *machine) mulSub(a vec, b, c operand.Op) vec {
	r := m.load(c)
	m.emit(form{m.VFMSUB231PS, m.VFMSUB231PD, m.VFMSUB231PS_BCST, m.VFMSUB231PD_BCST}, b, a, r)
	return r
}

// polynomial returns Σ c[k]·xᵏ by Horner's rule.
func (m *machine) polynomial(x vec, c []float64) vec {
	last := len(c) - 1
	r := m.load(m.num(c[last]))
	for k := last - 1; k >= 0; k-- {
		m.emit(form{m.VFMADD213PS, m.VFMADD213PD, m.VFMADD213PS_BCST, m.VFMADD213PD_BCST}, m.num(c[k]), x, r)
	}
	return r
}

// load returns a copy of a register or a constant.
func (m *machine) load(c operand.Op) vec {
	r := m.vec()
	switch _, constant := c.(operand.Mem); {
	case constant && m.wide && m.double:
		m.VBROADCASTSD(c, r)
	case constant && m.wide:
		m.VBROADCASTSS(c, r)
	default:
		m.VMOVAPS(c, r)
	}
	return r
}

// shiftLeft shifts the bits of elements.
func (m *machine) shiftLeft(a vec, by uint8) vec {
	r := m.vec()
	m.emit(form{ps: m.VPSLLD, pd: m.VPSLLQ}, operand.U8(by), a, r)
	return r
}

// shiftRight shifts 32-bit elements with their sign.
func (m *machine) shiftRight(a vec, by uint8) vec {
	r := m.vec()
	m.VPSRAD(operand.U8(by), a, r)
	return r
}

// shiftRightBits shifts zeros in.
func (m *machine) shiftRightBits(a vec, by uint8) vec {
	r := m.vec()
	m.emit(form{ps: m.VPSRLD, pd: m.VPSRLQ}, operand.U8(by), a, r)
	return r
}

// addInt and subInt work on integers of the size of an element.
func (m *machine) addInt(a vec, b operand.Op) vec {
	return m.binary(form{m.VPADDD, m.VPADDQ, m.VPADDD_BCST, m.VPADDQ_BCST}, a, b)
}

func (m *machine) subInt(a vec, b operand.Op) vec {
	return m.binary(form{m.VPSUBD, m.VPSUBQ, m.VPSUBD_BCST, m.VPSUBQ_BCST}, a, b)
}

// minInt works on 32-bit elements.
func (m *machine) minInt(a vec, b operand.Op) vec {
	return m.binary(form{ps: m.VPMINSD, psBroadcast: m.VPMINSD_BCST}, a, b)
}

// toFloat converts 32-bit integers.
func (m *machine) toFloat(a vec) vec {
	r := m.vec()
	m.VCVTDQ2PS(a, r)
	return r
}

// mask is what a comparison gives: an opmask, or a vector of ones and zeros.
type mask = reg.Register

// predicate is an immediate of VCMPPS, of the quiet kind.
type predicate uint8

const (
	equal           predicate = 0x00
	less            predicate = 0x11
	lessEqual       predicate = 0x12
	unordered       predicate = 0x03
	notEqual        predicate = 0x04 // or unordered
	notLess         predicate = 0x15 // or unordered
	notGreater      predicate = 0x1a // or unordered
	notGreaterEqual predicate = 0x19 // or unordered
)

// compare returns the mask of a ∘ b.
func (m *machine) compare(p predicate, a vec, b operand.Op) mask {
	var r reg.Register = m.YMM()
	if m.wide {
		r = m.K()
	}
	m.emit(form{m.VCMPPS, m.VCMPPD, m.VCMPPS_BCST, m.VCMPPD_BCST}, operand.U8(p), b, a, r)
	return r
}

// pick returns yes where the mask is set, else no.
func (m *machine) pick(mask mask, yes operand.Op, no vec) vec {
	r := m.vec()
	switch {
	case m.wide:
		m.emit(form{m.VBLENDMPS, m.VBLENDMPD, m.VBLENDMPS_BCST, m.VBLENDMPD_BCST}, yes, no, mask, r)
	case m.double:
		m.VBLENDVPD(mask, yes, no, r)
	default:
		m.VBLENDVPS(mask, yes, no, r)
	}
	return r
}

// negative returns the mask of the elements whose sign bit is set.
func (m *machine) negative(a vec) mask {
	if !m.wide {
		return a
	}
	k := m.K()
	if m.double {
		m.VPMOVQ2M(a, k)
	} else {
		m.VPMOVD2M(a, k)
	}
	return k
}

// round rounds to an integer: to even, down, up, or toward zero.
func (m *machine) round(a vec, mode uint8) vec {
	r := m.vec()
	const quiet = 8
	switch imm := operand.U8(mode | quiet); {
	case m.wide && m.double:
		m.VRNDSCALEPD(imm, a, r)
	case m.wide:
		m.VRNDSCALEPS(imm, a, r)
	case m.double:
		m.VROUNDPD(imm, a, r)
	default:
		m.VROUNDPS(imm, a, r)
	}
	return r
}

// name returns the name of a function of this implementation, such as exp32AVX512.
func (m *machine) name(base string) string {
	return fmt.Sprintf("%s%d%s", base, 8*m.size(), m.suffix())
}

func (m *machine) suffix() string {
	if m.wide {
		return "AVX512"
	}
	return "AVX2"
}
