package cuda

import (
	"fmt"
	"slices"
	"sync"

	"github.com/weir-ml/weir/backend"
)

// typed is an instruction on operands of a type; operand is that of the last.
type typed struct {
	op              backend.MapOp
	operand, result backend.DType
}

// lacking are the instructions of the contract that this backend has no code for: those that instr does not know, and those whose function is not in
// kernels/functions.cu. They are found by writing each, so there is no list to keep.
var lacking = sync.OnceValue(func() map[typed]bool {
	lacks := map[typed]bool{}
	for _, op := range backend.MapOps() {
		for _, d := range backend.DTypes() {
			if !op.Accepts(d) {
				continue
			}
			for _, result := range resultsOf(op, d) {
				if in := (typed{op, d, result}); !in.known() {
					lacks[in] = true
				}
			}
		}
	}
	return lacks
})

// resultsOf returns the types that an instruction on a type may have results of.
func resultsOf(op backend.MapOp, d backend.DType) []backend.DType {
	switch {
	case op == backend.Cast:
		return backend.DTypes()
	case op.Compares():
		return []backend.DType{backend.Bool}
	}
	return []backend.DType{d}
}

// known reports whether the instruction has code.
func (in typed) known() bool {
	a := newAssembly()
	a.instr(backend.Instr{Op: in.op, DType: in.result}, in.operand, "x", "y", "z")
	if a.unknown {
		return false
	}
	for function := range a.calls {
		if !slices.ContainsFunc(definitions(), func(d definition) bool { return d.name == function }) {
			return false
		}
	}
	return true
}

// checkInstructions returns an error that names the first instruction of a program that there is no code for.
func checkInstructions(p *backend.Prog) error {
	lacks := lacking()
	if len(lacks) == 0 {
		return nil
	}
	for _, in := range p.Code {
		last := []backend.Value{in.A, in.B, in.C}[in.Op.Arity()-1]
		if d := p.TypeOf(last); lacks[typed{in.Op, d, in.DType}] {
			return fmt.Errorf("CUDA has no code for the instruction %v of %v yet: compose it of others, use backend cpu or simd, or add it (docs/OPERATIONS.md)", in.Op, d)
		}
	}
	return nil
}
