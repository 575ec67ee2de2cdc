package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// arithmetic emits the kernels that are exact, the same for both types of elements.
func (m *machine) arithmetic() {
	m.lightKernel("add", 2, func(in []vec) vec { return m.add(in[0], in[1]) })
	m.lightKernel("sub", 2, func(in []vec) vec { return m.sub(in[0], in[1]) })
	m.lightKernel("mul", 2, func(in []vec) vec { return m.mul(in[0], in[1]) })
	m.kernel("div", 2, func(in []vec) vec { return m.div(in[0], in[1]) })
	m.lightKernel("min", 2, m.minimum)
	m.kernel("max", 2, m.maximum)
	m.lightKernel("neg", 1, func(in []vec) vec { return m.xor(in[0], m.signBit()) })
	m.lightKernel("abs", 1, func(in []vec) vec { return m.and(in[0], m.magnitude()) })
	m.kernel("sign", 1, m.sign)
	m.kernel("sqrt", 1, func(in []vec) vec { return m.sqrt(in[0]) })
	m.kernel("rsqrt", 1, func(in []vec) vec { return m.div(m.load(m.num(1)), m.sqrt(in[0])) })
	for mode, name := range []string{"round", "floor", "ceil", "trunc"} {
		m.kernel(name, 1, func(in []vec) vec { return m.round(in[0], uint8(mode)) })
	}
	m.where()
	m.comparison("eq", equal)
	m.comparison("ne", notEqual)
	m.comparison("lt", less)
	m.comparison("le", lessEqual)
}

// sign. Adding 0 makes +0 of −0 and leaves a NaN.
func (m *machine) sign(in []vec) vec {
	zero := m.zero()
	r := m.pick(m.compare(less, in[0], zero), m.num(-1), m.add(in[0], zero))
	return m.pick(m.compare(less, zero, in[0]), m.num(1), r)
}

// minimum. The instruction returns its second operand where one is NaN or both are zeros, so each order has what the other lacks: the bits
// of a NaN survive any or, and so does the sign of −0.
func (m *machine) minimum(in []vec) vec {
	return m.or(m.min(in[0], in[1]), m.min(in[1], in[0]))
}

// maximum. An and of both orders makes +0 of zeros of two signs, but may make a number of a NaN.
func (m *machine) maximum(in []vec) vec {
	r := m.and(m.max(in[0], in[1]), m.max(in[1], in[0]))
	return m.pick(m.compare(unordered, in[0], in[1]), m.add(in[0], in[1]), r)
}

// where emits dst = b where a byte of a is true, else c. It is for any elements of the width.
func (m *machine) where() {
	l := m.begin("where")
	dst, a := l.stream("dst", m.size()), l.stream("a", 1)
	b, c := l.stream("b", m.size()), l.stream("c", m.size())
	mask, yes, no := m.vec(), m.vec(), m.vec()
	var result vec
	load := func(partial bool) {
		l.readBytes(a, mask, partial)
		l.read(b, yes, partial)
		l.read(c, no, partial)
	}
	body := func() { result = m.pick(l.nonzero(mask), yes, no) }
	l.run([]stream{dst, a, b, c}, load, body, func(partial bool) { l.write(dst, result, partial) })
}

// readBytes loads bytes, one for each element, and widens them.
func (l *loop) readBytes(s stream, r vec, partial bool) {
	switch {
	case l.wide && l.double && partial:
		l.VPMOVZXBQ_Z(s.mem(), l.limit, r)
	case l.wide && partial:
		l.VPMOVZXBD_Z(s.mem(), l.limit, r)
	case l.double && !partial:
		l.VPMOVZXBQ(s.mem(), r)
	case !partial:
		l.VPMOVZXBD(s.mem(), r)
	default:
		x := l.XMM()
		l.VMOVQ(l.gatherBytes(s), x)
		if l.double {
			l.VPMOVZXBQ(x, r)
		} else {
			l.VPMOVZXBD(x, r)
		}
	}
}

// gatherBytes returns the last n < 8 bytes.
func (l *loop) gatherBytes(s stream) reg.GPVirtual {
	all, one, i := l.GP64(), l.GP64(), l.GP64()
	l.XORQ(all, all)
	l.MOVQ(l.n, i)
	l.Label("gather")
	l.SHLQ(operand.U8(8), all)
	l.MOVBQZX(operand.Mem{Base: s.at, Index: i, Scale: 1, Disp: -1}, one)
	l.ORQ(one, all)
	l.DECQ(i)
	l.JNE(operand.LabelRef("gather"))
	return all
}

// nonzero returns the mask of the elements that are not 0, of widened bytes that are 0 or 1.
func (l *loop) nonzero(a vec) reg.Register {
	switch {
	case l.wide && l.double:
		k := l.K()
		l.VPTESTMQ(a, a, k)
		return k
	case l.wide:
		k := l.K()
		l.VPTESTMD(a, a, k)
		return k
	}
	r := l.YMM()
	if l.double {
		l.VPSLLQ(operand.U8(63), a, r)
	} else {
		l.VPSLLD(operand.U8(31), a, r)
	}
	return r
}

// comparison emits dst = a ∘ b, a byte of 0 or 1 for each element.
func (m *machine) comparison(base string, p predicate) {
	l := m.begin(base)
	dst, a, b := l.stream("dst", 1), l.stream("a", m.size()), l.stream("b", m.size())
	x, y := m.vec(), m.vec()
	var mask reg.Register
	load := func(partial bool) {
		l.read(a, x, partial)
		l.read(b, y, partial)
	}
	l.run([]stream{dst, a, b}, load, func() { mask = m.compare(p, x, y) }, func(partial bool) { l.writeTruth(dst, mask, partial) })
}

// writeTruth stores a mask as bytes.
func (l *loop) writeTruth(s stream, mask reg.Register, partial bool) {
	spread := l.GP64()
	if l.wide {
		l.writeOpmask(s, mask, partial)
		return
	}
	bits, ones := l.GP64(), l.GP64()
	if l.double {
		l.VMOVMSKPD(mask, bits.As32())
	} else {
		l.VMOVMSKPS(mask, bits.As32())
	}
	l.MOVQ(operand.U64(0x0101010101010101), ones)
	l.PDEPQ(ones, bits, spread)
	switch {
	case partial:
		l.scatterBytes(s, spread)
	case l.double:
		l.MOVL(spread.As32(), s.mem())
	default:
		l.MOVQ(spread, s.mem())
	}
}

func (l *loop) writeOpmask(s stream, mask reg.Register, partial bool) {
	truth, wide := l.XMM(), l.ZMM()
	if l.double {
		l.VPMOVM2Q(mask, wide)
		l.VPSRLQ(operand.U8(63), wide, wide)
		l.VPMOVQB(wide, truth)
	} else {
		l.VPMOVM2D(mask, wide)
		l.VPSRLD(operand.U8(31), wide, wide)
		l.VPMOVDB(wide, truth)
	}
	switch {
	case partial:
		l.VMOVDQU8(truth, l.limit, s.mem())
	case l.double:
		l.VMOVQ(truth, s.mem())
	default:
		l.VMOVDQU(truth, s.mem())
	}
}

// scatterBytes stores the last n < 8 bytes.
func (l *loop) scatterBytes(s stream, all reg.GPVirtual) {
	l.Label("scatter")
	l.MOVB(all.As8(), s.mem())
	l.SHRQ(operand.U8(8), all)
	l.INCQ(s.at)
	l.DECQ(l.n)
	l.JNE(operand.LabelRef("scatter"))
}
