package bench

import (
	"bufio"
	"fmt"
	"io"
)

// WriteGo writes the report in the format of Go's benchmarks, a line for each sample, so that benchstat compares two of them:
//
//	benchstat -col /backend new.txt
//	benchstat old.txt new.txt
//
// Its error is that of w.
func (r *Report) WriteGo(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "goos: %s\ngoarch: %s\npkg: github.com/weir-ml/weir/bench\ncpu: %s\n", r.Machine.OS, r.Machine.Arch, r.Machine.Processor)
	for i := range r.Results {
		x := &r.Results[i]
		samples := x.Samples
		if len(samples) == 0 { // of a peer that reports no more
			samples = [][]float64{{x.Median}}
		}
		for _, pass := range samples {
			for _, ns := range pass {
				writeSample(out, x, ns)
			}
		}
	}
	return out.Flush()
}

func writeSample(w io.Writer, x *Result, ns float64) {
	fmt.Fprintf(w, "BenchmarkWeir/%s/backend=%s/workers=%d\t%d\t%.6g ns/op", x.Name, goName(x.Backend), x.Workers, max(1, x.Executions), ns)
	if x.Flops > 0 {
		fmt.Fprintf(w, "\t%.4g GFLOP/s", x.Flops/ns)
	}
	if x.Bytes > 0 {
		fmt.Fprintf(w, "\t%.5g MB/s", 1e3*x.Bytes/ns)
	}
	fmt.Fprintf(w, "\t%.0f B/op\t%.0f allocs/op\n", x.AllocBytes, x.Allocs)
}

// goName returns a name as package testing would write it: without spaces.
func goName(name string) string {
	runes := []rune(name)
	for i, c := range runes {
		if c == ' ' || c == '\t' {
			runes[i] = '_'
		}
	}
	return string(runes)
}
