// Package bench compares backends: it times the operations of the contract, matrix products, memory, random numbers, and the training steps and
// samplers built of them, side by side on every device that it is given.
//
//	dev, err := backend.Open("mine", backend.Options{})
//	report, err := bench.Run(ctx, []backend.Device{dev}, bench.Options{Suites: []string{"ops", "matmul"}})
//	err = report.WriteTable(os.Stdout, nil)
//
// # Correctness first
//
// Nothing is timed before it has given the right result on that very device. A command runs at the size that is timed; a sample of what it wrote,
// at both ends, in the middle and elsewhere, is compared with the prediction of package backendtest, within the bounds that hold for all backends. Of a
// training step the loss and every gradient, and of a sampler the samples, are computed for a few samples and compared with the same by the pure Go backend.
// What is wrong, fails, or would take too long is refused: the report says so in one line, and has no time for it.
//
// # Method
//
// A run makes several passes over all cases. In each, a case is made ready anew on every device, and the devices take turns sample by
// sample; so drift of the machine and luck of the placement in memory meet all of them, and become part of the spread instead of the result. A sample
// is as many executions as fill its share of the budget, ended by a wait for the device. A result has the median, the least, and the spread of all samples.
//
// Rates are those of the median. The ceilings that they are compared with, see package machine, are measured in the same run, before its first, its
// middle and its last pass. Matrix products, and steps and samplers, which are made of them, are held to the peak of multiply-adds; everything else to the
// bandwidth of the triad, which operands that a cache holds can exceed. A device whose memory is not the host's has no ceiling.
//
// # Two runs
//
// [Compare] holds a report to an earlier one. See there for what counts as a difference, and how often nothing is taken for one.
//
// The package imports backends cpu, as the reference of steps, and simd, for its loops that measure ceilings; so they are registered in a program that
// imports it.
package bench
