// Addition in the carried types. That of integers wraps.
#pragma once
#include "gpu.h"

DEVICE float add(float x, float y) { return x + y; }
DEVICE double add(double x, double y) { return x + y; }
DEVICE int32_t add(int32_t x, int32_t y) { return int32_t(uint32_t(x) + uint32_t(y)); }
DEVICE int64_t add(int64_t x, int64_t y) { return int64_t(uint64_t(x) + uint64_t(y)); }
