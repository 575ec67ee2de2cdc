// Package cuda is the backend for NVIDIA GPUs of compute capability 8.0 and later, on Linux with a driver of CUDA 11.4 or later.
//
// It needs no CUDA toolkit, neither to build a program nor to run it: the driver's library is opened when the program asks for it, and the
// kernels are in the package as PTX, which the driver compiles for its GPU, each when a command first needs it. Built without cgo, or for
// another system, the package registers a backend that says so when it is opened. It registers as "cuda" with rank 0, so a GPU is used by
// name only: "cuda" is GPU 0, "cuda:1" the next.
//
// A command is lowered in plain Go to launches, and the launches of one Exec go to the driver in one call, which returns before they have
// run. Elementwise programs become PTX of their own, one kernel each. A recorded step becomes a CUDA graph (see [backend.Replayer]) that is
// replayed by one call.
//
// Memory comes from a pool of the driver's that keeps what is freed. Free waits for nothing: the driver frees the block when the streams that had
// work queued have passed that point. Uploads go through memory that the driver copies from in the background, so the source may be reused at
// once. Buffers hold addresses of the GPU, and no garbage is collected there.
//
// An index out of range is found on the GPU, by the kernel, which notes it; later kernels see the note and do nothing, and the next Sync or
// Download returns an error that names the command. A failure of the GPU itself poisons all streams with an error that wraps [ErrDeviceLost]; the
// driver then takes no more work for that GPU in the process.
//
// With [backend.Options].MatMul "cublaslt", NVIDIA's library of that name computes the products of 64 rows, columns and terms or more, in its own order
// of sums. Without it, or with one that is not of version 12 or 13, such a device does not open.
//
// Three environment variables: WEIR_CUDA_LIBRARY names the driver's library, by default libcuda.so.1, and WEIR_CUBLASLT_LIBRARY cublasLt's, by default
// libcublasLt.so.13 or libcublasLt.so.12. WEIR_CUDA=required makes tests fail where they would be skipped because there is no GPU.
//
// What is said here holds on the emulated driver in testdata, on which the package is tested. It has not met a real GPU yet.
package cuda
