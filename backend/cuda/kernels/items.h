// What is sorted: a key in the order of unsigned numbers, and the position that breaks ties, so that any way of sorting is stable.
#pragma once
#include "gpu.h"

// Packed has key and position in one word; how many of its bits are the position's, the launch says.
typedef uint64_t Packed;

// Pair is for keys that leave no room.
struct Pair {
  uint64_t key, position;
};

DEVICE bool before(Packed x, Packed y) { return x < y; }
DEVICE bool before(const Pair &x, const Pair &y) { return x.key < y.key || (x.key == y.key && x.position < y.position); }

DEVICE void make(Packed &x, uint64_t key, uint64_t position, int bits) { x = key << bits | position; }
DEVICE void make(Pair &x, uint64_t key, uint64_t position, int) { x = {key, position}; }

DEVICE int64_t position_of(Packed x, int bits) { return int64_t(x & ((uint64_t(1) << bits) - 1)); }
DEVICE int64_t position_of(const Pair &x, int) { return int64_t(x.position); }

// last is what fills up a tile: it is behind everything.
DEVICE void last(Packed &x) { x = ~uint64_t(0); }
DEVICE void last(Pair &x) { x = {~uint64_t(0), ~uint64_t(0)}; }
