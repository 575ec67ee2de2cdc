package cpu

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
)

type counting struct {
	seen    []atomic.Int32
	workers atomic.Uint64
}

func (c *counting) do(worker, chunk int) {
	c.seen[chunk].Add(1)
	c.workers.Or(1 << worker)
}

func TestJobRunsEveryChunkOnce(t *testing.T) {
	j := newJob()
	for _, workers := range []int{1, 2, 3, 8} {
		for _, chunks := range []int{0, 1, 2, 100} {
			for range 50 {
				c := &counting{seen: make([]atomic.Int32, chunks)}
				require.NoError(t, j.run(c, chunks, workers))
				for i := range c.seen {
					require.EqualValues(t, 1, c.seen[i].Load())
				}
				require.Less(t, c.workers.Load(), uint64(1)<<workers)
			}
		}
	}
}

type panicking struct{}

func (panicking) do(_, chunk int) {
	if chunk == 5 {
		panic("chunk 5")
	}
}

func TestPanicInAWorkerBecomesTheError(t *testing.T) {
	j := newJob()
	for _, workers := range []int{1, 4} {
		require.EqualError(t, j.run(panicking{}, 100, workers), "internal error: chunk 5")
		c := &counting{seen: make([]atomic.Int32, 10)}
		require.NoError(t, j.run(c, 10, workers), "the job is of use after a panic")
	}
}

func TestStreamsShareThePool(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		r := newRig(t, 4)
		v, dst := r.random(backend.Float32, 300, 100), r.empty(backend.Float32, 1, 1)
		cmds := []backend.Cmd{{Op: backend.Reduce, Dst: []backend.View{dst}, Src: []backend.View{v}}}
		r.s.Exec(cmds)
		want := get(&dst, 0)
		wg.Go(func() {
			for range 200 {
				r.s.Exec(cmds)
				if get(&dst, 0) != want {
					t.Error("another sum under load")
				}
			}
		})
	}
	wg.Wait()
}

func TestRunningAJobAllocatesNothing(t *testing.T) {
	j, c := newJob(), &counting{seen: make([]atomic.Int32, 64)}
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = j.run(c, 64, 3) }))
}

func BenchmarkJob(b *testing.B) {
	j, c := newJob(), &counting{seen: make([]atomic.Int32, 64)}
	for b.Loop() {
		_ = j.run(c, 64, 2)
	}
}
