package backendtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/weir-ml/weir/backend"
)

// instrKey names an instruction on a type: that of its last operand, and of its result.
type instrKey struct {
	op              backend.MapOp
	operand, result backend.DType
}

func (t typedInstr) key() instrKey { return instrKey{t.op, t.ins[len(t.ins)-1], t.computes} }

// lackingOf returns the instructions that the device declares not to have: Supports is false of a program of that one alone.
func lackingOf(dev backend.Device) map[instrKey]bool {
	lacks := map[instrKey]bool{}
	for _, t := range typedInstrs() {
		if !dev.Supports(t.alone()) {
			lacks[t.key()] = true
		}
	}
	return lacks
}

// alone returns the instruction as a command on single elements.
func (t typedInstr) alone() *backend.Cmd {
	element := func(d backend.DType) backend.View {
		return backend.Contiguous(&backend.Buffer{Size: d.Size(), Host: make([]byte, d.Size())}, d, 1)
	}
	c := &backend.Cmd{Op: backend.Map, Prog: t.prog(), Dst: []backend.View{element(t.computes)}}
	for _, d := range t.ins {
		c.Src = append(c.Src, element(d))
	}
	return c
}

// lacks reports whether a command needs an instruction that the device declares not to have.
func (d *device) lacks(c *backend.Cmd) bool {
	if len(d.lacking) == 0 || c.Op != backend.Map {
		return false
	}
	return slices.ContainsFunc(c.Prog.Code, func(in backend.Instr) bool {
		last := []backend.Value{in.A, in.B, in.C}[in.Op.Arity()-1]
		return d.lacking[instrKey{in.Op, c.Prog.TypeOf(last), in.DType}]
	})
}

// anyLacks reports whether a device declares not to have an instruction on d. Random programs are shared by all devices, so none has it.
func (s *suite) anyLacks(op backend.MapOp, d backend.DType) bool {
	result := d
	if op.Compares() {
		result = backend.Bool
	}
	return slices.ContainsFunc(s.devices, func(dev *device) bool { return dev.lacking[instrKey{op, d, result}] })
}

// lackingCases runs what a device declares not to have: it must fail, by an error that names the instruction, and not compute something else.
func lackingCases(s *suite) {
	for _, t := range typedInstrs() {
		lacked := func(d *device) bool { return d.lacking[t.key()] }
		if !slices.ContainsFunc(s.devices, lacked) || !s.next(1) {
			continue
		}
		c := t.alone()
		s.each(func() {
			if !lacked(s.device) {
				return
			}
			if why := s.poison(c); why != "" {
				s.failf("%s, which Supports is false of:\n\t%s", describe(c), why)
			}
			if cause := s.causeOf(c); !strings.Contains(cause, t.op.String()) || strings.Contains(cause, "\n") {
				s.failf("%s, which Supports is false of:\n\tthe error is %q; want one line that names %v", describe(c), cause, t.op)
			}
		})
	}
}

// causeOf returns the error of a stream that runs a command.
func (s *suite) causeOf(c *backend.Cmd) string {
	onDevice := map[*backend.Buffer]*backend.Buffer{}
	defer s.free(onDevice)
	moved, err := s.move(c, onDevice)
	if err != nil {
		return err.Error()
	}
	if _, err = s.executeMoved([]backend.Cmd{moved}, onDevice); err == nil {
		return ""
	}
	s.openStream()
	return err.Error()
}

// reportLacking is a subtest that is skipped for each instruction that a device declares not to have, so that nobody takes it for tested.
func reportLacking(t *testing.T, d *device) {
	t.Helper()
	types := map[backend.MapOp][]string{}
	for _, in := range typedInstrs() {
		if d.lacking[in.key()] {
			types[in.op] = append(types[in.op], in.ins[len(in.ins)-1].String())
		}
	}
	for _, op := range backend.MapOps() {
		if len(types[op]) > 0 {
			t.Run(strings.TrimSpace(fmt.Sprintf("%s lacks %v", d.name, op)), func(t *testing.T) {
				t.Skipf("Supports is false of %v of %s: programs with it were not run", op, strings.Join(slices.Compact(types[op]), ", "))
			})
		}
	}
}
