#include "reduce.h"

EVERY(Min, reduce_min)
