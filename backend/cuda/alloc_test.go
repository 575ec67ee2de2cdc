//go:build cgo && linux && (amd64 || arm64)

package cuda

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

// What a training loop does over and over allocates nothing: to replay, to feed and to read.
func TestReplaysAndCopiesDoNotAllocate(t *testing.T) {
	d := open(t, backend.Options{})
	s := openStream(t, d)
	n := 50_000
	xs, ys := alloc(t, d, 4*n), alloc(t, d, 4)
	cmds := chain(t, backend.Contiguous(xs, backend.Float32, n), backend.Contiguous(ys, backend.Float32, 1))
	r, err := s.Prepare(cmds)
	require.NoError(t, err)
	host := make([]byte, xs.Size)
	copies := []backend.Cmd{copying(xs, xs)}
	copies[0].Src[0].Dims[0], copies[0].Dst[0].Dims[0], copies[0].Dst[0].Offset = 1000, 1000, 2000
	for name, do := range map[string]func(){
		"replay":   func() { r.Run() },
		"upload":   func() { s.Upload(xs, 0, host) },
		"download": func() { require.NoError(t, s.Download(host, xs, 0)) },
		"copy":     func() { s.Exec(copies) },
		"sync":     func() { _ = s.Sync() },
	} {
		t.Run(name, func(t *testing.T) { require.Zero(t, testing.AllocsPerRun(50, do)) })
	}
	require.NoError(t, s.Sync())
}
