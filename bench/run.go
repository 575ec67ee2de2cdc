package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/bench/machine"
)

// Run measures the cases that the options ask for on every device. Devices of one name must differ in workers; they stay the caller's to close.
//
// What a device gets wrong, cannot do or would take too long for is refused, which is in the report and no error. When the context is done, Run ends with
// its error and a report of what was measured so far.
func Run(ctx context.Context, devices []backend.Device, o Options) (*Report, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o = o.WithDefaults()
	targets, err := newTargets(devices)
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		t.rounding = rounding[o.Precision]
	}
	cases := selected(o)
	if len(cases) == 0 {
		return nil, fmt.Errorf("bench: no case of the suites %s matches %v; see bench.Suites", strings.Join(o.Suites, ", "), o.Filter)
	}
	r := &runner{Options: o, targets: targets, cases: cases, rows: map[rowKey]*row{}}
	r.facts = machine.Describe()
	err = r.passes(ctx)
	return r.report(), err
}

// runner is a run under way.
type runner struct {
	Options
	facts    machine.Facts
	targets  []*target
	cases    []benchCase
	rows     map[rowKey]*row
	refused  []Refusal
	ceilings []machine.Ceilings // by number of workers
}

type rowKey struct{ c, target int }

// row is what is known of a case on a device.
type row struct {
	executions int // of a sample
	perPass    int // samples
	samples    [][]float64
	allocs     float64
	allocBytes float64
	refused    bool
}

func (r *runner) passes(ctx context.Context) error {
	for pass := range r.Passes {
		if pass == 0 || pass == r.Passes/2 || pass == r.Passes-1 {
			if err := r.measureCeilings(ctx); err != nil {
				return err
			}
		}
		for i := range r.cases {
			if r.Progress != nil {
				r.Progress(pass*len(r.cases)+i, r.Passes*len(r.cases), r.cases[i].name)
			}
			if err := r.measure(ctx, i, pass); err != nil {
				return err
			}
		}
	}
	return nil
}

// measureCeilings measures those of every number of workers among the devices, and keeps the best so far.
func (r *runner) measureCeilings(ctx context.Context) error {
	for _, t := range r.targets {
		known := slices.IndexFunc(r.ceilings, func(c machine.Ceilings) bool { return c.Workers == t.workers })
		if !t.host || known >= 0 && t != r.first(t.workers) {
			continue
		}
		found, err := machine.Measure(ctx, t.workers, r.Options.Ceilings)
		if err != nil {
			return err
		}
		if known < 0 {
			r.ceilings = append(r.ceilings, found)
			continue
		}
		r.ceilings[known] = r.ceilings[known].Best(found)
	}
	return nil
}

// first returns the first device with so many workers.
func (r *runner) first(workers int) *target {
	for _, t := range r.targets {
		if t.host && t.workers == workers {
			return t
		}
	}
	return nil
}

// ready is a case on a device, opened.
type ready struct {
	*row
	target *target
	execution
}

// measure takes the samples of a case in one pass.
func (r *runner) measure(ctx context.Context, i, pass int) (err error) {
	c := &r.cases[i]
	var open []ready
	defer func() {
		for _, x := range open {
			if closing := x.close(); closing != nil && err == nil {
				r.refuse(x.row, c, x.target, "fails: "+closing.Error())
			}
		}
	}()
	for k, t := range r.targets {
		if err := ctx.Err(); err != nil {
			return err
		}
		x := r.row(i, k)
		if x.refused {
			continue
		}
		e, why := r.prepare(ctx, c, t, x, pass)
		if e != nil {
			open = append(open, ready{x, t, e})
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if why != "" {
			r.refuse(x, c, t, why)
		}
	}
	runtime.GC() // what preparing left behind is not to be collected while a sample is taken
	return r.alternate(ctx, c, open, pass)
}

func (r *runner) row(c, target int) *row {
	key := rowKey{c, target}
	if r.rows[key] == nil {
		r.rows[key] = &row{}
	}
	return r.rows[key]
}

func (r *runner) refuse(x *row, c *benchCase, t *target, why string) {
	x.refused = true
	r.refused = append(r.refused, Refusal{Name: c.name, Backend: t.name, Workers: t.workers, Why: why})
}

// prepare opens a case on a device and, in the first pass, checks it and finds out how many executions make a sample. It returns why the case is
// refused, or "". What was opened is to be closed in either case.
func (r *runner) prepare(ctx context.Context, c *benchCase, t *target, x *row, pass int) (execution, string) {
	if seconds := t.foresee(c); pass == 0 && seconds > r.Limit.Seconds() {
		return nil, fmt.Sprintf(tooSlow+": an execution would take some %s; the limit is %v", formatSeconds(seconds), r.Limit)
	}
	e, err := c.open(ctx, t)
	if err != nil {
		return nil, "fails: " + err.Error()
	}
	if pass == 0 {
		if err := e.check(); err != nil {
			return e, err.Error()
		}
	}
	for range warmUps {
		if err := e.run(1); err != nil {
			return e, "fails: " + err.Error()
		}
	}
	if pass == 0 {
		if err := r.calibrate(c, t, x, e); err != nil {
			return e, "fails: " + err.Error()
		}
	}
	return e, ""
}

// warmUps are executions that do not count: one that records what others replay, and one that finds its memory in the cache.
const warmUps = 2

// calibrate finds how many executions fill a sample's share of the budget, and counts what one of them allocates.
func (r *runner) calibrate(c *benchCase, t *target, x *row, e execution) error {
	share := r.Budget.Seconds() / float64(r.Passes*samplesPerPass)
	n, took := 1, 0.0
	for {
		seconds, err := timed(e, n)
		if err != nil {
			return err
		}
		took = seconds / float64(n)
		if seconds >= share/4 || n >= 1<<24 {
			break
		}
		n = min(max(2*n, int(share/4/max(took, 1e-9))), 100*n)
	}
	x.executions = max(1, int(share/took))
	x.perPass = min(max(1, int(r.Budget.Seconds()/float64(r.Passes)/(took*float64(x.executions))+0.5)), samplesPerPass)
	t.remember(c, took)
	return x.countAllocs(e)
}

// countAllocs counts what executions leave on the Go heap.
func (x *row) countAllocs(e execution) error {
	n := min(x.executions, 10)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := e.run(n)
	runtime.ReadMemStats(&after)
	x.allocs = float64((after.Mallocs - before.Mallocs) / uint64(n)) // a stray one of the runtime's is none of the case's
	x.allocBytes = float64((after.TotalAlloc - before.TotalAlloc) / uint64(n))
	return err
}

// timed returns the seconds that n executions take.
func timed(e execution, n int) (float64, error) {
	start := time.Now()
	err := e.run(n)
	return time.Since(start).Seconds(), err
}

// alternate takes one sample of each device in turn, forward and backward, so that none of them always follows the same other one.
func (r *runner) alternate(ctx context.Context, c *benchCase, open []ready, pass int) error {
	for i := range samplesPerPass {
		slices.Reverse(open)
		for _, x := range open {
			if x.refused || i >= x.perPass {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			seconds, err := timed(x, x.executions)
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				r.refuse(x.row, c, x.target, "fails: "+err.Error())
				continue
			}
			for len(x.samples) <= pass {
				x.samples = append(x.samples, nil)
			}
			x.samples[pass] = append(x.samples[pass], seconds/float64(x.executions)*1e9)
		}
	}
	return nil
}

// errWrong is wrapped by what a check finds.
var errWrong = errors.New("wrong")
