// Package emulator builds the emulated CUDA driver of backend/cuda/testdata/emulator for tests, and has backend/cuda use it.
//
// The driver is a library of its own, compiled by g++ from the emulator's sources and from the very sources of the kernels. What has been compiled
// is kept in the user's cache directory under the hash of what it was made of.
//
// A test that needs a device calls [Use] from TestMain and [Need] where it begins. On a machine with a GPU the same tests run on it, if the environment
// variable WEIR_CUDA_LIBRARY names its driver. The emulated machine is set by variables; their meaning is in options.h:
//
//	WEIR_EMULATOR_SEED=7 WEIR_EMULATOR_COPIES=lazy go test ./backend/cuda
package emulator
