package bench

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/bench/machine"
)

// Options say what a run measures and how long it takes. The zero value is every suite in float32.
type Options struct {
	Suites []string        // of Suites(); none is all
	Filter *regexp.Regexp  // only cases whose names match; nil is all
	DTypes []backend.DType // of operations, matrix products, memory and random numbers; none is float32. Floats only
	Size   Size            // of the operands

	Budget time.Duration // of a case on a device, its preparation left out; 0 is 250 ms
	Passes int           // over all cases; 0 is 5, the least that two runs can be compared with
	Limit  time.Duration // of a single execution; what would take longer is refused. 0 is 3 s

	// Precision is what the devices were opened with, see [backend.Options]: tf32 or 3xtf32. Results that depend on products in float32 are then held to
	// bounds that allow for it. "" is exact.
	Precision string
	// MatMul is the library that the devices were opened with, see [backend.Options]. The report names it.
	MatMul string

	Ceilings machine.Effort                  // each time that they are measured; rough ones if the budget is below 20 ms
	Progress func(done, of int, name string) // called before each case of each pass; may be nil
}

// Size says how large operands are.
type Size int

// The sizes: those of training, hundredths of them for slow backends and to see that all is right, larger ones beside those of training, with which a run
// of a backend without assembly takes many minutes, and those that fill a GPU, which take tens of GiB of its memory and 12 GiB of the host's.
const (
	Usual Size = iota
	Small
	Large
	Huge
)

var sizeNames = [...]string{"usual", "small", "large", "huge"}

// String returns the size's name.
func (s Size) String() string { return sizeNames[s] }

// ParseSize returns the size of that name. Another name is an error.
func ParseSize(name string) (Size, error) {
	i := slices.Index(sizeNames[:], name)
	if i < 0 {
		return 0, fmt.Errorf("bench: no size %q; want one of %s", name, strings.Join(sizeNames[:], ", "))
	}
	return Size(i), nil
}

// rounding is by how much of itself a term of a float32 product may be off in a precision, beside what the contract allows.
var rounding = map[string]float64{"": 0, "tf32": 0x1p-10, "3xtf32": 0x1p-19}

// hasty is the budget below which a run is a trial, for which ceilings need not be measured well either.
const hasty = 20 * time.Millisecond

const (
	samplesPerPass = 3
	defaultPasses  = 5
)

// WithDefaults returns o with the default in every field that is empty.
func (o Options) WithDefaults() Options {
	if len(o.Suites) == 0 {
		o.Suites = Suites()
	}
	if len(o.DTypes) == 0 {
		o.DTypes = []backend.DType{backend.Float32}
	}
	o.Budget = cmp.Or(o.Budget, 250*time.Millisecond)
	o.Passes = cmp.Or(o.Passes, defaultPasses)
	o.Limit = cmp.Or(o.Limit, 3*time.Second)
	if o.Ceilings == (machine.Effort{}) && o.Budget < hasty {
		o.Ceilings = machine.Effort{Repeats: 2, Elements: 1 << 20, Sample: time.Millisecond}
	}
	return o
}

func (o Options) check() error {
	for _, s := range o.Suites {
		if !slices.Contains(Suites(), s) {
			return fmt.Errorf("bench: no suite %q; want some of %s", s, strings.Join(Suites(), ", "))
		}
	}
	for _, d := range o.DTypes {
		if !d.IsFloat() {
			return fmt.Errorf("bench: suites in %v; want float types", d)
		}
	}
	if o.Size < Usual || o.Size > Huge {
		return fmt.Errorf("bench: no size %d", int(o.Size))
	}
	if _, known := rounding[o.Precision]; !known {
		return fmt.Errorf("bench: no precision %q; want tf32, 3xtf32 or, for exact products, none", o.Precision)
	}
	if o.Budget < 0 || o.Passes < 0 || o.Limit < 0 {
		return fmt.Errorf("bench: a budget of %v, %d passes and a limit of %v; want 0, for the default, or more", o.Budget, o.Passes, o.Limit)
	}
	return nil
}
