package cuda

import "github.com/weir-ml/weir/backend"

// memory is what an arena takes blocks from.
type memory interface {
	Alloc(size int) (*backend.Buffer, error)
	Free(*backend.Buffer)
}

// arena is the temporary memory of a stream, which runs one command after the other: each may use all of it.
type arena struct {
	block   *backend.Buffer
	used    int
	retired []*backend.Buffer // too small, but what is queued may use them
}

const (
	arenaAlign = 256
	arenaLeast = 1 << 16
)

// reset gives the memory to the next command.
func (a *arena) reset() { a.used = 0 }

// take returns the address of memory that nothing has taken since the last reset.
func (a *arena) take(m memory, bytes int) (uint64, error) {
	bytes = (bytes + arenaAlign - 1) &^ (arenaAlign - 1)
	if a.block == nil || a.used+bytes > a.block.Size {
		if err := a.grow(m, a.used+bytes); err != nil {
			return 0, err
		}
	}
	at := uint64(a.block.Addr) + uint64(a.used)
	a.used += bytes
	return at, nil
}

func (a *arena) grow(m memory, bytes int) error {
	block, err := m.Alloc(max(bytes+bytes/4, arenaLeast))
	if err != nil {
		return err
	}
	if a.block != nil {
		a.retired = append(a.retired, a.block)
	}
	a.block = block
	return nil
}

// retire frees what was outgrown. All that uses it must be queued.
func (a *arena) retire(m memory) {
	for _, b := range a.retired {
		m.Free(b)
	}
	a.retired = a.retired[:0]
}

// free frees everything.
func (a *arena) free(m memory) {
	a.retire(m)
	if a.block != nil {
		m.Free(a.block)
		a.block = nil
	}
}
