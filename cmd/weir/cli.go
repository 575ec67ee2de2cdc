package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/weir-ml/weir/gflownet/diffusion"
	"github.com/weir-ml/weir/train"
)

// cli is the command line.
type cli struct {
	Train    trainCmd    `cmd:"" help:"Train a sampler of a target or of data."`
	Eval     evalCmd     `cmd:"" help:"Measure how good a trained sampler is."`
	Sample   sampleCmd   `cmd:"" help:"Write samples of a trained sampler to a file."`
	Split    splitCmd    `cmd:"" help:"Write the rows that a run on data trains on, and those it holds out."`
	Import   importCmd   `cmd:"" help:"Make a run of a checkpoint of torchgfn."`
	Export   exportCmd   `cmd:"" help:"Write a run's policies to a file that torchgfn loads."`
	Loss     lossCmd     `cmd:"" help:"Compute the loss and gradients of a recorded case of the reference."`
	Bench    benchCmd    `cmd:"" help:"Compare the speed of backends."`
	Backends backendsCmd `cmd:"" help:"List the backends."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// console is where a command prints.
type console struct {
	out, err io.Writer
}

// note tells something that is not an error.
func (c *console) note(format string, args ...any) {
	fmt.Fprintf(c.err, "weir: note: "+format+"\n", args...)
}

// The exit codes beside 0.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// usageError is a command line that cannot be meant.
type usageError struct{ error }

// errSaved ends a training that was asked to end and did so in order. It has said so itself.
var errSaved = errors.New("interrupted and saved")

// run executes a command line and returns the exit code. An error becomes one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := execute(ctx, args, &console{stdout, stderr})
	var parse *kong.ParseError
	var usage usageError
	var config configError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errSaved):
		return exitInterrupted
	case interrupted(ctx, err):
		printError(stderr, errors.New("interrupted"))
		return exitInterrupted
	case errors.Is(err, syscall.EPIPE):
		return exitFailure // the reader has gone: nobody is to be told
	case errors.As(err, &config):
		printError(stderr, config)
		return exitFailure
	case errors.As(err, &parse):
		printError(stderr, fmt.Errorf("%w; see weir --help", err))
		return exitUsage
	case errors.As(err, &usage):
		printError(stderr, err)
		return exitUsage
	}
	printError(stderr, err)
	return exitFailure
}

// interrupted reports whether err is that of a context that has ended.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err())
}

// printError prints one line, whatever the error; those that were joined each begin a line of their own.
func printError(w io.Writer, err error) {
	var parts []string
	for line := range strings.Lines(err.Error()) {
		if part := strings.Join(strings.Fields(line), " "); part != "" {
			parts = append(parts, part)
		}
	}
	fmt.Fprintf(w, "weir: %s\n", strings.Join(parts, "; "))
}

func execute(ctx context.Context, args []string, c *console) error {
	helped := false
	out := &kept{Writer: c.out}
	parser, err := kong.New(&cli{},
		kong.Name("weir"),
		kong.Description("Weir trains diffusion GFlowNets by maximum likelihood. Begin with: weir train"),
		kong.Writers(out, c.err),
		kong.Exit(func(int) { helped = true }), // called for --help alone
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		defaults(),
		kong.Bind(c),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	switch {
	case out.err != nil: // of --help, which is no fault of the command line
		return out.err
	case helped:
		return nil
	case err != nil:
		return err
	}
	return parsed.Run()
}

// kept is a writer that keeps its first error.
type kept struct {
	io.Writer
	err error
}

// Write implements [io.Writer].
func (k *kept) Write(p []byte) (int, error) {
	n, err := k.Writer.Write(p)
	if k.err == nil {
		k.err = err
	}
	return n, err
}

// defaults makes those of package train the defaults of the flags, which so stand in --help.
func defaults() kong.Vars {
	c := train.Config{}.WithDefaults()
	suites, budget, passes := benchDefaults()
	float := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	return kong.Vars{
		"target":       c.Target,
		"targets":      strings.Join(diffusion.Targets(), ", "),
		"evalSamples":  strconv.Itoa(defaultSamples),
		"targetSteps":  strconv.Itoa(c.Steps),
		"dataSteps":    strconv.Itoa(train.Config{Data: "rows.csv"}.DefaultSteps()),
		"batch":        strconv.Itoa(c.Batch),
		"numSteps":     strconv.Itoa(c.Process.NumSteps),
		"tScale":       float(c.Process.TScale),
		"harmonics":    strconv.Itoa(c.Net.Harmonics),
		"embed":        strconv.Itoa(c.Net.Embed),
		"hidden":       strconv.Itoa(c.Net.Hidden),
		"layers":       strconv.Itoa(c.Net.JointLayers),
		"pbScaleRange": float(c.PBScaleRange),
		"logVarRange":  float(c.LogVarRange),
		"exploration":  float(c.Exploration),
		"lr":           float(c.LR),
		"seed":         strconv.FormatUint(c.Seed, 10),
		"dtype":        c.DType.String(),
		"dataMemory":   strconv.Itoa(c.DataMemory >> 20),
		"boundEvery":   strconv.Itoa(c.BoundEvery),
		"evalBatch":    strconv.Itoa(evaluationBatch),
		"evalPaths":    strconv.Itoa(train.DefaultPaths),
		"evalPoints":   strconv.Itoa(train.DefaultPoints),
		"evalExact":    strconv.Itoa(train.DefaultExact),
		"suites":       suites,
		"benchBudget":  budget,
		"benchPasses":  passes,
	}
}

// given returns the names of the flags that stand on the command line.
func given(k *kong.Context) map[string]bool {
	names := map[string]bool{}
	for _, p := range k.Path {
		if p.Flag != nil {
			names[p.Flag.Name] = true
		}
	}
	return names
}
