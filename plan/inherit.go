package plan

import (
	"slices"

	"github.com/weir-ml/weir/backend"
)

// inherit lets elementwise commands write where they read for the last time, so that a result comes to lines that the L1 cache has already. It takes the leases of such results out, extends those of the storage whose places they take, and returns the heirs' sources.
func inherit(nodes []*node, leases map[int]*lease) map[int]int {
	from := map[int]int{}
	for i, n := range nodes {
		if n.prog == nil {
			continue
		}
		for k := range n.cmd.Dst {
			heir := leases[n.storage[k]]
			if heir == nil || heir.first != i {
				continue
			}
			for j := range n.cmd.Src {
				source := n.storage[len(n.cmd.Dst)+j]
				if to, moved := from[source]; moved {
					source = to
				}
				l := leases[source]
				if l == nil || l.last != i || l.first == i || l.bytes != heir.bytes || !n.canReplace(k, j) {
					continue
				}
				l.last = max(heir.last, i+1) // so that no other result of n comes there too
				from[heir.storage] = source
				delete(leases, heir.storage)
				break
			}
		}
	}
	return from
}

// canReplace reports whether destination k of an elementwise command may lie where source j does: they are the same elements, nothing else of the source's storage
// is used, and the source is read no more once the destination is made.
func (n *node) canReplace(k, j int) bool {
	at := len(n.cmd.Dst) + j
	for i, id := range n.storage {
		v := *n.view(i)
		v.Buf = n.view(k).Buf
		if (i == k || id == n.storage[at]) && !v.SameElements(n.view(k)) {
			return false
		}
	}
	p := n.prog
	made := int(p.Outs[k]) - len(p.Ins) - len(p.Params)
	if made < 0 || slices.Contains(p.Outs, backend.Value(j)) {
		return false
	}
	for _, in := range p.Code[made+1:] {
		if slices.Contains([]backend.Value{in.A, in.B, in.C}[:in.Op.Arity()], backend.Value(j)) {
			return false
		}
	}
	return true
}
