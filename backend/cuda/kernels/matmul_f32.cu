#include "matmul_exact.h"

LAYOUTS(matmul_f32_128x128, float, 128, 128, 8, 8, 2)
LAYOUTS(matmul_f32_64x64, float, 64, 64, 8, 4, 3)
LAYOUTS(matmul_f32_32x32, float, 32, 32, 4, 4, 8)
LAYOUTS(matmul_f32_128x8, float, 128, 8, 1, 8, 4)
