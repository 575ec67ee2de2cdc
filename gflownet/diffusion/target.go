package diffusion

import (
	"fmt"
	"sort"
	"strings"

	"github.com/weir-ml/weir/backend"
	"github.com/weir-ml/weir/gflownet"
	"github.com/weir-ml/weir/tensor"
)

// Target is a distribution to learn: a reward with a known normaliser, and exact samples of it.
type Target interface {
	gflownet.Env
	// Sample returns n exact samples (n, Dim).
	Sample(rng *tensor.RNG, d backend.DType, n int) *tensor.Tensor
	// LogZ returns the log of the reward's integral.
	LogZ() float64
}

// targets are the named distributions of torchgfn's DiffusionSampling.
var targets = map[string]func() (Target, error){
	"gmm2":        func() (Target, error) { return recordedGMM("gmm2_seed3") },
	"gmm4":        func() (Target, error) { return recordedGMM("gmm4_seed3") },
	"gmm8":        func() (Target, error) { return recordedGMM("gmm8_seed3") },
	"gmm25_prior": func() (Target, error) { return gmm25(), nil },
}

// Targets returns the names that NewTarget knows, sorted.
func Targets() []string {
	names := make([]string, 0, len(targets))
	for name := range targets {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// NewTarget returns the distribution of that name.
func NewTarget(name string) (Target, error) {
	make, ok := targets[name]
	if !ok {
		return nil, fmt.Errorf("diffusion: unknown target %q; have %s", name, strings.Join(Targets(), ", "))
	}
	return make()
}
