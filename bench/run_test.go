package bench_test

import (
	"bytes"
	"context"
	"math"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/machine"
)

// quick are options of a run that takes a moment.
func quick(suites ...string) bench.Options {
	return bench.Options{
		Suites: suites, Size: bench.Small, Budget: 500 * time.Microsecond,
		Ceilings: machine.Effort{Elements: 1 << 14, Sample: 50 * time.Microsecond, Repeats: 1},
	}
}

func open(t testing.TB, name string, workers int) backend.Device {
	t.Helper()
	dev, err := backend.Open(name, backend.Options{Workers: workers})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dev.Close()) })
	return dev
}

func run(t testing.TB, o bench.Options, devices ...backend.Device) *bench.Report {
	t.Helper()
	r, err := bench.Run(t.Context(), devices, o)
	require.NoError(t, err)
	return r
}

func find(t testing.TB, r *bench.Report, name, on string) *bench.Result {
	t.Helper()
	for i := range r.Results {
		if x := &r.Results[i]; x.Name == name && x.Backend == on {
			return x
		}
	}
	require.Fail(t, "no result", "%s on %s", name, on)
	return nil
}

func TestEverySuiteMeasuresEveryBackend(t *testing.T) {
	devices := []backend.Device{open(t, "cpu", 1)}
	if d, ok := backend.Lookup("simd"); ok && d.Available() == nil {
		devices = append(devices, open(t, "simd", 2))
	}
	r := run(t, quick(), devices...)
	require.Empty(t, r.Refused)
	require.Len(t, r.Results, len(r.Names())*len(devices))
	for i := range r.Results {
		x := &r.Results[i]
		require.Positive(t, x.Min, x.Name)
		require.GreaterOrEqual(t, x.Median, x.Min, x.Name)
		require.GreaterOrEqual(t, x.Spread, 0.0, x.Name)
		require.Len(t, x.Samples, 5, x.Name)
		require.Positive(t, x.Executions, x.Name)
		require.Equal(t, x.Flops/x.Median, x.GFLOPS, x.Name)
		require.Equal(t, x.Bytes/x.Median, x.GBPS, x.Name)
		require.Equal(t, x.Flops > 0 || x.Bytes > 0, x.CeilingShare > 0, x.Name)
	}
	for _, suite := range bench.Suites() {
		require.True(t, slices.ContainsFunc(r.Names(), func(name string) bool { return strings.HasPrefix(name, suite+"/") }), suite)
	}
	for _, op := range backend.MapOps() {
		require.True(t, slices.ContainsFunc(r.Names(), func(name string) bool { return strings.HasPrefix(name, "ops/"+op.String()+"/") }), "%v", op)
	}
	require.Positive(t, r.Machine.FMA)
	require.Positive(t, r.Machine.Triad)
}

func TestOperationsOfEveryFloatTypeAreRight(t *testing.T) {
	o := quick("ops", "matmul", "random")
	o.DTypes = []backend.DType{backend.Float64, backend.Float16, backend.BFloat16}
	o.Passes = 1
	r := run(t, o, open(t, "cpu", 1))
	require.Empty(t, r.Refused)
	require.Positive(t, find(t, r, "matmul/bfloat16/50x64x64", "cpu").Median)
}

func TestReplayedStepsDoNotAllocate(t *testing.T) {
	o := quick("mle", "ops")
	o.Filter = regexp.MustCompile("^mle/|^ops/add/")
	r := run(t, o, open(t, "cpu", 1))
	for i := range r.Results {
		require.Zero(t, r.Results[i].Allocs, r.Results[i].Name)
	}
}

// wrong is a device that adds to the last element of whatever an operation writes.
type wrong struct {
	backend.Device
	op backend.Op
}

func (w wrong) Name() string { return "wrong" }

func (w wrong) NewStream() (backend.Stream, error) {
	s, err := w.Device.NewStream()
	return wrongStream{s, w.op}, err
}

// Supports leaves loops to be decomposed, so that their commands are seen.
func (w wrong) Supports(c *backend.Cmd) bool { return c.Op != backend.Repeat && w.Device.Supports(c) }

type wrongStream struct {
	backend.Stream
	op backend.Op
}

func (s wrongStream) Exec(cmds []backend.Cmd) {
	s.Stream.Exec(cmds)
	for i := range cmds {
		dst := &cmds[i].Dst[0]
		if cmds[i].Op != s.op || dst.DType != backend.Float32 || dst.Len() == 0 {
			continue
		}
		last := dst.Offset
		for a := range dst.Rank {
			last += (dst.Dims[a] - 1) * dst.Strides[a]
		}
		*(*float32)(unsafe.Pointer(&dst.Buf.Host[4*last])) += 0.125
	}
}

func TestAWrongBackendIsRefusedAndNotTimed(t *testing.T) {
	for _, c := range []struct {
		op         backend.Op
		name, want string
	}{
		{backend.Map, "ops/exp/float32/5x10x64", `^bench: ops/exp/float32/5x10x64 on wrong: wrong: .* destination 0\[\d+ \d+ \d+\]: got .*, want .* ulp off; .* 1 of \d+ elements are wrong$`},
		{backend.MatMul, "matmul/float32/50x64x64", `^bench: matmul/float32/50x64x64 on wrong: wrong: .* got .*, want .*: .* ulp off`},
		{backend.Reduce, "ops/sum_columns/float32/50x64", `^bench: ops/sum_columns/float32/50x64 on wrong: wrong: `},
		{backend.Random, "random/normal/float32/8192", `^bench: random/normal/float32/8192 on wrong: wrong: `},
		{backend.MatMul, "mle/step/B4_T5_d2_h16_L1", `^bench: mle/step/B4_T5_d2_h16_L1 on wrong: wrong: element \d+ of the loss is .*, want .* to 5e-05 of the greatest$`},
		{backend.MatMul, "sample/B8_T5_d2_h16_L1", `^bench: sample/B8_T5_d2_h16_L1 on wrong: wrong: element \d+ of a sample is`},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := quick()
			o.Filter = regexp.MustCompile("^" + regexp.QuoteMeta(c.name) + "$")
			r := run(t, o, wrong{open(t, "cpu", 1), c.op}, open(t, "cpu", 1))
			require.Len(t, r.Refused, 1)
			require.Regexp(t, c.want, r.Refused[0].String())
			require.Len(t, r.Results, 1)
			require.Equal(t, "cpu", r.Results[0].Backend)
			var table bytes.Buffer
			require.NoError(t, r.WriteTable(&table, nil))
			require.Contains(t, table.String(), r.Refused[0].String())
		})
	}
}

// slow is a device whose commands take a while.
type slow struct{ backend.Device }

func (s slow) NewStream() (backend.Stream, error) {
	stream, err := s.Device.NewStream()
	return slowStream{stream}, err
}

type slowStream struct{ backend.Stream }

func (s slowStream) Exec(cmds []backend.Cmd) {
	time.Sleep(2 * time.Millisecond)
	s.Stream.Exec(cmds)
}

func TestWhatWouldTakeTooLongIsRefused(t *testing.T) {
	o := quick("matmul")
	o.Limit = time.Microsecond
	r := run(t, o, slow{open(t, "cpu", 1)})
	require.Len(t, r.Results, 1, "the first is not foreseen")
	require.NotEmpty(t, r.Refused)
	require.Regexp(t, `^bench: matmul/\S+ on cpu: too slow: an execution would take some \S+ ms; the limit is 1µs$`, r.Refused[0].String())
}

func TestAnInterruptedRunReportsWhatItHas(t *testing.T) {
	o := quick("ops", "mle")
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(done, of int, name string) {
		require.Less(t, done, of)
		require.NotEmpty(t, name)
		if done == 7 {
			cancel()
		}
	}
	r, err := bench.Run(ctx, []backend.Device{open(t, "cpu", 1)}, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, r.Results, 7)
	require.Empty(t, r.Refused)
}

func TestRunRefusesWhatCannotBeMeant(t *testing.T) {
	cpu := open(t, "cpu", 1)
	for _, c := range []struct {
		devices []backend.Device
		o       bench.Options
		want    string
	}{
		{nil, quick(), `bench: no devices; open one, like backend.Open("cpu", backend.Options{})`},
		{[]backend.Device{cpu, cpu}, quick(), "bench: two devices are cpu with 1 workers; want different names or workers"},
		{[]backend.Device{cpu}, bench.Options{Precision: "half"}, `bench: no precision "half"; want tf32, 3xtf32 or, for exact products, none`},
		{[]backend.Device{cpu}, quick("speed"), `bench: no suite "speed"; want some of ops, matmul, memory, random, mle, sample`},
		{[]backend.Device{cpu}, bench.Options{DTypes: []backend.DType{backend.Int32}}, "bench: suites in int32; want float types"},
		{[]backend.Device{cpu}, bench.Options{Budget: -1}, "bench: a budget of -1ns, 0 passes and a limit of 0s; want 0, for the default, or more"},
		{
			[]backend.Device{cpu}, bench.Options{Suites: []string{"ops"}, Filter: regexp.MustCompile("nothing")},
			"bench: no case of the suites ops matches nothing; see bench.Suites",
		},
	} {
		_, err := bench.Run(t.Context(), c.devices, c.o)
		require.EqualError(t, err, c.want)
	}
}

func TestNoDeviceMemoryIsLeft(t *testing.T) {
	m := &counting{Device: open(t, "cpu", 1)}
	run(t, quick("ops", "mle", "sample"), m)
	runtime.GC()
	require.Zero(t, m.lent)
}

// counting counts the blocks that a device has lent.
type counting struct {
	backend.Device
	lent int
}

func (c *counting) Alloc(size int) (*backend.Buffer, error) {
	c.lent++
	return c.Device.Alloc(size)
}

func (c *counting) Free(b *backend.Buffer) {
	c.lent--
	c.Device.Free(b)
}

func TestSizesOfSteps(t *testing.T) {
	z := bench.StepSize{Batch: 500, Steps: 100, Dim: 2, Hidden: 64, Layers: 2}
	require.Equal(t, "B500_T100_d2_h64_L2", z.String())
	require.Equal(t, 2*3*2*64*64*50000.0, z.Flops())
	require.Equal(t, 3*64*50000.0, z.GELUs())
	require.InDelta(t, z.Flops(), 3*z.ForwardFlops(), 1e-3)
	z.LearnMean = true
	require.Equal(t, "B500_T100_d2_h64_L2_pb_mean", z.String())
	require.Equal(t, 2*2*3*2*64*64*50000.0, z.Flops())
	wide := bench.StepSize{Batch: 1, Steps: 1, Dim: 32, Hidden: 256, Layers: 4, LearnMean: true}
	macs := 2*(3*(64*256+3*256*256+256*32)+2*32*64) + 2*32*64
	require.Equal(t, 2*float64(macs), wide.Flops())
	require.False(t, math.IsNaN(wide.GELUs()))
}
