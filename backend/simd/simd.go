// Package simd is package cpu with inner loops in assembly, for amd64: matrix products, reductions, elementwise instructions, casts
// and random numbers.
//
// There are two sets of loops, one of AVX-512 and one of AVX2 and FMA; the process uses the better one that the machine has. The environment
// variable WEIR_SIMD chooses another: avx512, avx2, or off, which leaves package cpu's loops. Results differ between the sets by
// their rounding, within the tolerances of the contract, and depend neither on the number of workers nor on tiling.
//
// The package registers itself as "simd" with rank 20, before "cpu". The assembly is generated; see the folder _asm.
package simd

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/backend/cpu"
)

//go:generate go -C _asm run . ..
//go:generate go -C _asm run ./map ..

const (
	rank = 20
	// environment is the variable that chooses an implementation.
	environment = "WEIR_SIMD"
)

func init() { backend.Register("simd", rank, driver{}) }

// implementation is a set of inner loops.
type implementation int

const (
	off implementation = iota
	avx2
	avx512
)

// implementations are described from the plainest to the best.
var implementations = []struct{ name, about, needs string }{
	off:    {"off", "pure Go", ""},
	avx2:   {"avx2", "AVX2", "AVX2, FMA, BMI2 and F16C"},
	avx512: {"avx512", "AVX-512", "AVX-512 F, BW, DQ and VL"},
}

func (i implementation) String() string { return implementations[i].name }

// choose returns the implementation of that name, or the best one that the machine has if there is no name.
func choose(name string, has func(implementation) bool) (implementation, error) {
	if name == "" {
		for i := avx512; i > off; i-- {
			if has(i) {
				return i, nil
			}
		}
		return off, errors.New("needs an amd64 processor with AVX2, FMA, BMI2 and F16C")
	}
	var names []string
	for i, im := range implementations {
		names = append(names, im.name)
		if im.name != name {
			continue
		}
		if !has(implementation(i)) {
			return off, fmt.Errorf("%w: %s=%s needs an amd64 processor with %s", backend.ErrMisconfigured, environment, name, im.needs)
		}
		return implementation(i), nil
	}
	return off, fmt.Errorf("%w: %s=%q is unknown; want one of %s", backend.ErrMisconfigured, environment, name, strings.Join(names, ", "))
}

// chosen is the implementation of the process.
var chosen = sync.OnceValues(func() (implementation, error) { return choose(os.Getenv(environment), supported) })

type driver struct{}

func (driver) Available() error {
	_, err := chosen()
	return err
}

func (driver) About() string {
	i, err := chosen()
	if err != nil {
		return "assembly for amd64"
	}
	return fmt.Sprintf("%s, %d workers", implementations[i].about, runtime.GOMAXPROCS(0))
}

// Open opens device 0, the only one. Several may be open at once; they share the process's workers.
func (driver) Open(n int, o backend.Options) (backend.Device, error) {
	if n != 0 {
		return nil, fmt.Errorf("simd: no device %d; the only one is 0", n)
	}
	i, err := chosen()
	if err != nil {
		return nil, fmt.Errorf("simd: %w", err)
	}
	return open(i, o)
}

func open(i implementation, o backend.Options) (backend.Device, error) {
	return cpu.NewDevice("simd", o, kernels(i))
}
