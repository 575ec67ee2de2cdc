package cpu

import (
	"unsafe"

	"github.com/weir-ml/weir/backend"
)

const (
	// blockLen is the number of words that a register holds: the elements an instruction computes at a time, or twice as many of 4 bytes. A program of five
	// live values stays in 20 KiB.
	blockLen = 512
	// minRun is the length of a run of neighbours from which an operand is worked on where it lies.
	minRun = 128
	// mapChunkCost is about the nanoseconds of a chunk of blocks.
	mapChunkCost = 10_000
	// maxPrograms bounds the compiled programs a stream remembers.
	maxPrograms = 1 << 12
)

// access is how an operand of a program meets its register.
type access uint8

const (
	inPlace  access = iota // the operand is its own register
	gathered               // copied from or to its register, block by block
	periodic               // the same in every block; copied once
)

// mapping is the state of a Map.
type mapping struct {
	programs map[*backend.Prog]*program
	kernels  *Kernels
	f16      halves
	bf16     halves
	prog     *program
	imm      []float64
	dst, src []backend.View
	nest     nest            // destinations, then sources
	views    []*backend.View // likewise
	access   []access        // likewise
	n        int
	blockLen int // elements computed at a time
	run      int // blocks do not cross multiples of it, so that operands in place are one run within a block
	chunkLen int
	scratch  []mapScratch // by worker
}

// mapScratch is what a worker needs of its own.
type mapScratch struct {
	at     []unsafe.Pointer // by value: where its block is
	memory []uint64         // the registers
	halves [blockLen]uint16 // a gathered block of halves
}

func (m *mapping) init(workers int, k *Kernels) {
	m.kernels = k
	m.f16, m.bf16 = k.halves(backend.Float16), k.halves(backend.BFloat16)
	m.programs = map[*backend.Prog]*program{}
	m.scratch = make([]mapScratch, workers)
}

// program returns the compiled form of p.
func (m *mapping) program(p *backend.Prog) *program {
	if m.prog != nil && m.prog.Prog == p {
		return m.prog
	}
	c := m.programs[p]
	if c == nil {
		if len(m.programs) >= maxPrograms {
			clear(m.programs)
		}
		c = compile(p, m.kernels)
		m.programs[p] = c
	}
	return c
}

// half returns the conversions of a half type.
func (m *mapping) half(d backend.DType) *halves {
	if d == backend.BFloat16 {
		return &m.bf16
	}
	return &m.f16
}

// mapProg executes an elementwise program.
func (s *stream) mapProg(p *backend.Prog, imm []float64, dst, src []backend.View) error {
	m := &s.mapping
	m.prog = m.program(p)
	m.imm, m.dst, m.src = imm, dst, src
	m.views = m.views[:0]
	for i := range dst {
		m.views = append(m.views, &dst[i])
	}
	for i := range src {
		m.views = append(m.views, &src[i])
	}
	m.nest.reset(m.views...)
	m.n = m.nest.len()
	if m.n == 0 {
		return nil
	}
	m.plan()
	blockCost := max(1, m.prog.cost*m.blockLen/1000)
	m.chunkLen = m.blockLen * max(1, mapChunkCost/blockCost)
	err := s.run(m, (m.n+m.chunkLen-1)/m.chunkLen, m.prog.cost*m.n/1000)
	m.imm, m.dst, m.src = nil, nil, nil
	clear(m.views)
	return err
}

// plan decides how each operand is accessed. Runs are products of the innermost dimensions, so the shortest divides the others.
func (m *mapping) plan() {
	m.run, m.blockLen = m.n, m.prog.blockLen
	m.access = m.access[:0]
	for i := range m.dst {
		m.access = append(m.access, m.accessOf(i, m.dst[i].DType))
		if m.prog.made[i] == passes || m.storedBefore(i) {
			m.access[i] = gathered
		}
	}
	for j := range m.src {
		a := m.accessOf(len(m.dst)+j, m.src[j].DType)
		if a == inPlace && !m.safeInPlace(j) {
			a = gathered
		}
		m.access = append(m.access, a)
	}
	for i, a := range m.access {
		if a == inPlace {
			m.run = min(m.run, m.nest.run(i))
		}
	}
	for j := range m.src {
		m.fitBlock(len(m.dst) + j)
	}
}

// fitBlock makes blocks whole turns of a gathered source, if they can be, which is then the same in every block. Turns and runs are products of the
// innermost dimensions, so blocks stay whole turns of the sources before.
func (m *mapping) fitBlock(operand int) {
	turn := m.nest.turn(operand)
	if m.access[operand] == gathered && turn < m.n && turn <= m.blockLen && m.run%turn == 0 {
		m.access[operand] = periodic
		m.blockLen -= m.blockLen % turn
	}
}

func (m *mapping) accessOf(operand int, d backend.DType) access {
	switch {
	case m.repeats(operand):
		return periodic
	case isHalf(d) || m.nest.run(operand) < min(minRun, m.n):
		return gathered
	}
	return inPlace
}

// repeats reports whether every block of the operand is the same: it varies along the innermost axis at the most, and blocks hold
// a whole number of its turns.
func (m *mapping) repeats(operand int) bool {
	in := m.nest.rank - 1
	if m.nest.constant(operand) {
		return true
	}
	for a := range in {
		if m.nest.strides[operand][a] != 0 {
			return false
		}
	}
	return in > 0 && m.blockLen%m.nest.dims[in] == 0
}

// storedBefore reports whether an earlier destination takes the same value, which then lives there.
func (m *mapping) storedBefore(k int) bool {
	for i := range k {
		if m.prog.Outs[i] == m.prog.Outs[k] {
			return true
		}
	}
	return false
}

// safeInPlace reports whether source j is not overwritten before it is last read.
func (m *mapping) safeInPlace(j int) bool {
	for k := range m.dst {
		if m.dst[k].Buf != m.src[j].Buf || !m.dst[k].MayOverlap(&m.src[j]) {
			continue
		}
		if m.prog.lastRead[j] == passes || m.prog.lastRead[j] > m.prog.made[k] {
			return false
		}
	}
	return true
}

func (m *mapping) do(worker, chunk int) {
	w := &m.scratch[worker]
	m.prepare(w)
	end := min((chunk+1)*m.chunkLen, m.n)
	for lo := chunk * m.chunkLen; lo < end; {
		n := min(m.blockLen, end-lo, m.run-lo%m.run)
		m.block(w, lo, n)
		lo += n
	}
	// Nothing may point to buffers when they are freed.
	clear(w.at)
}

// prepare points values to their registers and fills those that stay the same.
func (m *mapping) prepare(w *mapScratch) {
	p := m.prog
	memory := words[[blockLen]uint64](&w.memory, p.registers)
	if cap(w.at) < p.values {
		w.at = make([]unsafe.Pointer, p.values)
	}
	w.at = w.at[:p.values]
	for v := range w.at {
		w.at[v] = unsafe.Pointer(&memory[p.register[v]])
	}
	n := min(m.n, m.blockLen)
	for i := range m.imm {
		p.fills[i](w.at[len(p.Ins)+i], unsafe.Pointer(&m.imm[i]), nil, nil, n)
	}
	for j := range m.src {
		if m.access[len(m.dst)+j] == periodic {
			m.load(w, j, &cursor{}, n)
		}
	}
}

// block runs the program on elements [lo, lo+n).
func (m *mapping) block(w *mapScratch, lo, n int) {
	p := m.prog
	var at cursor
	at.seek(&m.nest, lo)
	for j := range m.src {
		v := &m.src[j]
		switch m.access[len(m.dst)+j] {
		case inPlace:
			w.at[j] = address(v, v.Offset+at.offset(&m.nest, len(m.dst)+j))
		case gathered:
			m.load(w, j, &at, n)
		}
	}
	for k := range m.dst {
		if m.access[k] == inPlace {
			w.at[p.Outs[k]] = address(&m.dst[k], m.dst[k].Offset+at.offset(&m.nest, k))
		}
	}
	for i := range p.steps {
		s := &p.steps[i]
		s.kernel(w.at[s.dst], w.at[s.a], w.at[s.b], w.at[s.c], n)
		if s.round != backend.Invalid {
			h := m.half(s.round)
			h.round(w.at[s.dst], &w.halves, n)
			if s.second != none {
				h.round(w.at[s.second], &w.halves, n)
			}
		}
	}
	for k := range m.dst {
		if m.access[k] != inPlace {
			m.store(w, k, &at, n)
		}
	}
}

// address returns where element i of v's buffer is.
func address(v *backend.View, i int) unsafe.Pointer {
	return unsafe.Pointer(&v.Buf.Host[i*v.DType.Size()])
}

// load copies n elements of source j, from there on, to its register.
func (m *mapping) load(w *mapScratch, j int, at *cursor, n int) {
	v, operand, register := &m.src[j], len(m.dst)+j, w.at[j]
	switch {
	case isHalf(v.DType):
		from := unsafe.Pointer(&w.halves)
		if m.nest.run(operand) == m.n {
			from = address(v, v.Offset+at.offset(&m.nest, operand))
		} else {
			gatherBlock(w.halves[:n], v, &m.nest, operand, *at)
		}
		m.half(v.DType).widen(register, from, nil, nil, n)
	case v.DType.Size() == 1:
		gatherBlock(block[uint8](register, n), v, &m.nest, operand, *at)
	case v.DType.Size() == 4:
		gatherBlock(block[uint32](register, n), v, &m.nest, operand, *at)
	default:
		gatherBlock(block[uint64](register, n), v, &m.nest, operand, *at)
	}
}

// store copies n elements of a result to destination k, from there on.
func (m *mapping) store(w *mapScratch, k int, at *cursor, n int) {
	v, register := &m.dst[k], w.at[m.prog.Outs[k]]
	switch {
	case isHalf(v.DType):
		if m.nest.run(k) == m.n {
			m.half(v.DType).narrow(address(v, v.Offset+at.offset(&m.nest, k)), register, nil, nil, n)
			return
		}
		m.half(v.DType).narrow(unsafe.Pointer(&w.halves), register, nil, nil, n)
		scatterBlock(v, w.halves[:n], &m.nest, k, *at)
	case v.DType.Size() == 1:
		scatterBlock(v, block[uint8](register, n), &m.nest, k, *at)
	case v.DType.Size() == 4:
		scatterBlock(v, block[uint32](register, n), &m.nest, k, *at)
	default:
		scatterBlock(v, block[uint64](register, n), &m.nest, k, *at)
	}
}

func gatherBlock[T any](dst []T, v *backend.View, n *nest, operand int, at cursor) {
	src := elements[T](v)
	for done := 0; done < len(dst); {
		rows, cols := at.rect(n, len(dst)-done)
		copyRect(dst, src, rect{done, cols, 1}, at.place(n, operand, v.Offset), rows, cols, nil)
		at.pass(n, rows, cols)
		done += rows * cols
	}
}

func scatterBlock[T any](v *backend.View, src []T, n *nest, operand int, at cursor) {
	dst := elements[T](v)
	for done := 0; done < len(src); {
		rows, cols := at.rect(n, len(src)-done)
		copyRect(dst, src, at.place(n, operand, v.Offset), rect{done, cols, 1}, rows, cols, nil)
		at.pass(n, rows, cols)
		done += rows * cols
	}
}
