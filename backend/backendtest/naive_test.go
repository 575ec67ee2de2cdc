package backendtest

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// naive is a device on host memory that computes what the oracle predicts and sums by the grain's definition: the least that keeps
// the contract. A fault makes it break one rule.
type naive struct {
	fault fault
	lacks backend.MapOp            // an instruction that Supports is false of
	tried func(*backend.Cmd) error // what becomes of a command with it; nil computes it
}

// needs reports whether a command has the instruction that the device lacks.
func (d *naive) needs(c *backend.Cmd) bool {
	return c.Op == backend.Map && slices.ContainsFunc(c.Prog.Code, func(in backend.Instr) bool { return in.Op == d.lacks })
}

// fault says where a planted bug sits; nil hooks are honest.
type fault struct {
	name, group string // the group of cases that must catch it

	command func(*backend.Cmd)                              // before a command is executed
	results func(c *backend.Cmd, out [][]scalar)            // before its results are stored
	instr   func(in backend.Instr, x [3]scalar, y *float64) // on a float result of an instruction
	sum     func(terms []float64) float64                   // instead of the tree
	stored  func(c *backend.Cmd)                            // after its results are stored
	upload  func(dst []byte, offset int) int                // the offset that is used
	lax     bool                                            // a failure does not poison
	memory  int                                             // bytes by which blocks are misaligned
}

func (d *naive) Name() string { return "naive" }

func (d *naive) Alloc(size int) (*backend.Buffer, error) {
	if size > 1<<30 {
		return nil, fmt.Errorf("naive: %d bytes: %w", size, backend.ErrOutOfMemory)
	}
	block := make([]byte, size+2*alignment)
	skip := alignment - int(uintptr(unsafe.Pointer(unsafe.SliceData(block)))%alignment) + d.fault.memory
	return &backend.Buffer{Device: d, Size: size, Host: block[skip : skip+size]}, nil
}

func (d *naive) Free(*backend.Buffer)               {}
func (d *naive) NewStream() (backend.Stream, error) { return &naiveStream{dev: d}, nil }
func (d *naive) Supports(c *backend.Cmd) bool       { return !c.Op.Optional() && !d.needs(c) }
func (d *naive) Close() error                       { return nil }
func (s *naiveStream) Sync() error                  { return s.err }
func (s *naiveStream) Close() error                 { return s.err }

type naiveStream struct {
	dev *naive
	err error
}

func (s *naiveStream) Upload(dst *backend.Buffer, offset int, src []byte) {
	if s.err != nil {
		return
	}
	if s.dev.fault.upload != nil {
		offset = s.dev.fault.upload(dst.Host, offset)
	}
	copy(dst.Host[offset:], src)
}

func (s *naiveStream) Download(dst []byte, src *backend.Buffer, offset int) error {
	if s.err == nil {
		copy(dst, src.Host[offset:])
	}
	return s.err
}

func (s *naiveStream) Exec(cmds []backend.Cmd) {
	for i := range cmds {
		if s.err != nil && !s.dev.fault.lax {
			return
		}
		c := cmds[i].Clone()
		if s.dev.fault.command != nil {
			s.dev.fault.command(&c)
		}
		if err := s.dev.execute(&c); err != nil && s.err == nil {
			s.err = fmt.Errorf("naive: %w", err)
		}
	}
}

func (d *naive) execute(c *backend.Cmd) error {
	if d.tried != nil && d.needs(c) {
		if err := d.tried(c); err != nil {
			return err
		}
	}
	out, err := d.compute(c)
	if err != nil {
		return err
	}
	if d.fault.results != nil {
		d.fault.results(c, out)
	}
	for k := range c.Dst {
		v := &c.Dst[k]
		for n, at := range elements(v) {
			store(v.Buf.Host, v.DType, at, out[k][n])
		}
	}
	if d.fault.stored != nil {
		d.fault.stored(c)
	}
	return nil
}

func (d *naive) compute(c *backend.Cmd) ([][]scalar, error) {
	switch {
	case c.Op == backend.Map:
		return d.computeMap(c), nil
	case c.Op == backend.Reduce && c.ReduceOp == backend.ReduceSum && c.Dst[0].DType.IsFloat():
		return [][]scalar{d.computeSums(c)}, nil
	case c.Op == backend.MatMul:
		return [][]scalar{d.computeSums(c)}, nil
	}
	es, err := predict(c)
	if err != nil {
		return nil, err
	}
	out := make([][]scalar, len(es))
	for k := range es {
		for _, e := range es[k] {
			out[k] = append(out[k], settle(c.Dst[k].DType, e))
		}
	}
	return out, nil
}

// settle picks the value that is expected.
func settle(d backend.DType, e expect) scalar {
	if d.IsFloat() && e.slack != 0 {
		e.f = roundInstr(d, e.f)
	}
	return e.scalar
}

func (d *naive) computeMap(c *backend.Cmd) [][]scalar {
	p := c.Prog
	sources, out := make([][]scalar, len(c.Src)), make([][]scalar, len(c.Dst))
	for k := range c.Src {
		sources[k] = read(&c.Src[k])
	}
	for n := range c.Dst[0].Len() {
		var values []expect
		for k := range sources {
			values = append(values, exact(sources[k][n]))
		}
		for k, t := range p.Params {
			values = append(values, exact(cast(scalar{f: c.Imm[k]}, backend.Float64, t)))
		}
		for _, in := range p.Code {
			y := settle(in.DType, instruct(p, in, values))
			if d.fault.instr != nil {
				var x [3]scalar
				for k, v := range []backend.Value{in.A, in.B, in.C}[:in.Op.Arity()] {
					x[k] = values[v].scalar
				}
				d.fault.instr(in, x, &y.f)
			}
			values = append(values, exact(y))
		}
		for k, v := range p.Outs {
			out[k] = append(out[k], values[v].scalar)
		}
	}
	return out
}

// computeSums evaluates the definition in grain.go for each element of a sum or a matrix product.
func (d *naive) computeSums(c *backend.Cmd) []scalar {
	dst := &c.Dst[0]
	axes := summedAxes(c)
	carrier := dst.DType
	if narrow(carrier) {
		carrier = backend.Float32
	}
	t := treeSum{carrier: carrier, sum: d.fault.sum, inner: make([]int, len(axes))}
	terms := 1
	for k := len(axes) - 1; k >= 0; k-- {
		t.inner[k] = terms
		terms *= c.Src[0].Dims[axes[k]]
	}
	for k, a := range axes {
		t.lengths = append(t.lengths, c.Src[0].Dims[a])
		t.leaves = append(t.leaves, leafOf(c, axes[k:]))
	}
	accumulated, out := read(dst), make([]scalar, dst.Len())
	t.terms = make([]float64, terms)
	sources := make([][]scalar, len(c.Src))
	for k := range sources {
		sources[k] = read(&c.Src[k])
	}
	for n := range out {
		index := coordinates(dst, n)
		for m := range t.terms {
			t.terms[m] = round(carrier, termOf(c, sources, index, axes, m))
		}
		x := t.total(0, 0)
		if c.Accumulate {
			x = round(carrier, x+accumulated[n].f)
		}
		out[n] = scalar{f: round(dst.DType, x)}
	}
	return out
}

// termOf returns term number m, in row-major order of the summed axes, of the result at index.
func termOf(c *backend.Cmd, sources [][]scalar, index, axes []int, m int) float64 {
	var x [backend.MaxRank]int
	copy(x[:], index)
	last := len(index) - 1
	for k := len(axes) - 1; k >= 0; k-- {
		x[axes[k]] = m % c.Src[0].Dims[axes[k]]
		m /= c.Src[0].Dims[axes[k]]
	}
	if c.Op == backend.Reduce {
		return sources[0][number(&c.Src[0], &x)].f
	}
	y := x
	y[last-1], y[last] = x[last], index[last]
	return sources[0][number(&c.Src[0], &x)].f * sources[1][number(&c.Src[1], &y)].f
}

// number returns the row-major number of an element.
func number(v *backend.View, index *[backend.MaxRank]int) int {
	n := 0
	for a := range v.Rank {
		n = n*v.Dims[a] + index[a]
	}
	return n
}

// treeSum adds terms over axes of the given lengths, which are cut into leaves of so many indices. An index of axis a spans
// inner[a] terms.
type treeSum struct {
	carrier                backend.DType
	lengths, leaves, inner []int
	terms                  []float64
	sum                    func(terms []float64) float64
}

// total sums from term number at over axis a and those inside it.
func (t *treeSum) total(a, at int) float64 {
	switch {
	case t.sum != nil:
		return round(t.carrier, t.sum(t.terms))
	case a == len(t.lengths):
		return t.terms[at]
	}
	return t.subtree(a, at, t.lengths[a])
}

func (t *treeSum) subtree(a, at, n int) float64 {
	leaves := (n + t.leaves[a] - 1) / t.leaves[a]
	switch {
	case n == 0:
		return 0
	case n == 1:
		return t.total(a+1, at)
	case leaves == 1:
		var total float64
		for _, x := range t.terms[at : at+n*t.inner[a]] {
			total += x
		}
		return round(t.carrier, total)
	}
	left := backend.TreeSplit(leaves) * t.leaves[a]
	return round(t.carrier, t.subtree(a, at, left)+t.subtree(a, at+left*t.inner[a], n-left))
}
