package page_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/machine"
	"github.com/weir-ml/weir/bench/page"
)

// report has two backends with one and two workers, a product, an operation, and steps over B, T and h.
func report() *bench.Report {
	r := &bench.Report{Machine: bench.Machine{
		Facts:    machine.Facts{Processor: "A <fast> processor", Cores: 2, L2: 1536 << 10, Go: "go1.26"},
		Ceilings: []machine.Ceilings{{Workers: 1, FMA: 100, Triad: 10, By: "AVX2"}, {Workers: 2, FMA: 200, Triad: 20, By: "AVX2"}},
	}}
	for _, name := range []string{
		"ops/add/float32/500x100x64", "matmul/float32/500x64x64", "mle/step/B32_T100_d2_h64_L2", "mle/step/B500_T100_d2_h64_L2",
		"mle/step/B500_T50_d2_h64_L2", "mle/step/B32_T100_d2_h256_L2",
	} {
		for _, backend := range []string{"cpu", "simd"} {
			for _, workers := range []int{1, 2} {
				x := bench.Result{Name: name, Backend: backend, Workers: workers, DType: "float32", Flops: 1e6, Ceiling: "fma", CeilingShare: 0.5}
				if !strings.HasPrefix(name, "mle") {
					x.Bytes = 1e5
				}
				ns := 4e6 / float64(workers)
				if backend == "simd" {
					ns /= 10
				}
				x.Samples = [][]float64{{ns}, {ns}, {ns}, {ns}, {ns}}
				x.Summarize()
				r.Results = append(r.Results, x)
			}
		}
	}
	return r
}

func write(t *testing.T, r *bench.Report, c *bench.Comparison) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, page.Write(&out, r, c))
	return out.String()
}

func TestPageHasChartsBarsAndFacts(t *testing.T) {
	text := write(t, report(), nil)
	for _, want := range []string{
		"A &lt;fast&gt; processor", "1.5 MiB", "200 GFLOP/s float32, 0 float64 (AVX2); 20.0 GB/s",
		"<h3>Roofline</h3>", "<h3>Training step over B</h3>", "<h3>Training step over T</h3>", "<h3>Training step over h</h3>", "<h3>Speed over workers</h3>",
		"simd×2", "<b>×20.0</b>", "matmul/float32/500x64x64 on simd×2: 5 GFLOP/s, 0.5 GB/s", "width:5.00%", "width:100.00%",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "NaN")
	require.NotContains(t, text, "ZgotmplZ", "the template has refused a value")
}

func TestPageNeedsNothingBesideIt(t *testing.T) {
	text := write(t, report(), nil)
	require.NotRegexp(t, regexp.MustCompile(`(?i)<(script|link|img|iframe|object)|src=|href=|url\(|@import|https?:`), text)
}

func TestDrawingsAreWellFormed(t *testing.T) {
	drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(write(t, report(), nil), -1)
	require.Len(t, drawings, 5)
	for _, drawing := range drawings {
		require.Contains(t, drawing, `role="img" aria-label="`)
		d := xml.NewDecoder(strings.NewReader(drawing))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, drawing)
		}
	}
}

// Every mark is within the frame.
func TestMarksAreInTheirFrames(t *testing.T) {
	found := regexp.MustCompile(`class="mark s\d" d="M([\d.-]+) ([\d.-]+)`).FindAllStringSubmatch(write(t, report(), nil), -1)
	require.Len(t, found, 8+3*2*4+4)
	for _, m := range found {
		var x, y float64
		_, err := fmt.Sscan(m[1], &x)
		require.NoError(t, err)
		_, err = fmt.Sscan(m[2], &y)
		require.NoError(t, err)
		require.True(t, x > 40 && x < 420 && y > 0 && y < 260, "%v %v", x, y)
	}
}

func TestPageTellsOfRefusalsAndDifferences(t *testing.T) {
	r, before := report(), report()
	r.Refused = []bench.Refusal{{Name: "ops/exp", Backend: "mine", Why: "wrong: <b>"}}
	same := write(t, r, bench.Compare(r, before))
	require.Contains(t, same, "bench: ops/exp on mine: wrong: &lt;b&gt;")
	require.Contains(t, same, "No difference: none of 24 exceeds the noise")
	for i := range before.Results[0].Samples {
		before.Results[0].Samples[i][0] *= 2
	}
	before.Results[0].Summarize()
	require.Regexp(t, `1 of 24 differ by more than the noise(?s:.*)<td>ops/add/float32/500x100x64<td>cpu×1<td>8.00 ms<td>4.00 ms<td>×2.00`,
		write(t, r, bench.Compare(r, before)))
}

func TestPageOfOneResult(t *testing.T) {
	x := bench.Result{Name: "alone", Backend: "mine", Workers: 1, Samples: [][]float64{{5}}}
	x.Summarize()
	text := write(t, &bench.Report{Results: []bench.Result{x}}, nil)
	require.Contains(t, text, "5.00 ns")
	require.NotContains(t, text, "<svg")
	require.NotContains(t, text, "NaN")
}
