package simd

import (
	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

// kernels returns the inner loops of an implementation.
func kernels(i implementation) cpu.Kernels {
	if i == off {
		return cpu.Kernels{}
	}
	return cpu.Kernels{
		Map:      func(op backend.MapOp, d backend.DType) cpu.Kernel { return mapKernel(i, op, d) },
		Cast:     func(from, to backend.DType) cpu.Kernel { return castKernel(i, from, to) },
		Cost:     func(op backend.MapOp, d backend.DType) int { return mapCost(i, op, d) },
		DrawCost: func(kind backend.RandomKind, d backend.DType) int { return drawCost(i, kind, d) },
		GELUPair: func(d backend.DType) cpu.Kernel { return geluPairKernel(i, d) },
		Words:    wordsOf(i),
		Draw:     func(kind backend.RandomKind, d backend.DType) cpu.Kernel { return drawKernel(i, kind, d) },
		Tile:     func(d backend.DType) *cpu.Tile { return tileOf(i, d) },
		Fold:     func(op backend.ReduceOp, d backend.DType) *cpu.Fold { return foldOf(i, op, d) },
		Arg:      func(op backend.ReduceOp, d backend.DType) *cpu.Arg { return argOf(i, op, d) },
		FoldCost: func(op backend.ReduceOp, d backend.DType) int { return foldCost(i, op, d) },
		Turn:     func(size int) *cpu.Turn { return turnOf(i, size) },
	}
}
