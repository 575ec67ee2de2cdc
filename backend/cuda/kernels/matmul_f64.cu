#include "matmul_exact.h"

LAYOUTS(matmul_f64_64x64, double, 64, 64, 4, 4, 2)
LAYOUTS(matmul_f64_32x32, double, 32, 32, 4, 4, 4)
