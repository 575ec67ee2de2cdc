package cuda

import (
	"fmt"
	"sort"
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

// node is one entry of a batch: a launch, a copy, a fill or a product of cublasLt. It has the layout of Node in shim.h.
type node struct {
	kind        uint32
	shared      uint32
	grid, block [3]uint32
	function    uint64 // of a product: the plan
	guard       uint64 // the fault record, if the kernel must look at it before it runs
	dst         uint64 // of a launch or a product: where its parameters begin in the batch's
	src         uint64 // of a fill: the byte
	bytes       uint64
}

const (
	launchNode = iota
	copyNode
	fillNode
	productNode
)

// launch says what to launch. The kernel is found in the committed PTX, or in module if that is not nil.
type launch struct {
	kernel      string
	module      *module
	grid, block [3]uint32 // a 0 is 1, but an empty grid[0] launches nothing
	shared      uint32    // bytes of dynamic shared memory
	guarded     bool      // of an index command: do not run if it has found an index out of range itself
}

// machine is what a batch needs of the device that it is for.
type machine interface {
	memory
	// function returns the handle of a kernel that is to be launched with that much dynamic shared memory.
	function(m *module, kernel string, shared uint32) (uint64, error)
	// cached returns the module of that key, and makes its text if there is none yet.
	cached(key any, text func() string) *module
	// precision returns that of float32 products; see backend.Options.
	precision() string
	// multiplier returns the library that products are given to, or nil.
	multiplier() multiplier
}

// batch is what commands are lowered to: launches in order, with their parameters one after the other, so that one call passes all to the
// driver, which sees no Go pointer. The first error ends it.
type batch struct {
	on      machine
	nodes   []node
	origins []int // the number of the command that each node belongs to
	params  []byte
	command int // the number of the one that is being lowered
	arena   arena
	faults  faults
	run     mapRun
	mapper  mapper
	err     error
}

// reset empties the batch. What it lent stays valid.
func (b *batch) reset() {
	b.nodes, b.origins, b.params = b.nodes[:0], b.origins[:0], b.params[:0]
	b.command, b.run.nodes, b.err = 0, 0, nil
}

// drop takes out what a command and those after it have put in.
func (b *batch) drop(command int) {
	n := sort.SearchInts(b.origins, command)
	b.nodes, b.origins = b.nodes[:n], b.origins[:n]
}

// fail ends the batch, if it has not failed before.
func (b *batch) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// add launches a kernel on parameters: a struct without Go pointers, laid out as C lays it out.
func add[T any](b *batch, l launch, p *T) {
	b.launch(l, unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p)))
}

// mostParams is how many bytes of parameters a kernel can have: what the driver takes, less the address of the word that every kernel looks at.
const mostParams = 4096 - 8

// launch launches a kernel on the bytes of its parameters.
func (b *batch) launch(l launch, params []byte) {
	if b.err != nil || l.grid[0] == 0 {
		return
	}
	if len(params) > mostParams {
		b.fail(fmt.Errorf("kernel %s has %d bytes of parameters; a launch takes %d", l.kernel, len(params), mostParams))
		return
	}
	if l.grid[0] > mostBlocks {
		b.fail(fmt.Errorf("kernel %s wants %d blocks or more; a grid has %d", l.kernel, l.grid[0], mostBlocks))
		return
	}
	f, err := b.on.function(l.module, l.kernel, l.shared)
	if err != nil {
		b.fail(err)
		return
	}
	n := node{kind: launchNode, function: f, shared: l.shared, dst: uint64(len(b.params)), bytes: uint64(len(params))}
	for i := range n.grid {
		n.grid[i], n.block[i] = max(l.grid[i], 1), max(l.block[i], 1)
	}
	n.guard = b.faults.guard(l.guarded)
	b.push(n)
	b.pass(params)
}

// pass appends the parameters of the last node.
func (b *batch) pass(params []byte) {
	b.params = append(b.params, params...)
	b.params = append(b.params, make([]byte, align(len(params))-len(params))...)
}

// align returns how many bytes of a batch so many bytes of parameters take.
func align(bytes int) int { return (bytes + 15) &^ 15 }

func (b *batch) push(n node) {
	b.nodes = append(b.nodes, n)
	b.origins = append(b.origins, b.command)
}

// copy copies bytes between places in device memory that do not overlap. It does nothing and reports false where the driver's copy would not see that
// an earlier command has failed: then a kernel must do it.
func (b *batch) copy(dst, src uint64, bytes int) bool {
	if b.faults.guarding {
		return false
	}
	if b.err == nil && bytes > 0 {
		b.push(node{kind: copyNode, dst: dst, src: src, bytes: uint64(bytes)})
	}
	return true
}

// upload copies bytes that the host has put where the device reaches them. It is a kernel, so that it looks whether an earlier command has failed.
func (b *batch) upload(dst, src uint64, bytes int) {
	l := launch{kernel: "upload", grid: covering(int64(bytes), uploadThreads, uploadBlocks), block: [3]uint32{uploadThreads}}
	add(b, l, &uploadParams{dst, src, uint64(bytes)})
}

const (
	uploadThreads = 256
	uploadBlocks  = 1024
)

// uploadParams has the layout of Upload in kernels/stream.cu.
type uploadParams struct {
	dst, src, bytes uint64
}

// fill sets bytes of device memory, or reports false where copy does.
func (b *batch) fill(dst uint64, value byte, bytes int) bool {
	if b.faults.guarding {
		return false
	}
	if b.err == nil && bytes > 0 {
		b.push(node{kind: fillNode, dst: dst, src: uint64(value), bytes: uint64(bytes)})
	}
	return true
}

// scratch returns the address of memory, aligned to 256 bytes, that the launches of the command share and those of later commands reuse.
func (b *batch) scratch(bytes int) uint64 {
	if b.err != nil || bytes <= 0 {
		return 0
	}
	at, err := b.arena.take(b.on, bytes)
	if err != nil {
		b.fail(err)
	}
	return at
}

// module returns the generated module of a key, which is comparable and stands for its text. text is called if the key is new.
func (b *batch) module(key any, text func() string) *module { return b.on.cached(key, text) }

// index says that a command may find an index out of range, and returns what its kernels need to note it: the address of the record and the
// command's number. They look at the record themselves; see kernels/fault.h.
func (b *batch) index(c *backend.Cmd) (record, number uint64) {
	return b.faults.record, b.faults.add(c)
}

// lower appends what the first of some commands is on the device, and returns 1, or more if it has lowered commands that follow with it.
func (b *batch) lower(cmds []backend.Cmd) int {
	b.arena.reset()
	n := lower(b, cmds)
	b.faults.end()
	b.command += n
	return n
}
