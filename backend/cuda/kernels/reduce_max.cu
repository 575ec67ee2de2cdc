#include "reduce.h"

EVERY(Max, reduce_max)
