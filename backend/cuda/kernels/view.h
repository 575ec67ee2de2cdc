// Operands of kernels, laid out as view in lower.go.
#pragma once
#include "gpu.h"

// View is a strided window: the element at (i0, i1, …) of dtype d is at p + Σ i·strides·size(d). Lowering has dropped axes of length 1 and merged
// those that lie together, for all operands of a launch alike.
struct View {
  char *p;
  int32_t rank;
  int32_t dtype; // backend.DType
  int64_t dims[8];
  int64_t strides[8]; // in elements; 0 broadcasts, negative runs backward
};
