package tensor

import (
	"math"

	"github.com/weir-ml/weir/backend"
)

// RNG is a random generator: Philox4x32-10 under a 64-bit seed. Its position lives on the device and advances there, so a recorded
// step draws new numbers at each replay. The same seed and the same calls give the same numbers, at any number of workers.
type RNG struct {
	state *Tensor // int64(2): seed, offset in blocks
}

// NewRNG returns a generator at the start of the sequence of a seed.
func NewRNG(s *Stream, seed uint64) *RNG {
	return &RNG{state: FromSlice(s, []int64{int64(seed), 0}, 2)}
}

// RNGState is a generator's place in its sequence.
type RNGState struct {
	Seed   uint64 `json:"seed"`
	Offset uint64 `json:"offset"`
}

// State reads the generator's place. The error is the stream's first.
func (r *RNG) State() (RNGState, error) {
	words, err := ToSlice[int64](r.state)
	if err != nil {
		return RNGState{}, err
	}
	return RNGState{Seed: uint64(words[0]), Offset: uint64(words[1])}, nil
}

// SetState moves the generator.
func (r *RNG) SetState(st RNGState) { SetSlice(r.state, []int64{int64(st.Seed), int64(st.Offset)}) }

// Release frees the generator.
func (r *RNG) Release() { r.state.Release() }

// Stream returns the stream that the generator belongs to.
func (r *RNG) Stream() *Stream { return r.state.stream }

// Uniform returns numbers from [0, 1), evenly spread.
func (r *RNG) Uniform(d backend.DType, shape ...int) *Tensor {
	return r.draw("uniform", backend.Uniform, d, shape)
}

// Normal returns standard normal numbers.
func (r *RNG) Normal(d backend.DType, shape ...int) *Tensor {
	return r.draw("normal", backend.Normal, d, shape)
}

// Bits returns integers whose bits are independent and fair.
func (r *RNG) Bits(d backend.DType, shape ...int) *Tensor {
	return r.draw("bits", backend.Bits, d, shape)
}

// Categorical returns n int64 positions, each i with probability weights[i]/Σ weights.
func (r *RNG) Categorical(weights []float64, n int) *Tensor {
	checkCount("categorical", n)
	total := sumWeights(weights)
	edges := make([]float64, len(weights)-1)
	sum := 0.0
	for i := range edges {
		sum += weights[i]
		edges[i] = sum / total
	}
	var picked *Tensor
	s := r.state.stream
	s.Scope(func() {
		u := Unsqueeze(r.Uniform(backend.Float64, n), 1)
		picked = Sum(LessEqual(FromSlice(s, edges, 1, len(edges)), u), 1).Keep()
	})
	return picked
}

func sumWeights(weights []float64) float64 {
	total := 0.0
	for i, w := range weights {
		if !(w >= 0) {
			Fail("categorical", nil, "weight %d is %v; want a nonnegative number", i, w)
		}
		total += w
	}
	if !(total > 0) || math.IsInf(total, 1) {
		Fail("categorical", nil, "the weights sum to %v; want a finite positive sum", total)
	}
	return total
}

// CategoricalLogits returns int64 positions along the last axis of logits, which is removed: each i with probability
// exp(logits[i]) / Σ exp(logits). It takes the greatest of logits[i] − ln(−ln u[i]), u uniform in float64 (the Gumbel-max trick), so the logits need
// not be normalized. −Inf is never drawn and +Inf always is, the first if there are several. A row that is −Inf throughout, or holds NaN, has no
// distribution: it is an error of the stream, "index -1 is out of range".
func (r *RNG) CategoricalLogits(logits *Tensor) *Tensor {
	s := streamOf("categorical", r.state, logits)
	if logits.Rank() == 0 || logits.Dim(-1) == 0 || logits.DType() == backend.Bool {
		Fail("categorical", []*Tensor{logits}, "wants numbers, at least one along the last axis")
	}
	var picked *Tensor
	s.Scope(func() {
		x := Cast(s.Use(logits), backend.Float64)
		u := scalar(backend.Max, scalarLast, r.Uniform(backend.Float64, x.Shape()...), 0x1p-54) // ln 0 would make a finite logit −Inf
		best := ArgMax(Sub(x, Log(Neg(Log(u)))), -1)
		proper := GreaterScalar(Max(x, -1), math.Inf(-1)) // false for NaN
		checked := Where(proper, best, Full(s, backend.Int64, -1))
		picked = Take(Arange(s, backend.Int64, x.Dim(-1)), 0, checked).Keep()
	})
	return picked
}

// Integers returns integers from lo, …, hi−1, which d must hold. They are the residues of 64 random bits, so the probability of each differs from
// fair by a factor of at most 1 ± (hi−lo)/2⁶⁴.
func (r *RNG) Integers(d backend.DType, lo, hi int64, shape ...int) *Tensor {
	r.state.live("integers")
	switch span := hi - lo; {
	case hi <= lo || span < 0:
		Fail("integers", nil, "there are no, or too many, integers from %d to below %d", lo, hi)
	case !d.IsInt() || d != backend.Int64 && !(holds(d, float64(lo)) && holds(d, float64(hi-1))):
		Fail("integers", nil, "%v does not hold those from %d to below %d", d, lo, hi)
	}
	s := r.state.stream
	var y *Tensor
	s.Scope(func() {
		span, first := FromSlice(s, []int64{hi - lo}), FromSlice(s, []int64{lo})
		y = Cast(Add(Mod(r.Bits(backend.Int64, shape...), span), first), d).Keep()
	})
	return y
}

// Permutation returns the int64 numbers 0, 1, …, n−1 in random order: the one that sorts n random words of 64 bits. Every order is as probable as
// any other but for words that are equal, which in a million happens once in 37 million permutations.
func (r *RNG) Permutation(n int) *Tensor {
	checkCount("permutation", n)
	var order *Tensor
	r.state.stream.Scope(func() { order = ArgSort(r.Bits(backend.Int64, n), 0, false).Keep() })
	return order
}

func (r *RNG) draw(op string, kind backend.RandomKind, d backend.DType, shape []int) *Tensor {
	r.state.live(op)
	s := r.state.stream
	if kind == backend.Bits && !d.IsInt() || kind != backend.Bits && !d.IsFloat() {
		Fail(op, nil, "cannot be drawn as %v", d)
	}
	s.draws.note(r)
	out := s.alloc(op, d, shape)
	s.run1(backend.Cmd{Op: backend.Random, RandomKind: kind}, out, r.state)
	r.skip(backend.RandomBlocks(d, out.Len()))
	return out
}

// skip advances the offset on the device.
func (r *RNG) skip(blocks int64) {
	offset := Slice(r.state, 0, 1, 2)
	s := offset.stream
	s.imm[0], s.dst[0], s.src[0] = float64(blocks), offset.view, offset.view
	p := single(backend.Add, scalarLast, backend.Int64, backend.Int64, backend.Int64)
	s.exec(backend.Cmd{Op: backend.Map, Prog: p, Imm: s.imm[:1], Dst: s.dst[:1], Src: s.src[:1]}, offset)
}
