//go:build unix && amd64

package simd

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// guarded is memory between two pages that may not be touched: a load or a store beside it is a fault.
type guarded []byte

func newGuarded(t *testing.T, size int) guarded {
	page := unix.Getpagesize()
	size = (size + page - 1) / page * page
	all, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Munmap(all)) })
	require.NoError(t, unix.Mprotect(all[:page], unix.PROT_NONE))
	require.NoError(t, unix.Mprotect(all[page+size:], unix.PROT_NONE))
	return guarded(all[page : page+size])
}

// first returns n elements that begin where the memory does, last those that end where it does.
func first[T any](g guarded, n int) []T { return unsafe.Slice((*T)(unsafe.Pointer(&g[0])), n) }

func last[T any](g guarded, n int) []T {
	var x T
	size := n * int(unsafe.Sizeof(x))
	return unsafe.Slice((*T)(unsafe.Pointer(&g[len(g)-max(size, 1)])), n)
}
