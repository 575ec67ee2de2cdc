// Package ptx makes the PTX of the CUDA backend's kernels from their sources and tells whether what is committed is what the sources say.
//
// A module, reduce.ptx, comes from reduce.cu. It begins with comments that say what made it: the hash of every source, the compiler, its flags,
// and the hash of the text below them. So [Module.Check] needs no compiler, and [Module.Compile] with the same one gives the same bytes.
//
// PTX is text for a virtual machine: the driver assembles it for the GPU that is there. The modules ask for an architecture no newer than
// [Arch], which every later GPU runs.
package ptx
