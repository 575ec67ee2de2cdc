package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/weir-ml/weir/backend"
)

// check runs a case, or in a short run perhaps not.
func (s *suite) check(c *backend.Cmd) {
	if !s.skips() {
		s.compare(c)
	}
}

// compare is a case: it runs a command, whose views lie on host memory, on every device and compares every byte.
func (s *suite) compare(c *backend.Cmd) {
	if !s.next(sizeOf(c)) {
		return
	}
	want, err := predict(c)
	if err != nil {
		panic(fmt.Sprintf("backendtest: case %v has no result: %v", describe(c), err))
	}
	if s.visit != nil {
		s.visit(c, want)
	}
	s.each(func() { s.checkOne(c, want) })
}

// checkOne compares what the device in use makes of a command with a prediction.
func (s *suite) checkOne(c *backend.Cmd, want [][]expect) {
	if s.lacks(c) {
		return
	}
	after, err := s.execute(c)
	if err != nil {
		s.failf("%s\n\tfails: %v", describe(c), err)
		return
	}
	if why := compareMemory(c, want, after); why != "" {
		s.failf("%s\n\t%s", describe(c), why)
	}
}

// sizeOf returns how many elements the operands of a command have.
func sizeOf(c *backend.Cmd) int {
	size := 0
	for _, views := range [][]backend.View{c.Dst, c.Src} {
		for k := range views {
			size += views[k].Len()
		}
	}
	return size
}

// memory is the bytes of each buffer after a command.
type memory map[*backend.Buffer][]byte

// execute runs commands on copies of their host buffers and returns what these hold afterwards. A poisoned stream is replaced.
func (s *suite) execute(cmds ...*backend.Cmd) (memory, error) {
	if s.stream == nil {
		return nil, errors.New("the device has no stream")
	}
	onDevice := map[*backend.Buffer]*backend.Buffer{}
	defer s.free(onDevice)
	moved := make([]backend.Cmd, len(cmds))
	for i, c := range cmds {
		if err := c.Check(); err != nil {
			panic(fmt.Sprintf("backendtest: bad case: %v", err))
		}
		if !s.dev.Supports(c) {
			return nil, errors.New("a required operation is not supported: Supports is false")
		}
		m, err := s.move(c, onDevice)
		if err != nil {
			return nil, err
		}
		moved[i] = m
	}
	after, err := s.executeMoved(moved, onDevice)
	if err != nil {
		s.openStream()
	}
	return after, err
}

// executeMoved runs commands on device buffers. A device that panics is reported like one that fails.
func (s *suite) executeMoved(cmds []backend.Cmd, onDevice map[*backend.Buffer]*backend.Buffer) (after memory, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	s.stream.Exec(cmds)
	after = memory{}
	for host, buf := range onDevice {
		after[host] = make([]byte, host.Size)
		if err := s.stream.Download(after[host], buf, 0); err != nil {
			return nil, err
		}
	}
	return after, s.stream.Sync()
}

func (s *suite) free(onDevice map[*backend.Buffer]*backend.Buffer) {
	for _, b := range onDevice {
		s.dev.Free(b)
	}
}

// move returns c on device buffers, which it allocates and fills where onDevice lacks them.
func (s *suite) move(c *backend.Cmd, onDevice map[*backend.Buffer]*backend.Buffer) (backend.Cmd, error) {
	moved := c.Clone()
	for _, views := range [][]backend.View{moved.Dst, moved.Src} {
		for i := range views {
			if err := s.moveView(&views[i], onDevice); err != nil {
				return moved, err
			}
		}
	}
	if c.Loop == nil {
		return moved, nil
	}
	var err error
	moved.Loop, err = s.moveLoop(c.Loop, onDevice)
	return moved, err
}

func (s *suite) moveView(v *backend.View, onDevice map[*backend.Buffer]*backend.Buffer) error {
	host := v.Buf
	if onDevice[host] == nil {
		buf, err := s.dev.Alloc(host.Size)
		if err != nil {
			return fmt.Errorf("Alloc(%d): %w", host.Size, err)
		}
		onDevice[host] = buf
		s.stream.Upload(buf, 0, host.Host)
	}
	v.Buf = onDevice[host]
	return nil
}

// moveLoop returns l on device buffers. Its private memory is none, but belongs to the device.
func (s *suite) moveLoop(l *backend.Loop, onDevice map[*backend.Buffer]*backend.Buffer) (*backend.Loop, error) {
	moved := *l
	inLoop := onDevice
	if l.Private != nil {
		moved.Private = &backend.Buffer{Device: s.dev, Size: l.Private.Size}
		inLoop = maps.Clone(onDevice)
		inLoop[l.Private] = moved.Private
	}
	moved.Body, moved.Tail, moved.Sums = slices.Clone(l.Body), slices.Clone(l.Tail), slices.Clone(l.Sums)
	var err error
	each := func(cmds []backend.Cmd) {
		for i := range cmds {
			if err == nil {
				cmds[i], err = s.move(&cmds[i], inLoop)
			}
		}
	}
	each(moved.Body)
	each(moved.Tail)
	for i := range moved.Sums {
		for _, v := range []*backend.View{&moved.Sums[i].Slots, &moved.Sums[i].Dst} {
			if err == nil {
				err = s.moveView(v, inLoop)
			}
		}
	}
	for host, buf := range inLoop {
		if host != l.Private {
			onDevice[host] = buf
		}
	}
	return &moved, err
}

// compareMemory says how memory after the command differs from what was predicted, or "".
func compareMemory(c *backend.Cmd, want [][]expect, after memory) string {
	var problems []string
	written := memory{}
	for host := range after {
		written[host] = make([]byte, host.Size)
	}
	for k := range c.Dst {
		v := &c.Dst[k]
		if why := compareView(c, k, want[k], after[v.Buf]); why != "" {
			problems = append(problems, why)
		}
		size := v.DType.Size()
		for _, at := range elements(v) {
			for b := at * size; b < (at+1)*size; b++ {
				written[v.Buf][b] = 1
			}
		}
	}
	for host, got := range after {
		if why := compareRest(host.Host, got, written[host]); why != "" {
			problems = append(problems, nameBuffer(c, host)+why)
		}
	}
	return strings.Join(problems, "\n\t")
}

func nameBuffer(c *backend.Cmd, b *backend.Buffer) string {
	for k := range c.Dst {
		if c.Dst[k].Buf == b {
			return fmt.Sprintf("buffer of destination %d: ", k)
		}
	}
	for k := range c.Src {
		if c.Src[k].Buf == b {
			return fmt.Sprintf("buffer of source %d: ", k)
		}
	}
	return "another buffer: "
}

// compareRest compares the bytes that no destination covers.
func compareRest(before, after, written []byte) string {
	if bytes.Equal(before, after) {
		return ""
	}
	first, changed := -1, 0
	for i := range before {
		if written[i] == 0 && before[i] != after[i] {
			if changed++; first < 0 {
				first = i
			}
		}
	}
	if changed == 0 {
		return ""
	}
	return fmt.Sprintf("byte %d is in no destination but changed from %#02x to %#02x (%d such bytes)", first, before[first], after[first], changed)
}

// compareView describes the first element of destination k that is not as expected, and counts the others.
func compareView(c *backend.Cmd, k int, want []expect, after []byte) string {
	v := &c.Dst[k]
	first, wrong := "", 0
	for n, at := range elements(v) {
		got := load(after, v.DType, at)
		if want[n].accepts(v.DType, got) {
			continue
		}
		if wrong++; wrong == 1 {
			first = fmt.Sprintf("destination %d%v: got %s, want %s", k, coordinates(v, n), got.format(v.DType), want[n].describe(v.DType, got))
			if c.Op == backend.Map {
				first += operandsAt(c, n)
			}
		}
	}
	if wrong == 0 {
		return ""
	}
	return fmt.Sprintf("%s; %d of %d elements are wrong", first, wrong, len(want))
}

func coordinates(v *backend.View, n int) []int {
	index := make([]int, v.Rank)
	for a := v.Rank - 1; a >= 0; a-- {
		index[a] = n % v.Dims[a]
		n /= v.Dims[a]
	}
	return index
}

// operandsAt prints the sources of one element of a map.
func operandsAt(c *backend.Cmd, n int) string {
	texts := make([]string, len(c.Src))
	for k := range c.Src {
		texts[k] = read(&c.Src[k])[n].format(c.Src[k].DType)
	}
	return " from (" + strings.Join(texts, ", ") + ")"
}

// accepts reports whether got will do.
func (e expect) accepts(d backend.DType, got scalar) bool {
	switch {
	case e.free:
		return true
	case !d.IsFloat():
		return got.i == e.i
	case math.IsNaN(e.f) || math.IsNaN(got.f):
		return math.IsNaN(e.f) && math.IsNaN(got.f)
	case e.slack == 0:
		return got.f == e.f && (e.anyZero || math.Signbit(got.f) == math.Signbit(e.f))
	}
	return e.miss(d, got.f) <= e.slack
}

// miss returns |got − want|, where infinity counts as the number after the greatest.
func (e expect) miss(d backend.DType, got float64) float64 {
	half := math.Ldexp(1, formats[d].maxExp)
	clamped := func(x float64) float64 { return math.Max(-half, math.Min(half, x/2)) }
	if math.Abs(e.f) < 0x1p1000 && math.Abs(got) < 0x1p1000 && math.Abs(e.f) < half && math.Abs(got) < half {
		return math.Abs(got - e.f - e.rest) // exact for denormals, which cannot be halved
	}
	return 2 * math.Abs(clamped(got)-clamped(e.f)-e.rest/2)
}

func (e expect) describe(d backend.DType, got scalar) string {
	text := e.scalar.format(d)
	if !d.IsFloat() || math.IsNaN(e.f) || math.IsNaN(got.f) {
		return text
	}
	unit := ulp(d, e.f)
	return fmt.Sprintf("%s: %.4g ulp off; allowed are %.4g", text, e.miss(d, got.f)/unit, e.slack/unit)
}

// describe prints a command with all that [backend.Cmd.String] leaves out.
func describe(c *backend.Cmd) string {
	var b strings.Builder
	b.WriteString(c.String())
	for _, views := range []struct {
		name string
		of   []backend.View
	}{{"destination", c.Dst}, {"source", c.Src}} {
		for k := range views.of {
			if offset := views.of[k].Offset; offset != 0 {
				fmt.Fprintf(&b, ", %s %d at offset %d", views.name, k, offset)
			}
		}
	}
	for k := range c.Dst {
		for j := range c.Src {
			if c.Dst[k].SameElements(&c.Src[j]) {
				fmt.Fprintf(&b, ", destination %d is source %d", k, j)
			}
		}
	}
	if c.Descending {
		b.WriteString(", descending")
	}
	if c.Op == backend.Random {
		state := read(&c.Src[0])
		fmt.Fprintf(&b, ", seed %d, offset %d, base %d", state[0].i, state[1].i, c.Base)
	}
	return b.String()
}
