#include "reduce.h"

EVERY(Prod, reduce_prod)
