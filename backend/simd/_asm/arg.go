package main

import (
	"go/types"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// args writes the functions that cpu.Arg describes, three for each float type.
func args(c *build.Context, set isa) {
	for _, f := range set.floats() {
		a := arg{Context: c, isa: set, float: f}
		if !set.hasMasks() {
			a.ones = lanesTable(c, f, findVectors*a.lanes())
		}
		a.find()
		a.columns("argMax", atLeast)
		a.columns("argMin", atMost)
	}
}

// Predicates of comparisons. None raises an exception, and but for unordered none holds for a NaN.
const (
	equal     = 0x00
	unordered = 0x03
	atLeast   = 0x1d
	atMost    = 0x12
)

// arg is the writer of the functions of one type.
type arg struct {
	*build.Context
	isa
	float
	ones operand.Mem // as many lanes of ones as find looks at together, then as many of zeros
}

func (a *arg) lanes() int { return a.bytes / a.size }

// compare sets to where the predicate holds, of x and y in this order.
func (a *arg) compare(predicate uint8, y, x, to reg.Register) {
	if a.size == 4 {
		a.VCMPPS(operand.U8(predicate), y, x, to)
		return
	}
	a.VCMPPD(operand.U8(predicate), y, x, to)
}

// findVectors is the number of vectors that find looks at together: a branch for each would often be mispredicted.
const findVectors = 4

// Registers of find.
var (
	findWhere, findValues, findSrc, findLanes = reg.RDI, reg.RSI, reg.RBX, reg.RDX
	findLeft, findBytes, findRest             = reg.R8, reg.R9, reg.R10
	findAt, findFrom                          = reg.RCX, reg.R11
	findBits, findMore                        = reg.RAX, reg.R12
	findMasks                                 = [findVectors]reg.Register{reg.K4, reg.K5, reg.K6, reg.K7}
)

func (a *arg) wanted() reg.Register        { return a.vectors[15] }
func (a *arg) lastMask(v int) reg.Register { return a.vectors[10+v] }

// find writes the function that finds a number of each row.
func (a *arg) find() {
	pointer, integer := types.UnsafePointer, types.Int
	function(a.Context, "find"+a.float.suffix+a.isa.suffix, param{"where", pointer}, param{"values", pointer}, param{"src", pointer},
		param{"lanes", pointer}, param{"n", integer}, param{"terms", integer})
	loadWord(a.Context, "where", findWhere)
	loadWord(a.Context, "values", findValues)
	loadWord(a.Context, "src", findSrc)
	loadWord(a.Context, "lanes", findLanes)
	loadWord(a.Context, "n", findLeft)
	loadWord(a.Context, "terms", findBytes)
	a.MOVQ(findBytes, findRest)
	a.ANDQ(operand.U8(findVectors*a.lanes()-1), findRest)
	a.SUBQ(findRest, findBytes)
	a.SHLQ(operand.U8(a.log), findBytes)
	a.cutMasks()
	a.Label("row")
	a.MOVQ(operand.Mem{Base: findLanes}, findFrom)
	a.LEAQ(operand.Mem{Base: findSrc, Index: findFrom, Scale: uint8(a.size)}, findFrom)
	a.broadcast(a.Context, operand.Mem{Base: findValues}, a.wanted())
	a.XORQ(findAt, findAt)
	a.TESTQ(findBytes, findBytes)
	a.JEQ(operand.LabelRef("rest"))
	a.Label("terms")
	a.look(false)
	a.TESTQ(findBits, findBits)
	a.JNE(operand.LabelRef("found"))
	a.ADDQ(operand.U32(findVectors*a.bytes), findAt)
	a.CMPQ(findAt, findBytes)
	a.JLT(operand.LabelRef("terms"))
	a.Label("rest")
	a.look(true)
	a.Label("found")
	a.TZCNTQ(findBits, findBits)
	a.SHRQ(operand.U8(a.log), findAt)
	a.ADDQ(findBits, findAt)
	a.MOVQ(findAt, operand.Mem{Base: findWhere})
	a.ADDQ(operand.U8(8), findWhere)
	a.ADDQ(operand.U8(8), findLanes)
	a.ADDQ(operand.U8(a.size), findValues)
	a.DECQ(findLeft)
	a.JNE(operand.LabelRef("row"))
	a.VZEROUPPER()
	a.RET()
}

// cutMasks makes the masks of the last terms.
func (a *arg) cutMasks() {
	a.MOVQ(findRest, reg.RCX)
	if a.hasMasks() {
		a.MOVQ(operand.U32(1), findBits)
		a.SHLQ(reg.CL, findBits)
		a.DECQ(findBits)
		for _, m := range findMasks {
			a.KMOVW(findBits.As32(), m)
			a.SHRQ(operand.U8(a.lanes()), findBits)
		}
		return
	}
	a.SHLQ(operand.U8(a.log), reg.RCX)
	a.LEAQ(a.ones.Offset(findVectors*a.bytes), findBits)
	a.SUBQ(reg.RCX, findBits)
	for v := range findVectors {
		a.load(a.Context, operand.Mem{Base: findBits, Disp: v * a.bytes}, a.lastMask(v))
	}
}

// look makes a bit for each of the next terms: whether it is the number wanted or NaN, which none is where a number is wanted.
func (a *arg) look(partial bool) {
	for v := range findVectors {
		at := operand.Mem{Base: findFrom, Index: findAt, Scale: 1, Disp: v * a.bytes}
		bits := findMore
		if v == 0 {
			bits = findBits
		}
		if a.hasMasks() {
			a.lookMasked(v, at, partial, bits)
		} else {
			a.lookBlended(v, at, partial, bits)
		}
		if v > 0 {
			a.SHLQ(operand.U8(v*a.lanes()), findMore)
			a.ORQ(findMore, findBits)
		}
	}
}

func (a *arg) lookMasked(v int, at operand.Mem, partial bool, bits reg.GPPhysical) {
	x, same, none := a.vectors[v], reg.K2, reg.K3
	if partial {
		a.maskedLoad(a.Context, at, findMasks[v], x)
	} else {
		a.load(a.Context, at, x)
	}
	a.compare(equal, a.wanted(), x, same)
	a.compare(unordered, x, x, none)
	a.KORW(same, none, same)
	if partial {
		a.KANDW(findMasks[v], same, same)
	}
	a.KMOVW(same, bits.As32())
}

func (a *arg) lookBlended(v int, at operand.Mem, partial bool, bits reg.GPPhysical) {
	x, same := a.vectors[2*v], a.vectors[2*v+1]
	if partial {
		a.maskedLoad(a.Context, at, a.lastMask(v), x)
	} else {
		a.load(a.Context, at, x)
	}
	a.compare(equal, a.wanted(), x, same)
	a.compare(unordered, x, x, x)
	a.VORPS(x, same, same)
	if partial {
		a.VANDPS(a.lastMask(v), same, same)
	}
	if a.size == 4 {
		a.VMOVMSKPS(same, bits.As32())
		return
	}
	a.VMOVMSKPD(same, bits.As32())
}

// argBytes is how many bytes of a row of the matrix columns takes: what is best of each column waits for the comparison before, and others
// go on meanwhile.
const argBytes = 128

func (a *arg) beside() int              { return argBytes / a.bytes }
func (a *arg) best(v int) reg.Register  { return a.vectors[v] }
func (a *arg) where(v int) reg.Register { return a.vectors[4+v] }

// columns writes the function that finds the extremes of columns and where they are. It goes from the last term to the first and keeps the
// latest of equals and of NaNs.
func (a *arg) columns(name string, keeps uint8) {
	pointer, integer := types.UnsafePointer, types.Int
	function(a.Context, name+"Columns"+a.float.suffix+a.isa.suffix, param{"where", pointer}, param{"best", pointer}, param{"src", pointer},
		param{"stride", integer}, param{"terms", integer})
	where, best, src, stride, left := reg.RDI, reg.RSI, reg.RBX, reg.RDX, reg.RCX
	loadWord(a.Context, "where", where)
	loadWord(a.Context, "best", best)
	loadWord(a.Context, "src", src)
	loadWord(a.Context, "stride", stride)
	loadWord(a.Context, "terms", left)
	a.SHLQ(operand.U8(a.log), stride)
	a.DECQ(left)
	a.MOVQ(left, reg.RAX)
	a.IMULQ(stride, reg.RAX)
	a.ADDQ(reg.RAX, src)
	term, minusOne := a.vectors[8], a.vectors[9]
	a.spread(left, term)
	a.allOnes(minusOne)
	for v := range a.beside() {
		a.load(a.Context, operand.Mem{Base: src, Disp: v * a.bytes}, a.best(v))
		a.VMOVUPS(term, a.where(v))
	}
	a.TESTQ(left, left)
	a.JEQ(operand.LabelRef("done"))
	align(a.Context)
	a.Label("term")
	a.SUBQ(stride, src)
	a.addInts(minusOne, term, term)
	for v := range a.beside() {
		a.keep(v, operand.Mem{Base: src, Disp: v * a.bytes}, keeps, term)
	}
	a.DECQ(left)
	a.JNE(operand.LabelRef("term"))
	a.Label("done")
	for v := range a.beside() {
		a.store(a.Context, a.best(v), operand.Mem{Base: best, Disp: v * a.bytes})
		a.putInts(a.where(v), operand.Mem{Base: where, Disp: v * a.lanes() * 8})
	}
	a.VZEROUPPER()
	a.RET()
}

// keep takes what lies at a place, and its term, where it is NaN or as good as what is best of the terms behind it.
func (a *arg) keep(v int, at operand.Mem, keeps uint8, term reg.Register) {
	x := a.vectors[10+v%2]
	a.load(a.Context, at, x)
	if a.hasMasks() {
		good, none := reg.K1, reg.K2
		a.compare(keeps, a.best(v), x, good)
		a.compare(unordered, x, x, none)
		a.KORW(good, none, good)
		a.maskedStore(a.Context, x, good, a.best(v))
		a.maskedStore(a.Context, term, good, a.where(v))
		return
	}
	good, none := a.vectors[12+v%2], a.vectors[14+v%2]
	a.compare(keeps, a.best(v), x, good)
	a.compare(unordered, x, x, none)
	a.VORPS(none, good, good)
	if a.size == 4 {
		a.VBLENDVPS(good, x, a.best(v), a.best(v))
		a.VBLENDVPS(good, term, a.where(v), a.where(v))
		return
	}
	a.VBLENDVPD(good, x, a.best(v), a.best(v))
	a.VBLENDVPD(good, term, a.where(v), a.where(v))
}

// spread sets the integers of a vector, which are as wide as its floats.
func (a *arg) spread(x reg.GPPhysical, to reg.Register) {
	low := sized(to, 16)
	a.VMOVQ(x, low)
	if a.size == 4 {
		a.VPBROADCASTD(low, to)
		return
	}
	a.VPBROADCASTQ(low, to)
}

func (a *arg) addInts(x, y, to reg.Register) {
	if a.size == 4 {
		a.VPADDD(x, y, to)
		return
	}
	a.VPADDQ(x, y, to)
}

// allOnes sets the integers of a vector to −1.
func (a *arg) allOnes(v reg.Register) {
	if a.hasMasks() {
		a.VPTERNLOGD(operand.U8(0xff), v, v, v)
		return
	}
	a.VPCMPEQD(v, v, v)
}

// putInts stores the integers of a vector as int64.
func (a *arg) putInts(v reg.Register, to operand.Mem) {
	if a.size == 8 {
		a.store(a.Context, v, to)
		return
	}
	wide, upper := a.vectors[10], a.vectors[11]
	upperHalf(a.Context, a.bytes, v, upper)
	for i, half := range []reg.Register{v, upper} {
		a.VPMOVSXDQ(sized(half, a.bytes/2), wide)
		a.store(a.Context, wide, operand.Mem{Base: to.Base, Disp: to.Disp + i*a.bytes})
	}
}
