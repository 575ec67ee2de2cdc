// Command weir trains diffusion GFlowNets by maximum likelihood, and samples and evaluates what was trained.
//
//	weir train                                # a first run: learn a mixture of 25 Gaussians
//	weir train --data points.csv --out runs/points
//	weir eval --from runs/points
//	weir sample --from runs/points -n 10000 --out samples.csv
//
// It exits with 0 when all went well, 1 when something failed, 2 when the command line is wrong, and 130 when training was interrupted and saved.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A reader that goes away must not kill a run before it is saved: the write fails instead.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks the command to end; from then on signals act as usual, so a second one ends it at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
