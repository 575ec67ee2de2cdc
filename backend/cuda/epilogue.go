package cuda

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

// The layers of a network are matrix products, each followed by a program that adds a bias and takes GELU of it. The kernel of the product stores what such a
// program would, so that the product itself need not pass through memory; nothing else of a batch changes, and no bit.

// epilogue is what a kernel of matrix products makes of its results. It has the layout of Epilogue in kernels/epilogue.h.
type epilogue struct {
	bias             uint64 // 0 for none
	rowBias, colBias int64
	to               [2]uint64 // laid out as the product is; 0 for none
	function         [2]int32
	there            int32
	keeps            int32 // whether the product is stored too
}

// The functions that an epilogue may store, as numbered in kernels/epilogue.h.
const (
	identity = iota
	gelu
	geluGrad
)

// conclude makes the first command that follows the product its epilogue, if it can be one.
func (p *product) conclude(after []backend.Cmd) bool {
	if len(after) == 0 {
		return false
	}
	e, ok := p.epilogueOf(&after[0])
	if !ok {
		return false
	}
	if !p.replaced(&after[0]) && !overwritten(p.d, after[1:]) {
		e.keeps = 1
	}
	p.then = e
	return true
}

// epilogueOf returns what a program makes of the product and of a bias, the same for all rows, and whether nothing of it is read or written by the product
// in a way that needs one to be done before the other.
func (p *product) epilogueOf(c *backend.Cmd) (e epilogue, ok bool) {
	if c.Op != backend.Map || len(c.Dst) > len(e.to) || !c.Dst[0].SameShape(p.d) {
		return e, false
	}
	functions, bias, ok := functionsOf(c, p.d)
	if !ok {
		return e, false
	}
	e.there = 1
	if bias != nil {
		if !likeRows(bias) || bias.MayOverlap(p.d) {
			return e, false
		}
		e.bias, e.colBias = address(bias), int64(bias.Strides[bias.Rank-1])
	}
	for k := range c.Dst {
		d := &c.Dst[k]
		if !alike(d, p.d) || d.MayOverlap(p.a) || d.MayOverlap(p.b) {
			return e, false
		}
		e.to[k], e.function[k] = address(d), functions[k]
	}
	return e, true
}

// functionsOf returns which functions of x, or of x + bias, a command stores, where x is a view that it reads.
func functionsOf(c *backend.Cmd, x *backend.View) (functions [2]int32, bias *backend.View, ok bool) {
	prog := c.Prog
	at := slices.IndexFunc(c.Src, func(v backend.View) bool { return v.SameElements(x) })
	if at < 0 || len(c.Src) > 2 || len(prog.Params) > 0 {
		return functions, nil, false
	}
	y, code := backend.Value(at), prog.Code
	if len(c.Src) == 2 {
		bias = &c.Src[1-at]
		if len(code) == 0 || code[0].Op != backend.Add || code[0].A == code[0].B {
			return functions, nil, false
		}
		y, code = 2, code[1:]
	}
	for k, out := range prog.Outs {
		switch i := int(out-y) - 1; {
		case out == y:
			functions[k] = identity
		case out < y || code[i].A != y:
			return functions, nil, false
		case code[i].Op == backend.GELU:
			functions[k] = gelu
		case code[i].Op == backend.GELUGrad:
			functions[k] = geluGrad
		default:
			return functions, nil, false
		}
	}
	return functions, bias, true
}

// likeRows reports whether all rows of a matrix, or of several, are the same.
func likeRows(v *backend.View) bool {
	for a := range v.Rank - 1 {
		if v.Dims[a] > 1 && v.Strides[a] != 0 {
			return false
		}
	}
	return true
}

// alike reports whether two views of one shape are of one type and have the same strides.
func alike(v, w *backend.View) bool {
	for a := range v.Rank {
		if v.Dims[a] > 1 && v.Strides[a] != w.Strides[a] {
			return false
		}
	}
	return v.DType == w.DType
}

// replaced reports whether a command stores something else in place of the product.
func (p *product) replaced(c *backend.Cmd) bool {
	return slices.ContainsFunc(c.Dst, func(d backend.View) bool { return d.SameElements(p.d) })
}

// farthest is how many commands are searched for those that overwrite a product.
const farthest = 1 << 10

// overwritten reports whether commands overwrite all of a view before one of them reads some of it.
func overwritten(v *backend.View, after []backend.Cmd) bool {
	rest := []span{spanOf(v)}
	for i := range after[:min(len(after), farthest)] {
		c := &after[i]
		if readsSome(c, rest) {
			return false
		}
		for k := range c.Dst {
			if d := &c.Dst[k]; d.IsContiguous() {
				rest = cutOut(rest, spanOf(d))
			}
		}
		if len(rest) == 0 {
			return true
		}
	}
	return false
}

// readsSome reports whether a command may read some of the memory.
func readsSome(c *backend.Cmd, memory []span) bool {
	reads := func(v backend.View) bool { return meets(memory, spanOf(&v)) }
	return slices.ContainsFunc(c.Src, reads) || (c.Accumulate || c.Op == backend.ScatterAdd) && slices.ContainsFunc(c.Dst, reads)
}

// cutOut returns what a span leaves of others.
func cutOut(spans []span, s span) []span {
	var rest []span
	for _, t := range spans {
		if lower := (span{t.from, min(t.to, s.from)}); lower.from < lower.to {
			rest = append(rest, lower)
		}
		if upper := (span{max(t.from, s.to), t.to}); upper.from < upper.to {
			rest = append(rest, upper)
		}
	}
	return rest
}
