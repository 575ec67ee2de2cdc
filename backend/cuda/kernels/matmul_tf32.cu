#include "matmul_mma.h"

TILES(tf32, Tensor, 2)
