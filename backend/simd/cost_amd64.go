package simd

import "github.com/weir-ml/weir/backend"

// What kernels take on one core at 3 GHz, in picoseconds for an element of float32 with AVX-512, as BenchmarkMap and BenchmarkRandom
// measure it in the L1 cache. A factor of two does no harm: the numbers decide how finely work is cut, and from when it is shared.
const (
	exactCost   = 60
	uniformCost = 500
	normalCost  = 1500
	// foldElementCost is what memory takes to bring it, which is more than what any reduction takes.
	foldElementCost = 150
)

var functionCost = map[backend.MapOp]int{
	backend.Div:      150,
	backend.Sqrt:     250,
	backend.Rsqrt:    500,
	backend.Exp:      250,
	backend.Expm1:    250,
	backend.Log:      350,
	backend.Log1p:    450,
	backend.Sin:      400,
	backend.Cos:      400,
	backend.Tanh:     400,
	backend.Erf:      600,
	backend.GELU:     600,
	backend.GELUGrad: 500, // most often half of a pair
	backend.Pow:      2000,
	backend.Sigmoid:  350,
	backend.Softplus: 700,
}

// mapCost returns the cost of a kernel that mapKernel returns, or 0 if it returns none. Most casts are cheap; d is their result.
func mapCost(i implementation, op backend.MapOp, d backend.DType) int {
	if op == backend.Cast {
		return exactCost * d.Size() / 2
	}
	if mapKernel(i, op, d) == nil {
		return 0
	}
	cost, function := functionCost[op]
	switch {
	case !function:
		return exactCost * d.Size() / 4
	case d == backend.Float64:
		cost *= 3 // half the elements of a vector, and longer polynomials
	}
	if i == avx2 {
		cost += cost / 2
	}
	return cost
}

// drawCost returns the cost of an element of Random.
func drawCost(i implementation, kind backend.RandomKind, d backend.DType) int {
	cost := uniformCost
	if kind == backend.Normal {
		cost = normalCost
	}
	if d.Size() == 8 {
		cost *= 2
	}
	if i == avx2 {
		cost += cost / 2
	}
	return cost
}

// foldCost returns the cost of an element of Reduce, or 0 where there is no loop.
func foldCost(i implementation, op backend.ReduceOp, d backend.DType) int {
	if foldOf(i, op, d) == nil && argOf(i, op, d) == nil {
		return 0
	}
	return foldElementCost * d.Size() / 4
}
