package machine

import (
	"context"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

var little = Effort{Elements: 1 << 14, Sample: 100 * time.Microsecond, Repeats: 2}

func TestCeilingsAreMeasured(t *testing.T) {
	for _, workers := range []int{1, 2} {
		c, err := Measure(t.Context(), workers, little)
		require.NoError(t, err)
		require.Equal(t, workers, c.Workers)
		require.NotEmpty(t, c.By)
		// No time is asserted: only that a slow machine of today and a fast one of tomorrow would pass.
		for what, rate := range map[string]float64{"fma": c.FMA, "fma64": c.FMA64, "triad": c.Triad} {
			require.Greater(t, rate, 1e-3, what)
			require.Less(t, rate, 1e7, what)
		}
	}
}

func TestCeilingsRefuse(t *testing.T) {
	_, err := Measure(t.Context(), 0, little)
	require.EqualError(t, err, "machine: ceilings of 0 workers; want at least 1")
	_, err = Measure(t.Context(), 2, Effort{Elements: 1, Sample: 1, Repeats: 1})
	require.ErrorContains(t, err, "machine: 1 elements are too few for a triad of 2 workers; want at least ")
}

func TestCeilingsEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Measure(ctx, 1, little)
	require.ErrorIs(t, err, context.Canceled)
}

func TestBestKeepsTheGreaterOfEach(t *testing.T) {
	a := Ceilings{Workers: 2, FMA: 3, FMA64: 1, Triad: 5, By: "a"}
	b := Ceilings{Workers: 2, FMA: 2, FMA64: 4, Triad: 6, By: "b"}
	want := Ceilings{Workers: 2, FMA: 3, FMA64: 4, Triad: 6, By: "a"}
	require.Equal(t, want, a.Best(b))
	require.Equal(t, want, b.Best(a))
}

func TestLoopsInGo(t *testing.T) {
	l := portable[float32]()
	l.MultiplyAdds(10)
	x, y, dst := []float32{1, 2, 3}, []float32{1000, 2000, 3000}, make([]float32, 3)
	l.Triad(unsafe.Pointer(&dst[0]), unsafe.Pointer(&x[0]), unsafe.Pointer(&y[0]), 3)
	require.InDeltaSlice(t, []float32{1000, 2000, 3000}, dst, 1e-3)
}

func TestFactsOfThisProcess(t *testing.T) {
	f := Describe()
	require.Equal(t, runtime.Version(), f.Go)
	require.Equal(t, runtime.GOOS+" "+runtime.GOARCH, f.OS+" "+f.Arch)
	require.Positive(t, f.Cores)
	require.NotEmpty(t, f.Processor)
	require.WithinDuration(t, time.Now(), f.Date, time.Minute)
}
