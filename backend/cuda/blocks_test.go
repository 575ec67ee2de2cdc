//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// fewBlocks is fewer than any of the commands below asks for.
const fewBlocks = 3

// TestFewBlocksDoTheWorkOfMany runs kernels whose blocks take several parts, which in a launch of the backend's they do only for very large operands.
func TestFewBlocksDoTheWorkOfMany(t *testing.T) {
	const rows, columns = 130, 230
	d := open(t, backend.Options{})
	s := openStream(t, d)
	src, dst, index := alloc(t, d, rows*columns*4), alloc(t, d, rows*columns*4), alloc(t, d, rows*8)
	s.Upload(src, 0, random(src.Size))
	for i := range rows {
		s.Upload(index, 8*i, binary.LittleEndian.AppendUint64(nil, uint64(i*i%rows)))
	}
	one := func(v backend.View) []backend.View { return []backend.View{v} }
	whole := func(b *backend.Buffer) backend.View { return backend.Contiguous(b, backend.Int32, rows, columns) }
	turned, flipped := backend.Contiguous(src, backend.Int32, columns, rows), whole(src)
	turned.Dims[0], turned.Dims[1], turned.Strides[0], turned.Strides[1] = rows, columns, 1, rows
	flipped.Offset, flipped.Strides[1] = columns-1, -1
	indices := backend.Contiguous(index, backend.Int64, rows, columns)
	indices.Strides[0], indices.Strides[1] = 1, 0
	for name, c := range map[string]backend.Cmd{
		"copy":      {Op: backend.Copy, Dst: one(whole(dst)), Src: one(flipped)},
		"transpose": {Op: backend.Copy, Dst: one(whole(dst)), Src: one(turned)},
		"gather":    {Op: backend.Gather, Dst: one(whole(dst)), Src: []backend.View{whole(src), indices}},
		"random":    {Op: backend.Random, RandomKind: backend.Bits, Dst: one(whole(dst)), Src: one(backend.Contiguous(index, backend.Int64, 2))},
	} {
		t.Run(name, func(t *testing.T) {
			s.Exec([]backend.Cmd{c})
			want := make([]byte, dst.Size)
			require.NoError(t, s.Download(want, dst, 0))
			s.Upload(dst, 0, make([]byte, dst.Size))

			s.batch.reset()
			require.NoError(t, s.lower(&s.batch, []backend.Cmd{c}))
			require.Len(t, s.batch.nodes, 1)
			require.Greater(t, s.batch.nodes[0].grid[0], uint32(fewBlocks))
			s.batch.nodes[0].grid[0] = fewBlocks
			require.NoError(t, s.submit())
			got := make([]byte, dst.Size)
			require.NoError(t, s.Download(got, dst, 0))
			require.Equal(t, want, got)
		})
	}
}
