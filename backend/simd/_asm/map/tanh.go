package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
)

// tanhPieces are the polynomials of float32's tanh: row k is the k-th coefficient of each piece, by z − center. They are minimax within 2^−24.8
// of tanh, and round to less than that near their centers, where tanh is almost a float. The pieces meet at z = 1/4, 3/4, 5/4, 9/4, 13/4, 21/4
// and 29/4, where z + tanhOrigin begins another half of an octave.
var (
	tanhPieces = [][tanhCount]float64{
		{0, 0.462094188, 0.761677802, 0.941348791, 0.991851985, 0.999593616, 0.999992549, 0.999999821},
		{1, 0.786468983, 0.419846922, 0.1138625, 0.0162296407, 0.00081257784, 1.49005655e-05, 3.45599858e-07},
		{0, -0.363422394, -0.319788396, -0.107181847, -0.0160973985, -0.000812757586, -1.49104771e-05, -2.09021806e-07},
		{-0.333332241, -0.0942243934, 0.103627264, 0.0629414544, 0.010556276, 0.000541412272, 9.94081438e-06, 2.29422497e-07},
		{-4.23396377e-05, 0.164645448, 0.0276960488, -0.0235830788, -0.00510453107, -0.000267184892, -4.9097207e-06, -5.75938714e-07},
		{0.133915186, -0.0270553492, -0.0463193469, 0.00371954776, 0.00190592522, 0.000106585998, 1.963768e-06, 5.2965401e-08},
		{-0.00353203318, -0.0494295917, 0.0181005113, 0.00239381124, -0.000546000258, -4.06045583e-05, -7.58615442e-07, 3.73054519e-07},
		{-0.0453876182, 0.0260703713, 0.00300657819, -0.00205936912, 0.000100790239, 1.13730275e-05, 2.16407273e-07, -4.24170565e-09},
	}
	tanhCenters = [tanhCount]float64{0, 0.499970794, 1.0001992, 1.74976504, 2.74952292, 4.25057745, 6.2501812, 8.13213921}
)

const (
	tanhCount  = 8
	tanhOrigin = 0.75
	tanhLast   = 9.02 // tanh is 1 in float32 from here
	halfOctave = 22   // the place of the bits that count halves of octaves
)

// tanh emits tanh of float32: a polynomial of |x| whose coefficients are looked up, and the sign of x. There is no quotient, and no
// exponential, to wait for.
func (m *machine) tanh() {
	m.kernelAfter("tanh", 1, func() func(in []vec) vec {
		centers := m.lookup(tanhCenters)
		var pieces []operand.Op
		for _, row := range tanhPieces {
			pieces = append(pieces, m.lookup(row))
		}
		return func(in []vec) vec {
			x := in[0]
			z := m.min(m.load(m.num(tanhLast)), m.and(x, m.magnitude()))
			piece := m.shiftRightBits(m.add(z, m.num(tanhOrigin)), halfOctave)
			h := m.sub(z, m.choose(piece, centers))
			last := len(pieces) - 1
			y := m.choose(piece, pieces[last])
			for k := last - 1; k >= 0; k-- {
				y = m.mulAdd(y, h, m.choose(piece, pieces[k]))
			}
			return m.join(x, 1<<31, y)
		}
	})
}

// lookup returns a table of a number for each piece, at the place that the low bits of its number of halves of octaves say. AVX-512 has
// registers for it.
func (m *machine) lookup(numbers [tanhCount]float64) operand.Op {
	first := math.Float32bits(tanhOrigin) >> halfOctave
	var words [2 * tanhCount]uint32
	for i := range words {
		words[(int(first)+i)%len(words)] = math.Float32bits(float32(numbers[i%tanhCount]))
	}
	var pairs []uint64
	for i := 0; i < m.lanes(); i += 2 {
		pairs = append(pairs, uint64(words[i])|uint64(words[i+1])<<32)
	}
	at := m.table.list(pairs...)
	if !m.wide {
		return at
	}
	r := m.vec()
	m.VMOVUPS(at, r)
	return r
}

// choose returns the numbers of a table at the places that the low bits of elements say.
func (m *machine) choose(places vec, table operand.Op) vec {
	r := m.vec()
	m.VPERMPS(table, places, r)
	return r
}
