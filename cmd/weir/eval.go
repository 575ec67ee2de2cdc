package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/internal/atomicfile"
	"github.com/weir-ml/weir/tensor"
	"github.com/weir-ml/weir/train"
)

const (
	defaultSamples  = 2000
	evaluationBatch = 500
)

// checkSamples returns an error unless an evaluation can be made of n samples.
func checkSamples(flag string, n int) error {
	if n < 2 || n > 1<<24 {
		return usageError{fmt.Errorf("--%s is %d; want 2 to %d", flag, n, 1<<24)}
	}
	return nil
}

// evaluationSeed returns the seed of evaluations of a run: another one than its training has.
func evaluationSeed(c train.Config) uint64 { return c.Seed + 1 }

// evalCmd reports how good a run's sampler is.
type evalCmd struct {
	From string  `required:"" placeholder:"DIR" help:"Directory of the run, for its latest checkpoint, or one of the checkpoints in it."`
	N    int     `name:"samples" short:"n" default:"${evalSamples}" help:"Samples of each estimate; for data, the held-out rows are taken instead."`
	Seed *uint64 `placeholder:"N" help:"Decides the samples (default: the run's seed + 1)."`
	Data string  `placeholder:"FILE" help:"Where the run's data is, if it has moved."`
	JSON bool    `name:"json" help:"Print JSON."`
	Out  string  `placeholder:"FILE.json" help:"Write the report to this file, too."`

	Batch  int `default:"${evalBatch}" help:"Paths at a time: bounds memory, and changes the results by rounding alone."`
	Paths  int `default:"${evalPaths}" help:"Paths back from each sample, for the importance-weighted likelihood."`
	Points int `default:"${evalPoints}" help:"Points in distances and in the count of modes; beyond ${evalExact}, W2 is bounded by Sinkhorn's algorithm."`
	deviceFlags
}

// Run prints the report.
func (v *evalCmd) Run(ctx context.Context, c *console) error {
	if err := v.check(); err != nil {
		return err
	}
	return v.on(func(s *tensor.Stream) error {
		e, path, err := openRun(c, s, v.From, func(settings *train.Config) { settings.Data = cmp.Or(v.Data, settings.Data) })
		if err != nil {
			return err
		}
		if err := checkRunOutput(v.Out, path); err != nil {
			return err
		}
		seed := evaluationSeed(e.Config)
		if v.Seed != nil {
			seed = *v.Seed
		}
		report, err := e.Evaluate(ctx, train.Evaluation{Seed: seed, Samples: v.N, Batch: v.Batch, Paths: v.Paths, Points: v.Points})
		if err != nil {
			return err
		}
		if v.Out != "" {
			if err := atomicfile.Write(v.Out, func(w io.Writer) error { return writeJSON(w, report) }); err != nil {
				return err
			}
		}
		if v.JSON {
			return writeJSON(c.out, report)
		}
		return printReport(c.out, report)
	})
}

// check returns an error that names a number out of range.
func (v *evalCmd) check() error {
	for _, flag := range []struct {
		name  string
		value int
	}{{"batch", v.Batch}, {"paths", v.Paths}, {"points", v.Points}} {
		if flag.value < 1 || flag.value > 1<<24 {
			return usageError{fmt.Errorf("--%s is %d; want 1 to %d", flag.name, flag.value, 1<<24)}
		}
	}
	return checkSamples("samples", v.N)
}

// openRun opens the run in dir, with its settings adjusted, and returns the checkpoint's path too.
func openRun(c *console, s *tensor.Stream, dir string, adjust func(*train.Config)) (e *train.Experiment, path string, err error) {
	if path, err = findCheckpoint(c, dir); err != nil {
		return nil, "", err
	}
	data := ""
	e, err = train.OpenExperiment(s, path, func(settings *train.Config) {
		adjust(settings)
		data = settings.Data
	})
	if data != "" && errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%w; if the data has moved, say where it is by --data", err)
	}
	return e, path, err
}

// printReport writes a report as a table, with standard errors.
func printReport(w io.Writer, r train.Report) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name string, value any, meaning string) {
		fmt.Fprintf(table, "  %s\t%v\t%s\n", name, value, meaning)
	}
	estimate := func(name string, e *diffusion.Estimate, meaning string) {
		if e != nil {
			line(name, *e, meaning)
		}
	}
	estimate("NLL bound", &r.NLLBound, "nats; at least the mean of −log p")
	estimate("Log-likelihood", &r.IWLogLikelihood, fmt.Sprintf("nats; at most the mean of log p, importance-weighted over %d paths", r.Paths))
	estimate("EUBO", r.EUBO, "nats; at least log Z")
	estimate("EUBO gap", r.EUBOGap, "nats; 0 is perfect")
	estimate("ELBO", r.ELBO, "nats; at most log Z")
	estimate("ELBO gap", r.ELBOGap, "nats; 0 is perfect")
	estimate("IW-ELBO", r.IWELBO, "nats; estimates log Z")
	estimate("ESS", r.ESSPercent, "%; effective sample size; 100 is perfect")
	line("W2", distance(r), fmt.Sprintf("Wasserstein distance; %.4g between two sets of true points", r.W2True))
	if m := r.MMD2; m != nil {
		line("MMD²", fmt.Sprintf("%.4g", m.Value), fmt.Sprintf("squared maximum mean discrepancy, unbiased; %.4g between two sets of true points", m.True))
	}
	if c := r.Modes; c != nil {
		line("Modes", fmt.Sprintf("%d of %d", c.Covered, c.Modes), fmt.Sprintf("covered; %d by as many true points", r.ModesTrue.Covered))
		line("Mode shares", fmt.Sprintf("%.4g", c.Distance), fmt.Sprintf("total variation from the weights; %.4g for true points", r.ModesTrue.Distance))
		estimate("In modes", &c.InModes, fmt.Sprintf("share of samples near a mode; %.4g of true points", r.ModesTrue.InModes.Value))
	}
	return table.Flush()
}

// distance prints W2, from bound to bound where it is not exact.
func distance(r train.Report) string {
	if r.W2Lower > 0 {
		return fmt.Sprintf("%.4g to %.4g", r.W2Lower, r.W2)
	}
	return fmt.Sprintf("%.4g", r.W2)
}
