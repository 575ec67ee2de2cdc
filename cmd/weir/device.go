package main

import (
	"errors"
	"fmt"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/tensor"
)

// deviceFlags choose where a command computes.
type deviceFlags struct {
	Backend string `placeholder:"NAME" help:"Backend, or device like cuda:1 (default: the best CPU backend; see weir backends)."`
	Workers *int   `placeholder:"N" help:"Threads of a CPU backend (default: all)."`
}

// productFlags choose between the speed and the bits of matrix products.
type productFlags struct {
	Precision string `placeholder:"NAME" help:"Round what float32 matrix products multiply, on cuda: tf32 (10 bits, fastest) or 3xtf32 (nearly exact) (default: exact)."`
	MatMul    string `name:"matmul" placeholder:"NAME" help:"Library for matrix products of 64 rows, columns and terms or more, on cuda: cublaslt (default: kernels of Weir's own)."`
}

// on opens the device and calls f with a stream of it.
func (d deviceFlags) on(f func(s *tensor.Stream) error) error { return d.in(productFlags{}, f) }

// in is on with products as the flags say.
func (d deviceFlags) in(p productFlags, f func(s *tensor.Stream) error) (err error) {
	defer tensor.Catch(&err)
	o := backend.Options{Precision: p.Precision, MatMul: p.MatMul}
	if d.Workers != nil {
		if *d.Workers < 1 {
			return usageError{fmt.Errorf("--workers is %d; want at least 1", *d.Workers)}
		}
		o.Workers = *d.Workers
	}
	dev, err := tensor.Open(d.Backend, o)
	if err != nil {
		return err
	}
	s, err := dev.NewStream()
	if err != nil {
		return errors.Join(err, dev.Close())
	}
	err = f(s)
	// Closing says again what f has failed with; what it says first counts.
	if closing := errors.Join(s.Close(), dev.Close()); err == nil {
		err = closing
	}
	return err
}
