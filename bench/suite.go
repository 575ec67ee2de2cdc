package bench

import (
	"context"
	"slices"

	"github.com/weir-ml/weir/backend"
)

// suite is a list of cases under a name.
type suite struct {
	name  string
	cases func(o Options) []benchCase
}

// suites stand in the order in which they run.
var suites = []suite{
	{"ops", opsCases},
	{"matmul", matMulCases},
	{"memory", memoryCases},
	{"random", randomCases},
	{"mle", mleCases},
	{"sample", sampleCases},
}

// Suites returns the names of the suites:
//
//	ops     every instruction of elementwise programs, copies, reductions, gather, scatter-add, scan and sort, at the shapes of a training step
//	matmul  matrix products of the shapes of training, and large ones
//	memory  the triad from what the first-level cache holds to what none does, fills and copies
//	random  bits, uniform numbers and normals
//	mle     maximum-likelihood training: forward, backward, optimiser, and the whole step over batches B, steps T and widths
//	sample  drawing samples with a policy
func Suites() []string {
	names := make([]string, len(suites))
	for i, s := range suites {
		names[i] = s.name
	}
	return names
}

// benchCase is a row of the report: what is measured, the same on every device.
type benchCase struct {
	name  string
	suite string
	dtype backend.DType
	flops float64 // of an execution; 0 where they say nothing
	bytes float64 // that an execution has to read and write; 0 where that is not known
	isFMA bool    // its ceiling is the peak of multiply-adds, else the bandwidth of memory
	work  float64 // what the time of the suite's cases grows with
	open  func(ctx context.Context, t *target) (execution, error)
}

// execution is a case that was made ready on a device.
type execution interface {
	// check returns an error that says in one line what is wrong with the results. It is called once, before run.
	check() error
	// run executes the case n times and waits for the device.
	run(n int) error
	close() error
}

// selected returns the cases that the options ask for.
func selected(o Options) []benchCase {
	var cases []benchCase
	seen := map[string]bool{} // instructions on booleans are the same for every float type
	for _, s := range suites {
		if !slices.Contains(o.Suites, s.name) {
			continue
		}
		for _, c := range s.cases(o) {
			if seen[c.name] || !o.Selects(c.name) {
				continue
			}
			seen[c.name] = true
			c.suite = s.name
			cases = append(cases, c)
		}
	}
	return cases
}
