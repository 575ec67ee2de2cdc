package cpu

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// Kernel computes n elements of dst from those of its operands, each a block of the type it was chosen for. A block is a raw
// pointer because operands of several types meet in one table; dst may be one of the operands. Operands beyond the instruction's arity are
// not to be touched, and n is a thousand or so at the most.
type Kernel func(dst, a, b, c unsafe.Pointer, n int)

// Kernels are inner loops for another backend that is this package but for them. Where a function is nil or returns nil, the
// loop in pure Go is used. Every kernel keeps to the contract of package backend by itself: an element's bits depend neither on n nor on
// where the block lies.
type Kernels struct {
	// Map returns the kernel of an instruction other than a cast. d is the type of its operands, of the two values to pick from for Where; a
	// half computes as float32.
	Map func(op backend.MapOp, d backend.DType) Kernel
	// Cast returns the kernel that casts. Float16 and BFloat16 are stored halves, and the other type is Float32 then.
	Cast func(from, to backend.DType) Kernel
	// Cost returns about the picoseconds that an element takes in the kernel of an instruction, or 0 where this package's estimate for pure Go
	// holds. Work is cut into chunks, and shared between workers, by it.
	Cost func(op backend.MapOp, d backend.DType) int
	// DrawCost is the same for an element of Random.
	DrawCost func(kind backend.RandomKind, d backend.DType) int
	// GELUPair returns the kernel of dst = GELU(a), c = GELUGrad(a), with the bits that each has alone.
	GELUPair func(d backend.DType) Kernel
	// Tile returns the inner loop of matrix products: of float32, also for the halves, or of float64.
	Tile func(d backend.DType) *Tile
	// Words fills memory with random words.
	Words Words
	// Draw returns the kernel of Uniform or Normal on float32 or float64: it makes n elements, a multiple of 64, of the words at a, one for
	// each float32 and two for each float64.
	Draw func(kind backend.RandomKind, d backend.DType) Kernel
	// Columns returns the inner loop of sums over axes that are not the innermost, of float32 or float64.
	Columns func(d backend.DType) *Columns
	// Turn returns the inner loop of transposing copies of elements of so many bytes.
	Turn func(size int) *Turn
}

// Words stores the words of [backend.Philox4x32] at counters first, first+1, … to dst. n is a multiple of 64.
type Words func(dst unsafe.Pointer, seed, first uint64, n int)

// Columns sums lanes that lie side by side, with the bits that package cpu gives each.
type Columns struct {
	Width int // lanes at a time
	// Sum sets dst[j] = Σ src[i·stride + j], i < terms, for j < Width. It sums in float64, term i in sum number i mod 4, adds these as
	// (s0 + s1) + (s2 + s3) and rounds. stride counts elements; there are at most [backend.ReduceGrain] terms.
	Sum func(dst, src unsafe.Pointer, stride, terms int)
	// Rows sums n lanes along which the terms follow each other, in the same order: dst[i] = Σ src[lanes[i] + k], k < terms. It may be nil.
	Rows func(dst, src unsafe.Pointer, lanes *int, n, terms int)
}

// NewDevice returns a device that runs on this package's engine with other inner loops. Its name stands before its errors.
func NewDevice(name string, o backend.Options, k Kernels) (backend.Device, error) {
	if o.Precision != "" {
		return nil, fmt.Errorf("%s: no precision %q; products are exact here", name, o.Precision)
	}
	if o.MatMul != "" {
		return nil, fmt.Errorf("%s: no matmul %q; products are by its own kernels here", name, o.MatMul)
	}
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return &device{name: name, workers: min(workers, maxWorkers), limit: o.MemoryLimit, kernels: k, multipliers: k.withTiles(),
		folders: k.ownFolders(), turns: k.turns()}, nil
}

// MapKernel returns this package's kernel of an instruction other than a cast on operands of type d, which is not a half, for backends that
// compute some elements otherwise.
func MapKernel(op backend.MapOp, d backend.DType) Kernel { return mapKernel(op, d) }

// CastKernel returns this package's kernel that casts. Float16 and BFloat16 are stored halves, and the other type is Float32 then.
func CastKernel(from, to backend.DType) Kernel {
	switch {
	case isHalf(from):
		return widenKernel(from)
	case isHalf(to):
		return narrowKernel(to)
	}
	return castKernel(from, to)
}

// cast returns the kernel that converts registers, before rounding to a half.
func (k *Kernels) cast(from, to backend.DType) Kernel {
	if stored(from) == stored(to) {
		return moveKernel(width(to))
	}
	twice := isHalf(to) && from == backend.Int64 // rounds to float64, then to float32
	if k.Cast != nil && !twice {
		if f := k.Cast(stored(from), stored(to)); f != nil {
			return f
		}
	}
	return castKernel(from, to)
}

// halves are the kernels that convert a half type from and to registers.
type halves struct{ widen, narrow Kernel }

func (k *Kernels) halves(d backend.DType) halves {
	h := halves{CastKernel(d, backend.Float32), CastKernel(backend.Float32, d)}
	if k.Cast == nil {
		return h
	}
	if f := k.Cast(d, backend.Float32); f != nil {
		h.widen = f
	}
	if f := k.Cast(backend.Float32, d); f != nil {
		h.narrow = f
	}
	return h
}

// round rounds n numbers, at most blockLen, to halves; scratch holds them.
func (h *halves) round(x unsafe.Pointer, scratch *[blockLen]uint16, n int) {
	h.narrow(unsafe.Pointer(scratch), x, nil, nil, n)
	h.widen(x, unsafe.Pointer(scratch), nil, nil, n)
}

// instr returns the kernel of op on registers of type d, which is not a half.
func (k *Kernels) instr(op backend.MapOp, d backend.DType) Kernel {
	if k.Map != nil {
		if f := k.Map(op, d); f != nil {
			return f
		}
	}
	return mapKernel(op, d)
}

// pair returns the kernel of GELU and GELUGrad at once.
func (k *Kernels) pair(d backend.DType) Kernel {
	if k.GELUPair != nil {
		if f := k.GELUPair(d); f != nil {
			return f
		}
	}
	return geluPair(d)
}

// words returns the loop that fills memory with random words.
func (k *Kernels) words() Words {
	if k.Words != nil {
		return k.Words
	}
	return philox
}

// draw returns the kernel that makes elements of random words.
func (k *Kernels) draw(kind backend.RandomKind, d backend.DType) Kernel {
	if k.Draw != nil && kind != backend.Bits {
		if f := k.Draw(kind, stored(d)); f != nil {
			return f
		}
	}
	return drawKernel(kind, d)
}

// cost estimates the kernel that instr returns, in picoseconds an element.
func (k *Kernels) cost(op backend.MapOp, d backend.DType) int {
	if k.Cost != nil {
		if c := k.Cost(op, d); c > 0 {
			return c
		}
	}
	return costOf(op)
}

// operandCost estimates loading or storing an element.
func (k *Kernels) operandCost(d backend.DType) int {
	if k.Cost == nil {
		return 300
	}
	return 25 * d.Size()
}

// roundCost estimates rounding an element to a half.
func (k *Kernels) roundCost() int {
	if k.Cast == nil {
		return 3000
	}
	return 300
}

// drawCost estimates an element of Random.
func (k *Kernels) drawCost(kind backend.RandomKind, d backend.DType) int {
	if k.DrawCost != nil {
		if c := k.DrawCost(kind, d); c > 0 {
			return c
		}
	}
	return 10_000
}
