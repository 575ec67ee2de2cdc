#include "matmul_mma.h"

TILES(bf16, Brain, 2)
