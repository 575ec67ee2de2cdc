package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/bench"
	"github.com/weir-ml/weir/bench/page"
	"github.com/weir-ml/weir/internal/atomicfile"
)

// benchCmd compares backends.
type benchCmd struct {
	Backends []string `placeholder:"NAME,…" help:"Backends side by side, the first one the measure of the others (default: all that are available)."`
	Workers  []int    `placeholder:"N,…" help:"Numbers of threads of CPU backends, each measured (default: all threads)."`
	Suite    []string `placeholder:"NAME,…" help:"Suites: ${suites} (default: all)."`
	productFlags
	Filter string   `placeholder:"REGEX" help:"Only cases whose names match."`
	DType  []string `name:"dtype" placeholder:"NAME,…" default:"float32" help:"Float types of the operations."`
	Size   string   `default:"usual" enum:"usual,small,large,huge" help:"Size of the operands: usual, small (for slow backends), large, or huge (for GPUs)."`

	Budget time.Duration `default:"${benchBudget}" help:"Time for the samples of a case on a backend."`
	Passes int           `default:"${benchPasses}" help:"Times that all cases are gone through."`

	Format   string `default:"table" enum:"table,go,json" help:"What to print: table, go (for benchstat) or json."`
	JSON     string `name:"json" placeholder:"FILE" help:"Write the report to this file as JSON."`
	HTML     string `name:"html" placeholder:"FILE" help:"Write the report to this file as a page."`
	Baseline string `placeholder:"FILE" help:"A report in JSON to compare with: differences beyond the noise are named."`
	Peers    string `placeholder:"FILE" help:"Results of bench/peers/run.py to put beside ours."`
}

// errRefused is the failure of a run in which a backend was wrong or failed. The report has said which.
var errRefused = errors.New("bench: a backend was wrong or failed; see the report")

// Run measures, prints, and writes the files. An interrupted run does so with what it has.
func (b *benchCmd) Run(ctx context.Context, c *console) (err error) {
	o, err := b.options()
	if err != nil {
		return usageError{err}
	}
	if err := checkOutputs([]output{{"json", b.JSON}, {"html", b.HTML}}); err != nil {
		return err
	}
	baseline, err := readReport(b.Baseline)
	if err != nil {
		return err
	}
	peers, err := readReport(b.Peers)
	if err != nil {
		return err
	}
	devices, err := b.open()
	if err != nil {
		return err
	}
	defer func() {
		for _, dev := range devices {
			err = errors.Join(err, dev.Close())
		}
	}()
	show, end := benchProgress(c.err)
	o.Progress = show
	report, err := bench.Run(ctx, devices, o)
	end()
	if report == nil {
		return err
	}
	if err == nil && report.Wrong() {
		err = errRefused
	}
	if failed := b.write(c.out, report, baseline, peers); failed != nil {
		return failed
	}
	return err
}

// options returns those of the flags.
func (b *benchCmd) options() (o bench.Options, err error) {
	o = bench.Options{Suites: b.Suite, Precision: b.Precision, MatMul: b.MatMul, Budget: b.Budget, Passes: b.Passes}
	if o.Size, err = bench.ParseSize(b.Size); err != nil {
		return o, err
	}
	if b.Filter != "" {
		if o.Filter, err = regexp.Compile(b.Filter); err != nil {
			return o, fmt.Errorf("--filter: %w", err)
		}
	}
	for _, name := range b.DType {
		d, err := backend.ParseDType(name)
		if err != nil {
			return o, fmt.Errorf("--dtype: %w", err)
		}
		o.DTypes = append(o.DTypes, d)
	}
	if b.Budget <= 0 || b.Passes < 1 {
		return o, fmt.Errorf("a budget of %v and %d passes; want a time and at least 1", b.Budget, b.Passes)
	}
	for _, w := range b.Workers {
		if w < 1 {
			return o, fmt.Errorf("--workers is %d; want at least 1", w)
		}
	}
	return o, nil
}

// readReport reads a report, nil if there is no path.
func readReport(path string) (*bench.Report, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := bench.ReadJSON(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// open opens every backend with every number of workers. A device that does not know workers is opened once.
func (b *benchCmd) open() (devices []backend.Device, err error) {
	names := b.Backends
	if len(names) == 0 {
		names = availableBackends()
	}
	workers := b.Workers
	if len(workers) == 0 {
		workers = []int{0}
	}
	for _, name := range names {
		for _, w := range workers {
			dev, err := backend.Open(name, backend.Options{Workers: w, Precision: b.Precision, MatMul: b.MatMul})
			if err != nil {
				for _, dev := range devices {
					err = errors.Join(err, dev.Close())
				}
				return nil, err
			}
			devices = append(devices, dev)
			if _, counts := dev.(backend.Parallel); !counts {
				break
			}
		}
	}
	return devices, nil
}

func availableBackends() []string {
	var names []string
	for _, name := range backend.Names() {
		if d, ok := backend.Lookup(name); ok && d.Available() == nil {
			names = append(names, name)
		}
	}
	return names
}

// write prints the report, beside a baseline and peers that are not nil, and writes the files; that one fails does not cost the others, for measuring
// took long.
func (b *benchCmd) write(w io.Writer, r, baseline, peers *bench.Report) (err error) {
	var c *bench.Comparison
	if baseline != nil {
		c = bench.Compare(r, baseline)
	}
	if peers != nil {
		r.Add(peers)
	}
	switch b.Format {
	case "go":
		err = r.WriteGo(w)
	case "json":
		err = r.WriteJSON(w)
	default:
		err = r.WriteTable(w, c)
	}
	if b.JSON != "" {
		err = errors.Join(err, atomicfile.Write(b.JSON, r.WriteJSON))
	}
	if b.HTML != "" {
		err = errors.Join(err, atomicfile.Write(b.HTML, func(w io.Writer) error { return page.Write(w, r, c) }))
	}
	return err
}

// benchProgress returns what shows how far a run is, a bar on a terminal and else a line for each pass, and what ends it.
func benchProgress(w io.Writer) (show func(done, of int, name string), end func()) {
	if !isTerminal(w) {
		next := 0
		return func(done, of int, name string) {
			if done >= next {
				fmt.Fprintf(w, "%d of %d: %s\n", done, of, name)
				next = done + of/5
			}
		}, func() {}
	}
	var bar *progressbar.ProgressBar
	return func(done, of int, name string) {
			if bar == nil {
				bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(16), progressbar.OptionSetPredictTime(true),
					progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
			}
			bar.Describe(fmt.Sprintf("%-34.34s", name))
			_ = bar.Set(done) // a terminal that is gone is no reason to stop
		}, func() {
			if bar != nil {
				_ = bar.Finish()
			}
		}
}

// benchDefaults makes those of package bench stand in --help.
func benchDefaults() (suites, budget, passes string) {
	o := bench.Options{}.WithDefaults()
	return strings.Join(bench.Suites(), ", "), o.Budget.String(), fmt.Sprint(o.Passes)
}
