package cuda

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/weir-ml/weir/backend"
)

const (
	mapThreads = 128 // of a block
	// mostMapThreads is how many threads a launch has, so that their index is divided in 32 bits. Larger commands are cut.
	mostMapThreads = math.MaxInt32 &^ (mapThreads - 1)
	// mostVectorCode bounds the instructions of a kernel whose threads take several elements, for which each is repeated.
	mostVectorCode = 512
)

func lowerMap(b *batch, c *backend.Cmd) {
	if err := checkInstructions(c.Prog); err != nil {
		b.fail(err)
		return
	}
	b.runProgram(c.Prog, c.Imm, c.Dst, c.Src)
}

// programKey stands for the text of a program's kernel.
type programKey struct {
	prog  *backend.Prog
	shape shape
}

// mostPrograms bounds what a mapper remembers.
const mostPrograms = 1 << 12

// mapper is what a batch keeps to lower elementwise programs without allocating.
type mapper struct {
	views   []backend.View
	params  []byte
	strides []byte
	texts   map[string]string // of strides
	modules map[programKey]*module
}

// runProgram launches the kernel of an elementwise program.
func (b *batch) runProgram(p *backend.Prog, imm []float64, dst, src []backend.View) {
	if dst[0].Len() == 0 {
		return
	}
	m := &b.mapper
	m.views = append(append(m.views[:0], dst...), src...)
	b.runViews(p, imm, m.views)
	clear(m.views) // they would keep buffers alive
}

// runViews launches the kernel, or several on halves of the operands, whose axes it merges.
func (b *batch) runViews(p *backend.Prog, imm []float64, views []backend.View) {
	merge(views)
	key := programKey{p, b.mapper.shapeOf(p, views)}
	threads := threadsOf(key.shape, &views[0])
	if threads > mostMapThreads {
		for _, half := range halves(views) {
			b.runViews(p, imm, half)
		}
		return
	}
	params := b.mapper.paramsOf(key, imm, views)
	blocks := ratio(threads, mapThreads)
	if b.join(key, params, views, blocks) {
		return
	}
	l := launch{kernel: mapName, module: b.programModule(key), grid: line(blocks), block: [3]uint32{mapThreads}}
	if key.shape.indirect {
		b.launch(l, b.stored(params))
		return
	}
	b.launch(l, params)
	b.begin(key, views, blocks)
}

// programModule returns the module with the kernel of a program.
func (b *batch) programModule(k programKey) *module {
	m := &b.mapper
	if known := m.modules[k]; known != nil {
		return known
	}
	if m.modules == nil || len(m.modules) >= mostPrograms {
		m.modules = map[programKey]*module{}
	}
	made := b.module(k, func() string { return write(k.prog, k.shape) })
	m.modules[k] = made
	return made
}

// halves cuts the outermost axis of all operands in two.
func halves(views []backend.View) [2][]backend.View {
	lower, upper := slices.Clone(views), slices.Clone(views)
	for i := range views {
		half := views[i].Dims[0] / 2
		lower[i].Dims[0] = half
		upper[i].Dims[0] -= half
		upper[i].Offset += half * upper[i].Strides[0]
	}
	return [2][]backend.View{lower, upper}
}

// shapeOf returns the shape of the kernel for operands whose axes are merged.
func (m *mapper) shapeOf(p *backend.Prog, views []backend.View) shape {
	s := shape{width: 1, axes: max(views[0].Rank, 1), segments: 1}
	for width := widest(views); width > 1; width /= 2 {
		if width*len(p.Code) <= mostVectorCode && vectorised(views, width) {
			s.width = width
			break
		}
	}
	m.strides = m.strides[:0]
	for i := range views {
		along := sparse
		if s.width > 1 {
			along = innermost(&views[i])
		}
		m.strides = append(m.strides, byte(along))
	}
	s.strides = m.text(m.strides)
	s.indirect = s.place(p).size > mostParams
	return s
}

// text returns the string of some strides, which is made once.
func (m *mapper) text(strides []byte) string {
	if known, ok := m.texts[string(strides)]; ok {
		return known
	}
	if m.texts == nil || len(m.texts) >= mostPrograms {
		m.texts = map[string]string{}
	}
	made := string(strides)
	m.texts[made] = made
	return made
}

// widest returns how many elements a thread takes at best: 16 bytes of the largest, or 8 elements, but 4 at least, in as many loads as that takes.
func widest(views []backend.View) int {
	size := 1
	for i := range views {
		size = max(size, views[i].DType.Size())
	}
	return max(min(16/size, 8), 4)
}

// innermost returns how an operand runs along its innermost axis.
func innermost(v *backend.View) stride {
	switch {
	case v.Rank == 0 || v.Strides[v.Rank-1] == 0:
		return steady
	case v.Strides[v.Rank-1] == 1:
		return dense
	}
	return sparse
}

// vectorised reports whether threads can take width neighbours: each operand has them side by side, wherever a thread begins as aligned as its loads
// need, or has one for all. Only where there is one axis may there be a rest.
func vectorised(views []backend.View, width int) bool {
	first := &views[0]
	if first.Rank == 0 || first.Rank > 1 && first.Dims[first.Rank-1]%width != 0 {
		return false
	}
	for i := range views {
		v := &views[i]
		switch innermost(v) {
		case sparse:
			return false
		case steady:
			continue
		}
		vector := vectorOf(v.DType, width)
		if address(v)%uint64(vector*v.DType.Size()) != 0 {
			return false
		}
		for _, stride := range v.Strides[:v.Rank-1] {
			if stride%vector != 0 {
				return false
			}
		}
	}
	return true
}

// threadsOf returns how many threads there are: one for every width elements, and one for each of the rest.
func threadsOf(s shape, v *backend.View) int64 {
	n := v.Len()
	return int64(n/s.width + n%s.width)
}

// paramsOf returns the parameters that place describes, until the next call.
func (m *mapper) paramsOf(k programKey, imm []float64, views []backend.View) []byte {
	p, s := k.prog, k.shape
	at := s.place(p)
	m.params = slices.Grow(m.params[:0], at.size)[:at.size]
	params := m.params
	clear(params)
	order := binary.NativeEndian
	first := &views[0]
	order.PutUint32(params[atVectors:], uint32(first.Len()/s.width))
	order.PutUint32(params[atThreads:], uint32(threadsOf(s, first)))
	width := s.width
	for axis := range s.axes - 1 {
		length := uint32(first.Dims[first.Rank-1-axis] / width)
		factor, shift := divisorOf(length)
		order.PutUint32(params[at.axes+axisBytes*axis:], length)
		order.PutUint32(params[at.axes+axisBytes*axis+4:], factor)
		order.PutUint32(params[at.axes+axisBytes*axis+8:], shift)
		width = 1
	}
	for i := range views {
		v := &views[i]
		order.PutUint64(params[at.pointers+8*i:], address(v))
		for axis := range v.Rank {
			bytes := v.Strides[v.Rank-1-axis] * v.DType.Size()
			order.PutUint64(params[at.stride(s, i, axis):], uint64(bytes))
		}
	}
	for i, x := range imm {
		order.PutUint64(params[at.imm+8*i:], immediate(p.Params[i], x))
	}
	return params
}

// divisorOf returns the factor and the shift with n/d = (n·factor/2³² + n) >> shift for n < 2³¹ (T. Granlund and P. L. Montgomery, "Division by
// invariant integers using multiplication", 1994). d is not 0.
func divisorOf(d uint32) (factor, shift uint32) {
	shift = uint32(bits.Len32(d - 1))
	return uint32((1<<32)*(1<<shift-uint64(d))/uint64(d) + 1), shift
}

const (
	putThreads = 256
	putBytes   = 3072 // that the kernel put stores
)

// put has the layout of Put in kernels/put.cu.
type put struct {
	dst   uint64
	bytes uint64
	data  [putBytes]byte
}

// stored puts parameters into device memory, by launches that carry them, and returns those of a kernel that reads them there.
func (b *batch) stored(params []byte) []byte {
	at := b.scratch(len(params))
	for done := 0; done < len(params); done += putBytes {
		p := put{dst: at + uint64(done)}
		p.bytes = uint64(copy(p.data[:], params[done:]))
		add(b, launch{kernel: "put", grid: line(1), block: [3]uint32{putThreads}}, &p)
	}
	return binary.NativeEndian.AppendUint64(nil, at)
}
