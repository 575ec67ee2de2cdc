package cuda

import (
	"fmt"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// moved is how the elements of a type are moved between memory and registers.
type moved struct {
	class register
	kind  string // suffix of loads and stores
}

func movedAs(d backend.DType) moved {
	switch h := heldAs(d); {
	case isHalf(d):
		return moved{halfWords, "b16"}
	case d.Size() == 1:
		return moved{words, "u8"}
	default:
		return moved{h.class, h.bits}
	}
}

// vectorOf returns how many elements one load or store moves: at most four, and 16 bytes.
func vectorOf(d backend.DType, width int) int { return min(width, 4, 16/d.Size()) }

// loadElements loads width neighbours, or one element if it is the same for all, as registers hold them.
func (a *assembly) loadElements(at string, d backend.DType, s stride, width int) []string {
	if s == steady {
		width = 1
	}
	m := movedAs(d)
	var loaded []string
	for len(loaded) < width {
		n := vectorOf(d, width)
		vector := make([]string, n)
		for i := range vector {
			vector[i] = a.new(m.class)
		}
		a.line("ld.global.%s %s, [%s+%d]", vectorKind(m.kind, n), group(vector), at, len(loaded)*d.Size())
		loaded = append(loaded, vector...)
	}
	if isHalf(d) {
		for i, h := range loaded {
			loaded[i] = a.widen(d, h)
		}
	}
	return loaded
}

// storeElements stores neighbours.
func (a *assembly) storeElements(at string, d backend.DType, registers []string) {
	m := movedAs(d)
	width := len(registers)
	if isHalf(d) {
		halves := make([]string, width)
		for i, x := range registers {
			halves[i] = a.narrow(d, x)
		}
		registers = halves
	}
	for done := 0; done < width; {
		n := vectorOf(d, width)
		a.line("st.global.%s [%s+%d], %s", vectorKind(m.kind, n), at, done*d.Size(), group(registers[done:done+n]))
		done += n
	}
}

func vectorKind(kind string, n int) string {
	if n == 1 {
		return kind
	}
	return fmt.Sprintf("v%d.%s", n, kind)
}

func group(registers []string) string {
	if len(registers) == 1 {
		return registers[0]
	}
	return "{" + strings.Join(registers, ", ") + "}"
}
