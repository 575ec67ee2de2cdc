#include "matmul_mma.h"

TILES(f16, Half, 2)
