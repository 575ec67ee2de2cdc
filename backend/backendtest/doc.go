// Package backendtest holds a backend against the contract of package backend.
//
// A backend's own test calls [Run] with a function that opens its device:
//
//	func TestConformance(t *testing.T) {
//		backendtest.Run(t, func() (backend.Device, error) { return backend.Open("cpu", backend.Options{}) })
//	}
//
// [RunEach] holds several devices to it in one pass. [Agree] checks that two devices, say one of a single worker and one of several, give
// the same bits.
//
// # Method
//
// Each case is a command on host memory. An oracle predicts every element of its destinations by loops that can be checked by
// eye, in float64 with compensated sums and, for the float64 functions, in multiple precision. The device runs the command
// on copies of the buffers; then every byte of every buffer is compared, those that the command must not touch too.
//
// Bounds live in one table, the same for every backend: see tolerance.go. A prediction with no room is compared bit for bit, signs
// of zeros included; all NaNs are equal. Sums of numbers on a common grid that fit the accumulator are exact in
// every order, so they have no room: a dropped or doubled term does not hide under a bound for rounding.
//
// # What is run
//
// The part called cells goes through a table, and a test of this package counts what was run by its strides and bytes and wants every
// cell that the contract does not rule out:
//
//	operation  every instruction of a map, copy, every reduction, matmul with and without Accumulate, gather, scatter-add, scan,
//	           sort both ways, every distribution of random
//	dtype      every one that the operation takes, and for casts every pair
//	layout     of a source and of a destination: contiguous, broadcast, transposed, flipped, sliced, zero-size
//	values     NaN, +Inf, -Inf, +0, -0, denormals; for integers 0, the least and the greatest
//	aliasing   operands apart, side by side on one buffer, in place, sources that overlap
//
// The other parts go where single operations go wrong: shapes and ranks, lengths around blocks and the grain, many values, the
// shape of sums, order and failure of streams, memory, and long random programs of commands.
//
// # What a device lacks
//
// Of an instruction that has been added to the contract and not yet to a backend, Supports is false. Programs with it are not run but to see that
// they fail, by one line that names the instruction; for each there is a subtest that is skipped. Supports of a program must follow from its
// instructions, and is true of everything else that is required.
//
// # Violations
//
// Every violation is found; the smallest of each part are reported, with the command as printed, the first element that differs, what the
// device gave, what was expected, and the distance in units in the last place. The last line is the command that repeats this one case:
//
//	rerun: go test -run '^TestConformance$/^sort$' -backendtest.seed=1 -backendtest.case=17
//
// A random program that fails is reported with as few of its commands as still make it fail; -backendtest.keep repeats those. The flag
// -backendtest.seed draws other data, and -backendtest.commands sets the length of the random program.
package backendtest
