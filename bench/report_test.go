package bench_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/machine"
)

// small is a report of two backends.
func small() *bench.Report {
	r := &bench.Report{Machine: bench.Machine{
		Facts: machine.Facts{
			Date: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), Processor: "A processor", Cores: 2, L1: 48 << 10, OS: "linux", Arch: "amd64", Go: "go1.26",
		},
		FMA: 200, Triad: 20, Ceilings: []machine.Ceilings{{Workers: 2, FMA: 200, FMA64: 100, Triad: 20, By: "AVX-512"}},
	}}
	for _, x := range []bench.Result{
		{Name: "ops/exp/float32/500x100x64", Backend: "cpu", Samples: [][]float64{{1.2e6, 1e6}, {1.1e6}}, Bytes: 12.8e6, Ceiling: "triad", CeilingShare: 0.58},
		{Name: "ops/exp/float32/500x100x64", Backend: "simd", Samples: [][]float64{{1e5}}, Bytes: 12.8e6, Ceiling: "triad", CeilingShare: 6.4},
		{Name: "mle/step/B500_T100_d2_h64_L2", Backend: "simd", Samples: [][]float64{{2e7}}, Flops: 2.4e9, Ceiling: "fma", CeilingShare: 0.6, Allocs: 1},
	} {
		x.Workers, x.DType, x.Executions = 2, "float32", 3
		x.Summarize()
		r.Results = append(r.Results, x)
	}
	r.Refused = []bench.Refusal{{Name: "ops/log/float32/500x100x64", Backend: "cpu", Workers: 2, Why: "wrong: it is not so"}}
	return r
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, small().WriteTable(&out, nil))
	require.Equal(t, strings.TrimPrefix(`
A processor; 2 cores; go1.26, linux/amd64; 2026-11-23
ceilings of 2 workers: 200 GFLOP/s in float32, 100 in float64 (AVX-512), 20.0 GB/s

                                cpu   ±       rate  share     simd  ±         rate  share  to cpu
ops
  exp/float32/500x100x64    1.10 ms  9%  11.6 GB/s    58%   100 µs        128 GB/s   640%   ×11.0
mle
  step/B500_T100_d2_h64_L2        –                        20.0 ms     120 GFLOP/s    60%

bench: ops/log/float32/500x100x64 on cpu: wrong: it is not so
`, "\n"), out.String())
}

func TestGoFormatIsABenchmarks(t *testing.T) {
	var out bytes.Buffer
	r := small()
	r.Add(&bench.Report{Results: []bench.Result{{Name: "mle/step/B500_T100_d2_h64_L2", Backend: "PyTorch compiled", Workers: 2, Median: 4e7, Min: 4e7}}})
	require.NoError(t, r.WriteGo(&out))
	require.Equal(t, strings.TrimPrefix(`
goos: linux
goarch: amd64
pkg: github.com/weir-ml/weir/bench
cpu: A processor
BenchmarkWeir/ops/exp/float32/500x100x64/backend=cpu/workers=2	3	1.2e+06 ns/op	10667 MB/s	0 B/op	0 allocs/op
BenchmarkWeir/ops/exp/float32/500x100x64/backend=cpu/workers=2	3	1e+06 ns/op	12800 MB/s	0 B/op	0 allocs/op
BenchmarkWeir/ops/exp/float32/500x100x64/backend=cpu/workers=2	3	1.1e+06 ns/op	11636 MB/s	0 B/op	0 allocs/op
BenchmarkWeir/ops/exp/float32/500x100x64/backend=simd/workers=2	3	100000 ns/op	1.28e+05 MB/s	0 B/op	0 allocs/op
BenchmarkWeir/mle/step/B500_T100_d2_h64_L2/backend=simd/workers=2	3	2e+07 ns/op	120 GFLOP/s	0 B/op	1 allocs/op
BenchmarkWeir/mle/step/B500_T100_d2_h64_L2/backend=PyTorch_compiled/workers=2	1	4e+07 ns/op	60 GFLOP/s	0 B/op	0 allocs/op
`, "\n"), out.String())
}

func TestJSONGivesTheReportBack(t *testing.T) {
	var out bytes.Buffer
	want := small()
	require.NoError(t, want.WriteJSON(&out))
	for _, key := range []string{
		"machine", "fma_gflops", "triad_gbps", "results", "name", "backend", "dtype", "median_ns", "min_ns", "allocs", "gflops", "gbps", "ceiling_share", "spread",
	} {
		require.Contains(t, out.String(), `"`+key+`": `)
	}
	got, err := bench.ReadJSON(&out)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "bench: not a report of weir bench: EOF",
		"[1]":              "bench: not a report of weir bench: json: cannot unmarshal array into Go value of type bench.Report",
		"{}":               "bench: the report has no results",
		`{"results":[{}]}`: `bench: result 0 has name "", backend "" and a median of 0 ns; want all of them`,
		`{"results":[{"name":"a","backend":"b","median_ns":-1}]}`: `bench: result 0 has name "a", backend "b" and a median of -1 ns; want all of them`,
	} {
		_, err := bench.ReadJSON(strings.NewReader(text))
		require.EqualError(t, err, want, text)
	}
}

func TestPeersAreHeldToOurCeilingsOnOurMachine(t *testing.T) {
	for _, c := range []struct {
		processor string
		share     float64
	}{{"A processor", 0.3}, {"another", 0}} {
		r := small()
		peers, err := bench.ReadJSON(strings.NewReader(
			`{"machine": {"processor": "` + c.processor + `"}, "results": [
				{"name": "mle/step/B500_T100_d2_h64_L2", "backend": "torch", "workers": 2, "dtype": "float32", "median_ns": 4e7},
				{"name": "theirs/alone", "backend": "torch", "workers": 1, "median_ns": 5}]}`))
		require.NoError(t, err)
		r.Add(peers)
		torch := find(t, r, "mle/step/B500_T100_d2_h64_L2", "torch")
		require.Equal(t, 60.0, torch.GFLOPS)
		require.InDelta(t, c.share, torch.CeilingShare, 1e-9)
		require.Equal(t, 4e7, torch.Min)
		require.Equal(t, []string{"cpu×2", "simd×2", "torch×2", "torch×1"}, r.Columns())
	}
}

func TestOnlyTheWrongIsWrong(t *testing.T) {
	r := small()
	require.True(t, r.Wrong())
	r.Refused[0].Why = "too slow: an execution would take some 5.00 s; the limit is 3s"
	require.False(t, r.Wrong())
}
