package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/bench/machine"
)

// Report is what a run found, as it stands in JSON.
type Report struct {
	Machine   Machine   `json:"machine"`
	Precision string    `json:"precision,omitempty"` // of products in float32, if they are not exact
	MatMul    string    `json:"matmul,omitempty"`    // the library of matrix products, if they are not by the backends' own kernels
	Results   []Result  `json:"results"`             // case by case, each on one backend after the other
	Refused   []Refusal `json:"refused,omitempty"`
}

// Machine is what a report holds for. FMA and Triad are those of the most workers in it.
type Machine struct {
	machine.Facts
	FMA      float64            `json:"fma_gflops"`
	Triad    float64            `json:"triad_gbps"`
	Ceilings []machine.Ceilings `json:"ceilings,omitempty"` // by number of workers
}

// Result is how fast a case is on one backend with so many workers. Rates are of the median; what was not measured is 0.
type Result struct {
	Name    string `json:"name"` // like ops/exp/float32/500x100x64
	Backend string `json:"backend"`
	Workers int    `json:"workers"`
	DType   string `json:"dtype"`

	Median     float64     `json:"median_ns"`            // of an execution
	Min        float64     `json:"min_ns"`               // of an execution
	Spread     float64     `json:"spread"`               // the interquartile range over the median
	Samples    [][]float64 `json:"samples_ns,omitempty"` // by pass; each is the mean of so many executions:
	Executions int         `json:"executions,omitempty"`

	Allocs     float64 `json:"allocs"`      // on the Go heap, of an execution
	AllocBytes float64 `json:"alloc_bytes"` // the same in bytes

	Flops  float64 `json:"flops,omitempty"`  // of an execution
	Bytes  float64 `json:"bytes,omitempty"`  // that it has to move
	GFLOPS float64 `json:"gflops,omitempty"` // 10⁹ flops a second
	GBPS   float64 `json:"gbps,omitempty"`   // 10⁹ bytes a second

	Ceiling      string  `json:"ceiling,omitempty"`       // what the rate is held to: fma, its GFLOP/s, or triad, its GB/s
	CeilingShare float64 `json:"ceiling_share,omitempty"` // the rate over the ceiling of as many workers
}

// Refusal is a case that was not timed on a backend.
type Refusal struct {
	Name    string `json:"name"`
	Backend string `json:"backend"`
	Workers int    `json:"workers"`
	Why     string `json:"why"`
}

// String returns the refusal in one line: bench: ops/exp/float32/500x100x64 on mine: wrong: …
func (r Refusal) String() string { return fmt.Sprintf("bench: %s on %s: %s", r.Name, r.Backend, r.Why) }

// tooSlow is how the reason begins of what was not even tried.
const tooSlow = "too slow"

// Wrong reports whether a case is refused because its results were wrong or it failed, not only because it would have taken too long.
func (r *Report) Wrong() bool {
	return slices.ContainsFunc(r.Refused, func(x Refusal) bool { return !strings.HasPrefix(x.Why, tooSlow) })
}

// report makes a report of what was measured so far.
func (r *runner) report() *Report {
	rep := &Report{Machine: Machine{Facts: r.facts, Ceilings: r.ceilings}, Precision: r.Precision, MatMul: r.MatMul, Refused: r.refused}
	most := 0
	for _, c := range r.ceilings {
		if c.Workers > most {
			most, rep.Machine.FMA, rep.Machine.Triad = c.Workers, c.FMA, c.Triad
		}
	}
	for i := range r.cases {
		for k, t := range r.targets {
			if x := r.row(i, k); !x.refused && len(x.samples) > 0 {
				rep.Results = append(rep.Results, r.result(&r.cases[i], t, x))
			}
		}
	}
	return rep
}

func (r *runner) result(c *benchCase, t *target, x *row) Result {
	res := Result{
		Name: c.name, Backend: t.name, Workers: t.workers, DType: c.dtype.String(), Samples: x.samples, Executions: x.executions,
		Allocs: x.allocs, AllocBytes: x.allocBytes, Flops: c.flops, Bytes: c.bytes,
	}
	if res.Ceiling = "triad"; c.isFMA {
		res.Ceiling = "fma"
	}
	res.Summarize()
	if t.host {
		res.share(r.ceilings)
	}
	return res
}

// Summarize computes the median, the least, the spread and the rates from the samples, of which there is at least one, and flops and bytes.
func (r *Result) Summarize() {
	all := slices.Concat(r.Samples...)
	slices.Sort(all)
	r.Median, r.Min = quantile(all, 0.5), all[0]
	r.Spread = (quantile(all, 0.75) - quantile(all, 0.25)) / r.Median
	r.rate()
}

func (r *Result) rate() {
	r.GFLOPS, r.GBPS = r.Flops/r.Median, r.Bytes/r.Median
}

// share compares with the ceilings of as many workers.
func (r *Result) share(ceilings []machine.Ceilings) {
	for _, c := range ceilings {
		if c.Workers != r.Workers {
			continue
		}
		peak := c.FMA
		if r.DType == backend.Float64.String() {
			peak = c.FMA64
		}
		if r.CeilingShare = r.GBPS / c.Triad; r.Ceiling == "fma" {
			r.CeilingShare = r.GFLOPS / peak
		}
		return
	}
}

// quantile returns the q-quantile of sorted numbers, interpolated.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 == len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// WriteJSON writes the report. Its error is that of w.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// ReadJSON reads a report that WriteJSON or bench/peers/run.py wrote. It wants a name, a backend and a positive median in every result.
// Anything else is an error.
func ReadJSON(in io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return nil, fmt.Errorf("bench: not a report of weir bench: %w", err)
	}
	if len(r.Results) == 0 {
		return nil, fmt.Errorf("bench: the report has no results")
	}
	for i := range r.Results {
		x := &r.Results[i]
		if x.Name == "" || x.Backend == "" || !(x.Median > 0) {
			return nil, fmt.Errorf("bench: result %d has name %q, backend %q and a median of %v ns; want all of them", i, x.Name, x.Backend, x.Median)
		}
		if !(x.Min > 0) {
			x.Min = x.Median
		}
	}
	return &r, nil
}

// Add appends the results of a report on peers. A result whose case this report has takes its flops and bytes, for what a case computes does not
// depend on who computes it; where both machines are the same it is compared with this report's ceilings.
func (r *Report) Add(peers *Report) {
	sameMachine := r.Machine.Processor == peers.Machine.Processor
	for _, x := range peers.Results {
		for i := range r.Results {
			if own := &r.Results[i]; own.Name == x.Name {
				x.Flops, x.Bytes, x.Ceiling = own.Flops, own.Bytes, own.Ceiling
				x.rate()
				if sameMachine {
					x.share(r.Machine.Ceilings)
				}
				break
			}
		}
		r.Results = append(r.Results, x)
	}
}

// column is a backend with so many workers.
type column struct {
	backend string
	workers int
}

// label names a column: simd, or simd×1 with its workers.
func (c column) label(withWorkers bool) string {
	if !withWorkers {
		return c.backend
	}
	return fmt.Sprintf("%s×%d", c.backend, c.workers)
}

// Columns returns a label for every backend and number of workers in the report, in their order: simd or, where one backend has several numbers of
// workers, simd×2. See [Report.Label].
func (r *Report) Columns() []string {
	columns := r.columns()
	labels := make([]string, len(columns))
	for i, c := range columns {
		labels[i] = c.label(r.differInWorkers())
	}
	return labels
}

func (r *Report) columns() []column {
	var columns []column
	for i := range r.Results {
		if c := (column{r.Results[i].Backend, r.Results[i].Workers}); !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

// differInWorkers reports whether workers must be named to tell columns apart.
func (r *Report) differInWorkers() bool {
	first := map[string]int{}
	for i := range r.Results {
		x := &r.Results[i]
		if w, ok := first[x.Backend]; ok && w != x.Workers {
			return true
		}
		first[x.Backend] = x.Workers
	}
	return false
}

// Label returns the column of a result.
func (r *Report) Label(x *Result) string {
	return column{x.Backend, x.Workers}.label(r.differInWorkers())
}

// Names returns the names of the cases, in their order.
func (r *Report) Names() []string {
	var names []string
	seen := map[string]bool{}
	for i := range r.Results {
		if name := r.Results[i].Name; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// byName returns the results of each case by column.
func (r *Report) byName() map[string]map[column]*Result {
	found := map[string]map[column]*Result{}
	for i := range r.Results {
		x := &r.Results[i]
		if found[x.Name] == nil {
			found[x.Name] = map[column]*Result{}
		}
		found[x.Name][column{x.Backend, x.Workers}] = x
	}
	return found
}
