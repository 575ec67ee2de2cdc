package plan

import (
	"slices"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// maxFused is the number of instructions up to which programs are joined: the values of a block of elements should stay in the L1 cache.
const maxFused = 48

// fuse joins elementwise commands that work on the same elements, so that a chain reads its inputs once and stores only what others read. Nobody
// but nodes sees the storage that isPrivate reports.
func fuse(nodes []*node, deps [][]int, isPrivate func(storage int) bool) []*node {
	all := grouping{users: map[int][]int{}}
	home := make([]int, len(nodes)) // the group of each node
	for i, n := range nodes {
		last := 0 // the group that n must follow, or join
		for _, d := range deps[i] {
			last = max(last, home[d])
		}
		home[i] = all.add(n, last)
	}
	lastRead := map[int]int{} // by storage: the last group that reads what another made
	for i, n := range nodes {
		for k, id := range n.storage {
			if n.reads(k) && !all.groups[home[i]].makes(n, k) {
				lastRead[id] = max(lastRead[id], home[i])
			}
		}
	}
	var fused []*node
	for i, g := range all.groups {
		n := g.join(func(storage int) bool { return lastRead[storage] > i || !isPrivate(storage) })
		if n != nil {
			fused = append(fused, n)
		}
	}
	return fused
}

// grouping is groups in order.
type grouping struct {
	groups []*group
	users  map[int][]int // by storage: the groups of elementwise commands that use it, in order
}

// add adds n to the last group that takes it, or to one of its own, none of them before number least, and returns which.
func (a *grouping) add(n *node, least int) int {
	at := -1
	if n.prog != nil {
		at = a.host(n, least)
	}
	if at < 0 {
		at = len(a.groups)
		a.groups = append(a.groups, &group{})
	}
	a.groups[at].add(n)
	if n.prog == nil {
		return at
	}
	for _, id := range n.storage {
		if i, found := slices.BinarySearch(a.users[id], at); !found {
			a.users[id] = slices.Insert(a.users[id], i, at)
		}
	}
	return at
}

// host returns the last group that takes n, from number least on, -1 if there is none. Only those with which n shares memory come into question.
func (a *grouping) host(n *node, least int) int {
	at := least - 1
	for k, id := range n.storage {
		if isNumber(n.view(k)) {
			continue
		}
		for _, i := range slices.Backward(a.users[id]) {
			if i <= at {
				break
			}
			if a.groups[i].takes(n) {
				at = i
			}
		}
	}
	if at < least {
		return -1
	}
	return at
}

// group is a run of elementwise commands that become one, or a single command.
type group struct {
	members []*node
	code    int // instructions
}

func (g *group) add(n *node) {
	g.members = append(g.members, n)
	if n.prog != nil {
		g.code += len(n.prog.Code)
	}
}

// takes reports whether an elementwise n can join a group of such: it works on elements of the same shape, shares more than a number with a member, and nothing that
// either writes is used by the other at another element.
func (g *group) takes(n *node) bool {
	if g.code+len(n.prog.Code) > maxFused || !n.cmd.Dst[0].SameShape(&g.members[0].cmd.Dst[0]) {
		return false
	}
	related := false
	for _, m := range g.members {
		for k := range n.storage {
			for j := range m.storage {
				written := m.writes(j) || n.writes(k)
				switch {
				case same(m, j, n, k):
					if m.writes(j) && n.writes(k) {
						return false
					}
					related = related || !isNumber(n.view(k))
				case written && overlap(m, j, n, k):
					return false
				}
			}
		}
	}
	return related
}

// isNumber reports whether all elements of the view are one.
func isNumber(v *backend.View) bool {
	for i, stride := range v.Strides[:v.Rank] {
		if stride != 0 && v.Dims[i] > 1 {
			return false
		}
	}
	return true
}

// makes reports whether a member before n writes operand k of n.
func (g *group) makes(n *node, k int) bool {
	for _, m := range g.members {
		if m == n {
			return false
		}
		for j := range m.cmd.Dst {
			if same(m, j, n, k) {
				return true
			}
		}
	}
	return false
}

// join returns the members as one command that stores only what is wanted, nil if that is nothing.
func (g *group) join(wanted func(storage int) bool) *node {
	if g.members[0].prog == nil || len(g.members) == 1 && allWanted(g.members[0], wanted) {
		return g.members[0]
	}
	c := &chain{}
	for _, m := range g.members {
		c.append(m)
	}
	return c.node(wanted)
}

func allWanted(n *node, wanted func(storage int) bool) bool {
	for k := range n.cmd.Dst {
		if !wanted(n.storage[k]) {
			return false
		}
	}
	return true
}

// program returns what an elementwise command computes, nil for other commands.
func program(c *backend.Cmd) *backend.Prog {
	switch c.Op {
	case backend.Map:
		return c.Prog
	case backend.Copy:
		return castProgram(c.Src[0].DType, c.Dst[0].DType)
	}
	return nil
}

func castProgram(from, to backend.DType) *backend.Prog {
	if from == to {
		return tensor.NewProg([]backend.DType{from}, nil, nil, 0)
	}
	return tensor.NewProg([]backend.DType{from}, nil, []backend.Instr{{Op: backend.Cast, DType: to}}, 1)
}

// chain is a program that is being put together. It numbers values in the order they come; a [backend.Prog] has sources before parameters before
// instructions.
type chain struct {
	values []value
	dsts   []operand
}

// value is a source, a parameter, or an instruction whose operands are values of the chain.
type value struct {
	source *operand
	isImm  bool
	imm    float64
	dtype  backend.DType
	instr  backend.Instr
}

// operand is a view that a value is loaded from or stored to.
type operand struct {
	view    backend.View
	storage int
	value   int
}

// append adds the program of an elementwise command.
func (c *chain) append(n *node) {
	p := n.prog
	at := make([]int, 0, len(p.Ins)+len(p.Params)+len(p.Code)) // where the values of p are in c
	for j := range p.Ins {
		at = append(at, c.load(n, len(n.cmd.Dst)+j))
	}
	for i, d := range p.Params {
		at = append(at, c.push(value{isImm: true, imm: n.cmd.Imm[i], dtype: d}))
	}
	for _, in := range p.Code {
		for i, v := range []*backend.Value{&in.A, &in.B, &in.C} {
			if i < in.Op.Arity() {
				*v = backend.Value(at[*v])
			}
		}
		at = append(at, c.push(value{instr: in}))
	}
	for k, v := range p.Outs {
		c.dsts = append(c.dsts, operand{n.cmd.Dst[k], n.storage[k], at[v]})
	}
}

func (c *chain) push(v value) int {
	c.values = append(c.values, v)
	return len(c.values) - 1
}

// load returns the value of operand k of n: what an earlier command stored there, or the source.
func (c *chain) load(n *node, k int) int {
	is := func(o *operand) bool {
		v := *n.view(k)
		v.Buf = o.view.Buf
		return o.storage == n.storage[k] && o.view.SameElements(&v)
	}
	for i := range c.dsts {
		if is(&c.dsts[i]) {
			return c.dsts[i].value
		}
	}
	for i, v := range c.values {
		if v.source != nil && is(v.source) {
			return i
		}
	}
	return c.push(value{source: &operand{view: *n.view(k), storage: n.storage[k]}, dtype: n.view(k).DType})
}

// node returns the command of the chain, nil if it stores nothing that is wanted.
func (c *chain) node(wanted func(storage int) bool) *node {
	n := &node{cmd: backend.Cmd{Op: backend.Map}}
	live := make([]bool, len(c.values))
	var stored []int
	for _, d := range c.dsts {
		if wanted(d.storage) {
			n.cmd.Dst, n.storage = append(n.cmd.Dst, d.view), append(n.storage, d.storage)
			stored = append(stored, d.value)
			live[d.value] = true
		}
	}
	if len(stored) == 0 {
		return nil
	}
	for i, v := range slices.Backward(c.values) {
		for k, operand := range []backend.Value{v.instr.A, v.instr.B, v.instr.C}[:v.instr.Op.Arity()] {
			live[operand] = live[operand] || live[i] && k < v.instr.Op.Arity()
		}
	}
	n.cmd.Prog = c.number(n, live, stored)
	n.prog = n.cmd.Prog
	return n
}

// number gives the live values their numbers, and n its sources and parameters.
func (c *chain) number(n *node, live []bool, stored []int) *backend.Prog {
	var ins, params []backend.DType
	var code []backend.Instr
	at := make([]backend.Value, len(c.values))
	next := backend.Value(0)
	each := func(is func(v *value) bool, take func(v *value)) {
		for i := range c.values {
			if v := &c.values[i]; live[i] && is(v) {
				take(v)
				at[i] = next
				next++
			}
		}
	}
	each(func(v *value) bool { return v.source != nil }, func(v *value) {
		ins = append(ins, v.dtype)
		n.cmd.Src, n.storage = append(n.cmd.Src, v.source.view), append(n.storage, v.source.storage)
	})
	each(func(v *value) bool { return v.isImm }, func(v *value) {
		params = append(params, v.dtype)
		n.cmd.Imm = append(n.cmd.Imm, v.imm)
	})
	each(func(v *value) bool { return v.source == nil && !v.isImm }, func(v *value) {
		in := v.instr
		in.A, in.B, in.C = at[in.A], at[in.B], at[in.C]
		code = append(code, in)
	})
	var outs []backend.Value
	for _, i := range stored {
		outs = append(outs, at[i])
	}
	return tensor.NewProg(ins, params, code, outs...)
}
