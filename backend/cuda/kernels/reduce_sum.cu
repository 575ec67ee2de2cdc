#include "reduce.h"

EVERY(Sum, reduce_sum)
