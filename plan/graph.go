package plan

import (
	"slices"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// graph is a recorded step taken apart, to be put together in a better way with the same results.
type graph struct {
	nodes  []*node
	memory []memory // by storage ID
}

// node is a command. Its operands are numbered destinations first.
type node struct {
	cmd     backend.Cmd
	storage []int         // of each operand
	prog    *backend.Prog // what an elementwise command computes, nil for other commands
	number  int           // in the graph
}

// memory is what one tensor of the recording lay in.
type memory struct {
	role  tensor.Role
	bytes int // that its operands span
}

func newGraph(rec *tensor.Recording) *graph {
	g := &graph{}
	for i, c := range rec.Commands() {
		n := &node{cmd: c.Clone()}
		for k, s := range rec.Storage(i) {
			for len(g.memory) <= s.ID {
				g.memory = append(g.memory, memory{})
			}
			m := &g.memory[s.ID]
			_, hi := n.view(k).Bounds()
			m.role, m.bytes = s.Role, max(m.bytes, hi*n.view(k).DType.Size())
			n.storage = append(n.storage, s.ID)
		}
		n.prog = program(&n.cmd)
		g.nodes = append(g.nodes, n)
	}
	return g
}

// view returns operand k.
func (n *node) view(k int) *backend.View { return operandOf(&n.cmd, k) }

// writes reports whether operand k is written.
func (n *node) writes(k int) bool { return k < len(n.cmd.Dst) }

// reads reports whether operand k is read: sources are, and destinations that are added to.
func (n *node) reads(k int) bool {
	return k >= len(n.cmd.Dst) || n.cmd.Accumulate || n.cmd.Op == backend.ScatterAdd
}

// overlap reports whether operands a of m and b of n may share memory.
func overlap(m *node, a int, n *node, b int) bool {
	if m.storage[a] != n.storage[b] {
		return false
	}
	v, w := *m.view(a), *n.view(b)
	w.Buf = v.Buf
	return v.MayOverlap(&w)
}

// same reports whether operands a of m and b of n are the same elements.
func same(m *node, a int, n *node, b int) bool {
	if m.storage[a] != n.storage[b] {
		return false
	}
	v, w := *m.view(a), *n.view(b)
	w.Buf = v.Buf
	return v.SameElements(&w)
}

// access is an operand of a node.
type access struct{ node, operand int }

// dependencies numbers the nodes and returns for each of them the earlier ones that it must follow: they write what it reads or writes, or read what it
// writes.
func (g *graph) dependencies() [][]int {
	nodes := g.nodes
	deps := make([][]int, len(nodes))
	writers, readers := make([][]access, len(g.memory)), make([][]access, len(g.memory))
	for i, n := range nodes {
		n.number = i
		follow := func(earlier []access, k int) {
			for _, a := range earlier {
				if a.node != i && overlap(nodes[a.node], a.operand, n, k) && !slices.Contains(deps[i], a.node) {
					deps[i] = append(deps[i], a.node)
				}
			}
		}
		for k, id := range n.storage {
			follow(writers[id], k)
			if n.writes(k) {
				follow(readers[id], k)
			}
		}
		for k, id := range n.storage {
			if n.writes(k) {
				writers[id] = append(writers[id], access{i, k})
			}
			if n.reads(k) {
				readers[id] = append(readers[id], access{i, k})
			}
		}
	}
	return deps
}

// within returns of dependencies those among some of the nodes, which it numbers by their place among these.
func within(nodes []*node, deps [][]int) [][]int {
	place := make([]int, len(deps)) // one more than that, 0 if elsewhere
	among := make([][]int, len(nodes))
	for i, n := range nodes {
		place[n.number] = i + 1
		for _, d := range deps[n.number] {
			if place[d] > 0 {
				among[i] = append(among[i], place[d]-1)
			}
		}
	}
	return among
}

// set tells which storages are in it. A nil one is empty.
type set []bool

func (s set) has(storage int) bool { return s != nil && s[storage] }

// add puts in all storages that nodes use.
func (s set) add(nodes []*node) {
	for _, n := range nodes {
		for _, id := range n.storage {
			s[id] = true
		}
	}
}

// storages returns those that nodes use.
func (g *graph) storages(nodes []*node) set {
	used := make(set, len(g.memory))
	used.add(nodes)
	return used
}

// union returns a new set of what is in others.
func (g *graph) union(sets ...set) set {
	all := make(set, len(g.memory))
	for _, s := range sets {
		for id, in := range s {
			all[id] = all[id] || in
		}
	}
	return all
}
