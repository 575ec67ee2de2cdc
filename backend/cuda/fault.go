package cuda

import (
	"fmt"

	"github.com/weir-ml/weir/backend"
)

// fault is the record in device memory where a kernel notes an index out of range. It has the layout of Fault in kernels/fault.h.
type fault struct {
	failed  uint32
	_       uint32 // the kernels' lock
	command uint64
	_       int64 // which index, of those that the command has
	index   int64
}

const faultBytes = 32

// faults are the commands that may find an index out of range, until the stream was seen to have run them. Those that come after one look at
// the record before they run; nothing else does.
type faults struct {
	record   uint64 // the address of the stream's fault
	guarding bool   // such a command came before
	indexing bool   // the command that is being lowered is one
	base     uint64 // the number of the first; those of a replay begin at a replayBase
	commands []indexCommand
}

// indexCommand is what is kept of a command, to say which one failed.
type indexCommand struct {
	op   backend.Op
	axis int
	dst  backend.View
	src  [2]backend.View
}

func (f *faults) add(c *backend.Cmd) (number uint64) {
	f.indexing = true
	f.commands = append(f.commands, indexCommand{op: c.Op, axis: c.Axis, dst: c.Dst[0], src: [2]backend.View(c.Src)})
	return f.base + uint64(len(f.commands)-1)
}

// end ends a command.
func (f *faults) end() {
	f.guarding = f.guarding || f.indexing
	f.indexing = false
}

// guard returns what a launch is given to look at. A kernel of an index command looks at the record itself, unless it asks for more.
func (f *faults) guard(asked bool) uint64 {
	if asked || f.guarding && !f.indexing {
		return f.record
	}
	return 0
}

// forget forgets commands that have run.
func (f *faults) forget() {
	f.base += uint64(len(f.commands))
	clear(f.commands)
	f.commands, f.guarding = f.commands[:0], false
}

// replayBase returns the number of the first command of a stream's replay with that number, beyond those of all commands that are executed once.
func replayBase(number uint64) uint64 { return 1<<63 | number<<32 }

// explain returns the error that the record stands for, or nil if it does not stand for one of the commands.
func (f *faults) explain(found *fault) error {
	i := found.command - f.base
	if found.failed == 0 || i >= uint64(len(f.commands)) {
		return nil
	}
	return f.commands[i].outOfRange(found.index)
}

func (c *indexCommand) outOfRange(index int64) error {
	cmd := backend.Cmd{Op: c.op, Axis: c.axis, Dst: []backend.View{c.dst}, Src: c.src[:]}
	table := &c.src[0]
	if c.op == backend.ScatterAdd {
		table = &c.dst
	}
	return fmt.Errorf("%v: index %d is out of range for axis %d of length %d", &cmd, index, c.axis, table.Dims[c.axis])
}
