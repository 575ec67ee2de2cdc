//go:build linux

// Command gpu checks and measures backend cuda on a machine with a GPU, where it builds nothing: build.sh has put it into a folder with all that it runs. It writes
// a file of JSON with what every step did. See README.md.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2) // it has been said
	case err != nil:
		fmt.Fprintf(os.Stderr, "gpu: %v\n", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	bundle string // the folder that build.sh has made
	out    string // the file to write
	python string
	limit  time.Duration // of all steps together
	small  bool
}

var errUsage = errors.New("usage")

func parse(args []string) (o options, err error) {
	here, err := os.Executable()
	if err != nil {
		return o, err
	}
	flags := flag.NewFlagSet("gpu", flag.ContinueOnError)
	flags.StringVar(&o.out, "out", "", "the `file` to write (default: <gpu>-<date>.json here)")
	flags.StringVar(&o.python, "python", "python3", "the Python that has torch and torchgfn, if any")
	flags.DurationVar(&o.limit, "limit", 9*time.Minute, "time for everything; what does not fit is left out and said so")
	flags.BoolVar(&o.small, "small", false, "sizes for an emulated driver: shows that the steps run, and measures nothing")
	o.bundle = filepath.Dir(here)
	if err := flags.Parse(args); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			err = errUsage
		}
		return o, err
	}
	if flags.NArg() > 0 || o.limit <= 0 {
		return o, fmt.Errorf("arguments %q and a limit of %v; want none and a positive one", flags.Args(), o.limit)
	}
	return o, nil
}

// run runs all steps. Its error says which of those that must pass did not, or why there is no file.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "weir-gpu")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	r := runner{bundle: o.bundle, scratch: scratch, stdout: stdout, environment: environment(scratch), deadline: time.Now().Add(o.limit), installed: map[string]string{}}
	found := describe(ctx, &r, o)
	fmt.Fprintf(stdout, "%s; driver %s, CUDA %s; %s\n", found.GPU, found.Driver, found.CUDA, found.Machine.Processor)
	for _, s := range steps(o, scratch) {
		found.Steps = append(found.Steps, r.run(ctx, s))
	}
	found.Seconds = time.Since(found.Machine.Date).Seconds()
	if o.out == "" {
		o.out = found.fileName()
	}
	if err := found.write(o.out); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s written\n", o.out)
	return found.err()
}

// environment has the driver's own library where no other is named, makes the lack of a GPU a failure, and keeps what the driver compiles apart from what
// others have had compiled.
func environment(scratch string) []string {
	env := append(os.Environ(), "WEIR_CUDA=required", "CUDA_CACHE_PATH="+filepath.Join(scratch, "jit"))
	if os.Getenv("WEIR_CUDA_LIBRARY") == "" {
		env = append(env, "WEIR_CUDA_LIBRARY=libcuda.so.1")
	}
	return env
}

// write writes the result as JSON.
func (r *result) write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
