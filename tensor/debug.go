package tensor

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/weir-ml/weir/backend"
)

// Debug looks for mistakes with memory, at some cost in time. The zero value looks for none.
type Debug struct {
	// Poison fills memory with the bits 0xFF, a NaN of every float type, when it is released to a pool, in the order of the stream.
	Poison bool
	// Leaks makes Stream.Close report the tensors that were made, or kept, outside of any scope and not released, and where. That the
	// garbage collector has found some does not excuse them.
	Leaks bool
}

// DebugVariable is the environment variable that [Open] reads, like WEIR_DEBUG=poison,leaks.
const DebugVariable = "WEIR_DEBUG"

// ParseDebug returns the modes that a comma-separated list names: poison, leaks. Another name is an error.
func ParseDebug(list string) (d Debug, err error) {
	for mode := range strings.SplitSeq(list, ",") {
		switch strings.TrimSpace(mode) {
		case "":
		case "poison":
			d.Poison = true
		case "leaks":
			d.Leaks = true
		default:
			return Debug{}, fmt.Errorf("tensor: unknown debug mode %q; want poison, leaks", mode)
		}
	}
	return d, nil
}

func debugFromEnvironment() (Debug, error) {
	d, err := ParseDebug(os.Getenv(DebugVariable))
	if err != nil {
		return d, fmt.Errorf("%s: %w", DebugVariable, err)
	}
	return d, nil
}

// newPool returns a pool of the stream's memory, or of a recording's on it.
func (s *Stream) newPool() *pool {
	p := newPool(s.dev.dev)
	p.watch = s.leaks
	if s.dev.debug.Poison {
		p.poison = func(buf *backend.Buffer) { s.poison(p, buf) }
	}
	return p
}

// poison overwrites memory of the pool. The command is recorded if the memory is the recording's: a replay poisons it at the same place.
func (s *Stream) poison(p *pool, buf *backend.Buffer) {
	fill := [1]backend.Cmd{{
		Op: backend.Map, Prog: fillProgs[backend.Uint8], Imm: []float64{0xFF},
		Dst: []backend.View{backend.Contiguous(buf, backend.Uint8, buf.Size)},
	}}
	if s.rec != nil && s.rec.pool == p {
		s.rec.keep(&fill[0], nil)
	}
	s.queue.Exec(fill[:])
}

// leakWatch remembers where memory came from that no scope will release. A nil one does not. The collector's goroutine calls it too.
type leakWatch struct {
	mu    sync.Mutex
	alive map[*backend.Buffer]string // file:line
	lost  map[string]lost
}

type lost struct{ count, bytes int }

func newLeakWatch() *leakWatch {
	return &leakWatch{alive: map[*backend.Buffer]string{}, lost: map[string]lost{}}
}

func (w *leakWatch) made(buf *backend.Buffer) {
	if w == nil {
		return
	}
	place := callerOutside()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive[buf] = place
}

func (w *leakWatch) released(buf *backend.Buffer) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.alive, buf)
}

func (w *leakWatch) collected(buf *backend.Buffer) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose(buf)
}

func (w *leakWatch) lose(buf *backend.Buffer) {
	if place, ok := w.alive[buf]; ok {
		at := w.lost[place]
		w.lost[place] = lost{at.count + 1, at.bytes + buf.Size}
		delete(w.alive, buf)
	}
}

// maxLeaks is the number of places that a report names.
const maxLeaks = 10

// report returns an error that names the places where most memory was left, or nil.
func (w *leakWatch) report() error {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for buf := range w.alive {
		w.lose(buf)
	}
	count := 0
	var places []string
	for place, at := range w.lost {
		count += at.count
		places = append(places, place)
	}
	if count == 0 {
		return nil
	}
	slices.SortFunc(places, func(a, b string) int {
		return cmp.Or(cmp.Compare(w.lost[b].bytes, w.lost[a].bytes), cmp.Compare(a, b))
	})
	more := ""
	if rest := len(places) - maxLeaks; rest > 0 {
		places, more = places[:maxLeaks], fmt.Sprintf(", and at %d places more", rest)
	}
	for i, place := range places {
		places[i] = fmt.Sprintf("%d (%d bytes) at %s", w.lost[place].count, w.lost[place].bytes, place)
	}
	return fmt.Errorf("tensor: close stream: %d tensors were made or kept outside of any scope and not released: %s%s",
		count, strings.Join(places, ", "), more)
}

// callerOutside returns file:line of the nearest caller outside of this package and autograd.
func callerOutside() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if !more || !inEngine(frame.Function) {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
	}
}

func inEngine(function string) bool {
	rest, ours := strings.CutPrefix(function, "github.com/weir-ml/weir/")
	return ours && (strings.HasPrefix(rest, "tensor.") || strings.HasPrefix(rest, "autograd."))
}
