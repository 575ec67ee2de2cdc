#include "matmul_mma.h"

TILES(3xtf32, Split)
