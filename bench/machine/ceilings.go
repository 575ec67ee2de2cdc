package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"
	"unsafe"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
	"github.com/weir-ml/weir/backend/simd"
)

// Ceilings are what so many workers reach together.
type Ceilings struct {
	Workers int     `json:"workers"`
	FMA     float64 `json:"fma_gflops"`         // GFLOP/s of float32 multiply-adds, each counted as two
	FMA64   float64 `json:"fma_float64_gflops"` // the same of float64
	Triad   float64 `json:"triad_gbps"`         // GB/s of a[i] = b[i] + s·c[i] on float32 arrays in memory; 12 bytes an element
	By      string  `json:"by"`                 // the instruction set that was the fastest at float32 multiply-adds
}

// Best returns the greater of each.
func (c Ceilings) Best(d Ceilings) Ceilings {
	if d.FMA > c.FMA {
		c.FMA, c.By = d.FMA, d.By
	}
	c.Workers, c.FMA64, c.Triad = d.Workers, max(c.FMA64, d.FMA64), max(c.Triad, d.Triad)
	return c
}

// Effort is how thoroughly ceilings are measured. The zero value takes a second and 768 MiB.
type Effort struct {
	Elements int           // of each of the triad's three arrays; 0 is 2²⁶, more than caches hold
	Sample   time.Duration // of multiply-adds; 0 is 4 ms, short enough to fall between what others do
	Repeats  int           // the best of which counts; 0 is 8
}

func (e Effort) withDefaults() Effort {
	e.Elements = cmp.Or(e.Elements, 1<<26)
	e.Sample = cmp.Or(e.Sample, 4*time.Millisecond)
	e.Repeats = cmp.Or(e.Repeats, 8)
	return e
}

// Measure measures the ceilings of so many workers, each on a thread of its own that starts with the others; their work is divided by the time
// of the slowest. Loops are those of package simd or, on machines for which it has none, of Go. It ends early with the context's error.
func Measure(ctx context.Context, workers int, e Effort) (Ceilings, error) {
	if workers < 1 {
		return Ceilings{}, fmt.Errorf("machine: ceilings of %d workers; want at least 1", workers)
	}
	e = e.withDefaults()
	c := Ceilings{Workers: workers}
	for _, d := range []backend.DType{backend.Float32, backend.Float64} {
		for _, l := range loops(d) {
			rate, err := multiplyAdds(ctx, l, workers, e)
			if err != nil {
				return c, err
			}
			found := Ceilings{Workers: workers, FMA: rate, By: l.Name}
			if d == backend.Float64 {
				found = Ceilings{Workers: workers, FMA64: rate}
			}
			c = c.Best(found)
		}
	}
	var err error
	c.Triad, err = triad(ctx, workers, e)
	return c, err
}

// loops returns those of package simd, or else Go's.
func loops(d backend.DType) []simd.Ceiling {
	if found := simd.Ceilings(d); len(found) > 0 {
		return found
	}
	if d == backend.Float64 {
		return []simd.Ceiling{portable[float64]()}
	}
	return []simd.Ceiling{portable[float32]()}
}

// best returns the best rate of several repeats, in units of 10⁹ a second. share does one worker's part and returns how much that was.
func best(ctx context.Context, workers, repeats int, share func(worker int) float64) (float64, error) {
	most := 0.0
	for range repeats {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		most = max(most, together(workers, share)/1e9)
	}
	return most, nil
}

// together returns what workers that start at once do in a second.
func together(workers int, share func(worker int) float64) float64 {
	var ready, finished sync.WaitGroup
	start := make(chan struct{})
	done, took := make([]float64, workers), make([]time.Duration, workers)
	ready.Add(workers)
	for w := range workers {
		finished.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-start
			began := time.Now()
			done[w] = share(w)
			took[w] = time.Since(began)
		})
	}
	ready.Wait()
	close(start)
	finished.Wait()
	total, slowest := 0.0, time.Duration(1)
	for w := range workers {
		total, slowest = total+done[w], max(slowest, took[w])
	}
	return total / slowest.Seconds()
}

// multiplyAdds returns GFLOP/s.
func multiplyAdds(ctx context.Context, l simd.Ceiling, workers int, e Effort) (float64, error) {
	const rounds = 4096 // in one call: some 10 µs
	return best(ctx, workers, e.Repeats, func(int) float64 {
		calls := 0
		for began := time.Now(); calls == 0 || time.Since(began) < e.Sample; calls++ {
			l.MultiplyAdds(rounds)
		}
		return l.Flops * rounds * float64(calls)
	})
}

// bytesOfTriad are what an element of a float32 triad moves, as STREAM counts: two reads and a write.
const bytesOfTriad = 12

// triad returns GB/s.
func triad(ctx context.Context, workers int, e Effort) (rate float64, err error) {
	loops := loops(backend.Float32)
	l := loops[0] // memory is as fast by any instructions, but AVX-512 with its fewer ones is behind in no case
	if len(loops) > 1 {
		l = loops[len(loops)-1]
	}
	share := e.Elements / workers / l.Grain * l.Grain
	if share == 0 {
		return 0, fmt.Errorf("machine: %d elements are too few for a triad of %d workers; want at least %d", e.Elements, workers, workers*l.Grain)
	}
	arrays, free, err := threeArrays(4 * share * workers)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, free()) }()
	const call = 1 << 13 // elements: some 10 µs
	return best(ctx, workers, e.Repeats, func(w int) float64 {
		at := func(array, i int) unsafe.Pointer { return unsafe.Pointer(&arrays[array][4*(w*share+i)]) }
		for i := 0; i < share; i += call {
			l.Triad(at(0, i), at(1, i), at(2, i), min(call, share-i))
		}
		return bytesOfTriad * float64(share)
	})
}

// threeArrays returns memory as backends have it, every page of it written: what was never written is one page of zeros, which stays in a cache.
func threeArrays(size int) (arrays [3][]byte, free func() error, err error) {
	dev, err := cpu.NewDevice("ceilings", backend.Options{}, cpu.Kernels{})
	if err != nil {
		return arrays, nil, fmt.Errorf("machine: %w", err)
	}
	var buffers []*backend.Buffer
	free = func() error {
		for _, b := range buffers {
			dev.Free(b)
		}
		return dev.Close()
	}
	for i := range arrays {
		buf, err := dev.Alloc(size)
		if err != nil {
			return arrays, nil, errors.Join(fmt.Errorf("machine: memory for a triad: %w", err), free())
		}
		buffers, arrays[i] = append(buffers, buf), buf.Host
		for at := 3; at < size; at += 4 {
			buf.Host[at] = 0x3f // 0.5 in float32
		}
	}
	return arrays, free, nil
}
