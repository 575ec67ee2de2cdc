// cublasLt as the Go side calls it, a library of NVIDIA's that is found when the program runs, if it is asked for.
#ifndef WEIR_CUDA_CUBLASLT_H
#define WEIR_CUDA_CUBLASLT_H

#include "shim.h"

// Shape is what an algorithm is chosen by: D = op(A)·op(B), column by column. It has the layout of ltShape in lower_cublaslt.go.
typedef struct {
  int32_t type, compute;       // of all matrices, and of the sums
  int32_t transposed[2];       // A, B
  int32_t alignment[3];        // of the addresses of A, B and D, in bytes
  int32_t batches;
  int64_t rows, cols, terms;   // of D, and of each sum
  int64_t leading[3];          // from column to column of A, B and D, as they are stored
  int64_t stride[3];           // from batch to batch
} Shape;

// Product is one run of a plan. It has the layout of ltParams in lower_cublaslt.go.
typedef struct {
  uint64_t a, b, c, d;
  uint64_t workspace, bytes;
  int64_t accumulate;  // whether C is added
} Product;

// Plan is a shape with the algorithm for it.
typedef struct Plan Plan;

const char *weir_lt_library(const char *path, size_t *version);
void weir_lt_error(int code, const char **name, const char **text);
Status weir_lt_open(Device *d, void **handle);
Status weir_lt_close(Device *d, void *handle);
Status weir_lt_plan(Device *d, void *handle, const Shape *s, size_t most, Plan **plan, size_t *workspace);
Status weir_lt_free(Plan *plan);
Status weir_lt_multiply(const Plan *plan, const char *params, void *stream);

#endif
