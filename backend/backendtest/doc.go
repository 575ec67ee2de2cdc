// Package backendtest holds a backend against the contract of package backend.
//
// A backend's own test calls [Run] with a function that opens its device:
//
//	func TestConformance(t *testing.T) {
//		backendtest.Run(t, func() (backend.Device, error) { return backend.Open("cpu", backend.Options{}) })
//	}
//
// [Agree] checks that two devices, say one of a single worker and one of several, give the same bits.
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
// Every violation is reported with the command as printed, its seed, the first element that differs, what the device gave, what
// was expected, and the distance in units in the last place. The flag -backendtest.seed draws other data, and
// -backendtest.commands sets the length of the random command program.
package backendtest
