package main

import (
	"go/types"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowsBeside is the number of rows that a function folds side by side: one's latency hides behind the others, and they share the folding of
// their vectors to a number each.
const rowsBeside = 4

// foldRows writes the functions that cpu.Fold describes as Rows. Sums and products are in AVX2 alone: a vector of four float64 is the four
// parts that a column has.
func foldRows(c *build.Context, set isa) {
	for _, f := range set.floats() {
		r := rowFolds{Context: c, isa: set, float: f}
		if !set.hasMasks() {
			r.ones = lanesTable(c, f, set.bytes/f.size)
			for _, p := range products {
				r.rowFold = &wideRows{rowFolds: &r, product: p}
				r.function(p.name)
			}
		}
		for _, max := range []bool{true, false} {
			r.rowFold = &extremeRows{rowFolds: &r, max: max}
			r.function(map[bool]string{true: "max", false: "min"}[max])
		}
	}
}

// rowFolds is the writer of the functions of one type. Vector i, below rowsBeside, holds what was folded of row i.
type rowFolds struct {
	*build.Context
	isa
	float
	ones operand.Mem // as many lanes of ones as a vector has, then as many of zeros
	rowFold
}

// rowFold is what functions differ in.
type rowFold interface {
	lanes() int                               // terms of a vector
	prepare()                                 // sets vectors that stay as they are; table is the end of the lanes that the mask of the last terms has
	begin(i int, first operand.Mem)           // sets vector i to the fold of no terms
	take(i int, at operand.Mem, partial bool) // folds a vector of terms into vector i; the mask says which if it is partial
	merge(bytes int, x, y, to reg.Register)   // folds vectors of so many bytes
	element() int                             // bytes of what merge folds
	bytesOf() int                             // of vector i
	finish(x reg.Register)                    // makes results of what was folded, as many as rowsBeside
}

// Registers of the functions: of rows, and of what is common to them.
var (
	rowDst, rowSrc, rowLanes = reg.RDI, reg.RSI, reg.RBX
	rowsLeft                 = reg.RDX
	rowBytes, rowRest        = reg.R8, reg.R10 // of a row's whole vectors; terms beyond
	rowAtByte, rowTable      = reg.RCX, reg.R9
	rowStart                 = [rowsBeside]reg.GPPhysical{reg.RAX, reg.R11, reg.R12, reg.R13}
	rowMask                  = reg.K1
)

func (r *rowFolds) function(name string) {
	pointer, integer := types.UnsafePointer, types.Int
	function(r.Context, name+"Rows"+r.float.suffix+r.isa.suffix,
		param{"dst", pointer}, param{"src", pointer}, param{"lanes", pointer}, param{"n", integer}, param{"terms", integer})
	loadWord(r.Context, "dst", rowDst)
	loadWord(r.Context, "src", rowSrc)
	loadWord(r.Context, "lanes", rowLanes)
	loadWord(r.Context, "n", rowsLeft)
	loadWord(r.Context, "terms", rowBytes)
	r.MOVQ(rowBytes, rowRest)
	r.ANDQ(operand.U8(r.lanes()-1), rowRest)
	r.SUBQ(rowRest, rowBytes)
	r.SHLQ(operand.U8(r.log), rowBytes)
	r.cutMask()
	r.prepare()
	r.loop("rows", rowsBeside)
	r.loop("row", 1)
	r.VZEROUPPER()
	r.RET()
}

// cutMask makes the mask of the last terms, or has table point to it.
func (r *rowFolds) cutMask() {
	if r.hasMasks() {
		r.MOVQ(rowRest, reg.RCX)
		r.MOVQ(operand.U32(1), rowTable)
		r.SHLQ(reg.CL, rowTable)
		r.DECQ(rowTable)
		r.KMOVW(rowTable.As32(), rowMask)
		return
	}
	r.MOVQ(rowRest, reg.RCX)
	r.SHLQ(operand.U8(r.log), reg.RCX)
	r.LEAQ(r.ones.Offset(r.isa.bytes), rowTable)
	r.SUBQ(reg.RCX, rowTable)
}

// loop writes the loop that takes so many rows at a time, as long as there are.
func (r *rowFolds) loop(name string, many int) {
	label := func(part string) string { return name + part }
	r.Label(name)
	r.CMPQ(rowsLeft, operand.U8(many))
	r.JLT(operand.LabelRef(label("end")))
	for i := range many {
		r.MOVQ(operand.Mem{Base: rowLanes, Disp: 8 * i}, rowStart[i])
		r.LEAQ(operand.Mem{Base: rowSrc, Index: rowStart[i], Scale: uint8(r.size)}, rowStart[i])
		r.begin(i, operand.Mem{Base: rowStart[i]})
	}
	terms := func(partial bool) {
		for i := range many {
			r.take(i, operand.Mem{Base: rowStart[i], Index: rowAtByte, Scale: 1}, partial)
		}
	}
	r.XORQ(rowAtByte, rowAtByte)
	r.TESTQ(rowBytes, rowBytes)
	r.JEQ(operand.LabelRef(label("rest")))
	align(r.Context)
	r.Label(label("terms"))
	terms(false)
	r.ADDQ(operand.U8(r.lanes()*r.size), rowAtByte)
	r.CMPQ(rowAtByte, rowBytes)
	r.JLT(operand.LabelRef(label("terms")))
	r.Label(label("rest"))
	r.TESTQ(rowRest, rowRest)
	r.JEQ(operand.LabelRef(label("total")))
	terms(true)
	r.Label(label("total"))
	r.finish(r.total(many))
	r.put(many)
	r.ADDQ(operand.U8(many*r.size), rowDst)
	r.ADDQ(operand.U8(8*many), rowLanes)
	r.SUBQ(operand.U8(many), rowsLeft)
	r.JMP(operand.LabelRef(name))
	r.Label(label("end"))
}

// total folds the elements of each row's vector and returns the vector of what the rows give, which is vector 0. Of (a0 a1 …) and (b0 b1 …)
// unpacking makes (a0 b0 …) and (a1 b1 …), so that one fold serves both. One row alone is in the place of all.
func (r *rowFolds) total(many int) reg.Register {
	v := r.isa.vectors
	a, b, c, d, lo, hi := v[0], v[0], v[0], v[0], v[4], v[5]
	if many > 1 {
		b, c, d = v[1], v[2], v[3]
	}
	bytes := r.bytesOf()
	if r.element() == 4 {
		r.unpack32(bytes, a, b, lo, hi)
		r.merge(bytes, lo, hi, v[6])
		r.unpack32(bytes, c, d, lo, hi)
		r.merge(bytes, lo, hi, v[7])
		r.unpack64(bytes, v[6], v[7], lo, hi)
		r.merge(bytes, lo, hi, a)
		for ; bytes > 16; bytes /= 2 {
			upperHalf(r.Context, bytes, a, lo)
			r.merge(bytes/2, sized(a, bytes/2), sized(lo, bytes/2), sized(a, bytes/2))
		}
		return sized(a, 16)
	}
	r.unpack64(bytes, a, b, lo, hi)
	r.merge(bytes, lo, hi, v[6])
	r.unpack64(bytes, c, d, lo, hi)
	r.merge(bytes, lo, hi, v[7])
	if bytes == 64 {
		for _, x := range v[6:8] {
			upperHalf(r.Context, bytes, x, lo)
			r.merge(32, sized(x, 32), sized(lo, 32), sized(x, 32))
		}
	}
	x, y, to := sized(v[6], 32), sized(v[7], 32), sized(a, 32)
	r.VPERM2F128(operand.U8(0x20), y, x, sized(lo, 32))
	r.VPERM2F128(operand.U8(0x31), y, x, sized(hi, 32))
	r.merge(32, sized(lo, 32), sized(hi, 32), to)
	return to
}

func (r *rowFolds) unpack32(bytes int, x, y, lo, hi reg.Register) {
	r.VUNPCKLPS(sized(y, bytes), sized(x, bytes), sized(lo, bytes))
	r.VUNPCKHPS(sized(y, bytes), sized(x, bytes), sized(hi, bytes))
}

func (r *rowFolds) unpack64(bytes int, x, y, lo, hi reg.Register) {
	r.VUNPCKLPD(sized(y, bytes), sized(x, bytes), sized(lo, bytes))
	r.VUNPCKHPD(sized(y, bytes), sized(x, bytes), sized(hi, bytes))
}

// put stores the results of so many rows, which lie in vector 0.
func (r *rowFolds) put(many int) {
	x, to := r.isa.vectors[0], operand.Mem{Base: rowDst}
	switch {
	case many == 1 && r.size == 4:
		r.VMOVSS(sized(x, 16), to)
	case many == 1:
		r.VMOVSD(sized(x, 16), to)
	default:
		r.store(r.Context, sized(x, rowsBeside*r.size), to)
	}
}

// wideRows folds in float64.
type wideRows struct {
	*rowFolds
	product
}

func (w *wideRows) lanes() int   { return 4 }
func (w *wideRows) element() int { return 8 }
func (w *wideRows) bytesOf() int { return 32 }

// filling is 1 in the lanes that the mask lacks.
func (w *wideRows) filling() reg.Register { return w.isa.vectors[14] }
func (w *wideRows) mask() reg.Register    { return sized(w.isa.vectors[13], 4*w.size) }
func (w *wideRows) empty() reg.Register   { return w.isa.vectors[15] }

func (w *wideRows) prepare() {
	w.load(w.Context, operand.Mem{Base: rowTable}, w.mask())
	w.start(w.Context, w.isa, rowTable, w.empty())
	if !w.one {
		return
	}
	wide := sized(w.mask(), 32)
	if w.size == 4 {
		wide = w.isa.vectors[12]
		w.VPMOVSXDQ(w.mask(), wide)
	}
	w.VANDNPD(w.empty(), wide, w.filling())
}

func (w *wideRows) begin(i int, _ operand.Mem) { w.VMOVUPD(w.empty(), w.isa.vectors[i]) }

func (w *wideRows) take(i int, at operand.Mem, partial bool) {
	part, wide := w.isa.vectors[i], w.isa.vectors[4+i]
	if !partial && w.size == 8 {
		w.vector(w.Context, at, part, part)
		return
	}
	from := operand.Op(at)
	if partial {
		from = sized(wide, 4*w.size)
		w.maskedLoad(w.Context, at, w.mask(), from)
	}
	if w.size == 4 {
		w.VCVTPS2PD(from, wide)
	}
	if partial && w.one {
		w.VORPD(w.filling(), wide, wide)
	}
	w.vector(w.Context, wide, part, part)
}

func (w *wideRows) merge(_ int, x, y, to reg.Register) { w.vector(w.Context, y, x, to) }

func (w *wideRows) finish(x reg.Register) {
	if w.size == 4 {
		w.VCVTPD2PSY(x, sized(x, 16))
	}
}

// extremeRows finds minima, and maxima as minima of what is negated. The instruction returns its second operand where one is NaN or both are
// zeros, so each order has what the other lacks: the bits of a NaN survive any or, and so does the sign of −0.
type extremeRows struct {
	*rowFolds
	max bool
}

func (e *extremeRows) lanes() int   { return e.isa.bytes / e.size }
func (e *extremeRows) element() int { return e.size }
func (e *extremeRows) bytesOf() int { return e.isa.bytes }

// sign has the sign bit alone; mask is where AVX2 has the lanes of the last terms.
func (e *extremeRows) sign() reg.Register { return e.isa.vectors[15] }
func (e *extremeRows) mask() reg.Register { return e.isa.vectors[14] }

func (e *extremeRows) prepare() {
	if !e.hasMasks() {
		e.load(e.Context, operand.Mem{Base: rowTable}, e.mask())
	}
	if !e.max {
		return
	}
	low := sized(e.sign(), 16)
	e.MOVQ(operand.U64(map[int]uint64{4: 0x8000000080000000, 8: 1 << 63}[e.size]), rowTable)
	e.VMOVQ(rowTable, low)
	e.VBROADCASTSD(low, e.sign())
}

// begin takes the first term, which changes nothing that it is folded into.
func (e *extremeRows) begin(i int, first operand.Mem) {
	e.broadcast(e.Context, first, e.isa.vectors[i])
	e.negate(e.isa.vectors[i], e.isa.vectors[i])
}

// negate sets to = −from where maxima are minima.
func (e *extremeRows) negate(from operand.Op, to reg.Register) {
	if e.max {
		e.VXORPS(from, e.sign(), to)
	}
}

func (e *extremeRows) take(i int, at operand.Mem, partial bool) {
	least, x := e.isa.vectors[i], e.isa.vectors[4+i]
	if !partial {
		if e.max {
			e.negate(at, x)
		} else {
			e.load(e.Context, at, x)
		}
		e.merge(e.isa.bytes, least, x, least)
		return
	}
	if e.hasMasks() {
		e.maskedLoad(e.Context, at, rowMask, x)
	} else {
		e.maskedLoad(e.Context, at, e.mask(), x)
	}
	e.negate(x, x)
	e.merge(e.isa.bytes, least, x, x)
	switch {
	case e.hasMasks():
		e.maskedStore(e.Context, x, rowMask, least)
	case e.size == 4:
		e.VBLENDVPS(e.mask(), x, least, least)
	default:
		e.VBLENDVPD(e.mask(), x, least, least)
	}
}

func (e *extremeRows) merge(bytes int, x, y, to reg.Register) {
	one, other := sized(e.isa.vectors[8], bytes), sized(e.isa.vectors[9], bytes)
	if e.size == 4 {
		e.VMINPS(y, x, one)
		e.VMINPS(x, y, other)
	} else {
		e.VMINPD(y, x, one)
		e.VMINPD(x, y, other)
	}
	e.VORPS(one, other, to)
}

func (e *extremeRows) finish(x reg.Register) {
	if e.max {
		e.VXORPS(x, sized(e.sign(), rowsBeside*e.size), x)
	}
}
