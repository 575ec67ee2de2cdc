package cuda

// The PTX of the kernels is committed, so that building Weir needs no CUDA toolkit and no clang. kernels/x.ptx is made of kernels/x.cu.
//
//go:generate go run ./internal/ptx/generate kernels
