package cuda

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGridsCoverAllElementsAndEndSomewhere(t *testing.T) {
	require.Equal(t, [3]uint32{0}, covering(0, 256, 100))
	require.Equal(t, [3]uint32{1}, covering(256, 256, 100))
	require.Equal(t, [3]uint32{2}, covering(257, 256, 100))
	require.Equal(t, [3]uint32{100}, covering(1<<40, 256, 100))
}

// A number of blocks whose low 32 bits are 0 would launch nothing, and leave the destination as it was.
func TestMoreBlocksThanAGridHasAreRefused(t *testing.T) {
	b, _ := newBatch()
	b.launch(launch{kernel: "copy_b1", grid: line(1 << 32), block: [3]uint32{256}}, nil)
	require.EqualError(t, b.err, "kernel copy_b1 wants 4294967295 blocks or more; a grid has 2147483647")
	require.Empty(t, b.nodes)
}
