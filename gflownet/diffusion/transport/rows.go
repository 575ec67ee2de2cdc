package transport

import (
	"context"
	"sync"
	"sync/atomic"
)

// eachRow calls a function for each of n rows, on so many goroutines, each of which makes its own. It leaves off when ctx ends, whose error the caller
// asks for.
func eachRow(ctx context.Context, n, workers int, newWorker func() func(i int)) {
	const atATime = 64
	var group sync.WaitGroup
	var taken atomic.Int64
	for range min(workers, (n+atATime-1)/atATime) {
		group.Go(func() {
			do := newWorker()
			for ctx.Err() == nil {
				lo := int(taken.Add(atATime)) - atATime
				for i := lo; i < min(lo+atATime, n); i++ {
					do(i)
				}
				if lo+atATime >= n {
					return
				}
			}
		})
	}
	group.Wait()
}
