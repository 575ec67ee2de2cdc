#include "matmul_mma.h"

// The halves of split factors take more registers than two blocks of a multiprocessor have.
TILES(3xtf32, Split, 1)
