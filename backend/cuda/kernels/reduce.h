// Sums, products, maxima and minima over any axes, laid out by lower_reduce.go.
//
// A lane is one result. The summed axes are cut into leaves, as backend/grain.go says, and a leaf is folded in an order that depends on its shape alone:
// term t goes to part t mod parts, and there term j to sum j mod 4; the four are added in pairs, and so are the parts, distant ones first. Parts that
// have no term change nothing, so a launch may leave them out. The leaves of a lane are added as a tree: a run of neighbours in a thread's
// registers, the runs of a block in shared memory, and the blocks by a further launch, whose leaves are what this one wrote.
#pragma once
#include "add.h"
#include "nest.h"
#include "number.h"

struct Reduce {
  const char *src;
  char *dst;
  int64_t lanes;     // how many
  int64_t groups;    // of as many lanes as a group of threads folds together
  int64_t leaves;    // of one tree
  int64_t leafStride;
  int64_t termStride;      // if even
  int64_t laneBlocks;      // of groups
  int64_t leafBlocks;      // of leaves
  uint32_t leafTerms;      // of all but the last leaf
  uint32_t lastTerms;
  int32_t even;            // whether neighbouring terms are a stride apart; else terms says where they are
  int32_t parts, width;    // a group of threads: parts by lanes, both powers of two
  int32_t groupLanes;      // of width, how many there are
  int32_t across;          // groups of lanes in a block
  int32_t run;             // leaves that a thread takes: a power of two up to 8, or up to 64 of leaves of one term
  int32_t dtype;           // of the destination; 0 if it is scratch for a further launch, by tree, block of leaves and lane
  int32_t accumulate;      // whether the destination is added to
  Nest lane;  // operands: source, destination
  Nest trees; // operand: source
  Nest terms; // operand: source
};

struct Sum {
  template <class A> DEVICE A nothing() { return 0; }
  template <class A> DEVICE A of(A x, A y) { return add(x, y); }
};

struct Prod {
  template <class A> DEVICE A nothing() { return 1; }
  DEVICE float of(float x, float y) { return x * y; }
  DEVICE double of(double x, double y) { return x * y; }
  DEVICE int32_t of(int32_t x, int32_t y) { return int32_t(uint32_t(x) * uint32_t(y)); }
  DEVICE int64_t of(int64_t x, int64_t y) { return int64_t(uint64_t(x) * uint64_t(y)); }
};

// Of equal floats only zeros can differ, and those in the sign: the greater of −0 and +0 has no bit set, the lesser has one.
struct Max {
  template <class A> DEVICE A nothing() { return Bounds<A>::least(); }
  template <class A> DEVICE A of(A x, A y) { return y > x ? y : x; }
  DEVICE float of(float x, float y) { return x > y ? x : y > x ? y : x == y ? as_float(bits(x) & bits(y)) : x + y; }
  DEVICE double of(double x, double y) { return x > y ? x : y > x ? y : x == y ? as_double(bits(x) & bits(y)) : x + y; }
};

struct Min {
  template <class A> DEVICE A nothing() { return Bounds<A>::greatest(); }
  template <class A> DEVICE A of(A x, A y) { return y < x ? y : x; }
  DEVICE float of(float x, float y) { return x < y ? x : y < x ? y : x == y ? as_float(bits(x) | bits(y)) : x + y; }
  DEVICE double of(double x, double y) { return x < y ? x : y < x ? y : x == y ? as_double(bits(x) | bits(y)) : x + y; }
};

// push adds leaf number k of a run to the tree of which node i holds 2^i leaves, and makes x the total of all if k+1 is a power of two.
template <class Op, class A, int Depth> DEVICE void push(A (&node)[Depth], uint32_t k, A &x) {
  bool open = true;
  UNROLL for (int i = 0; i < Depth; i++) {
    bool pair = k >> i & 1;
    if (open && pair) x = Op::of(node[i], x);
    if (open && !pair) node[i] = x;
    open = open && pair;
  }
}

// fold folds the terms of a leaf that fall to one part, where neighbours are a stride apart.
template <class Op, class T> DEVICE Carried<T> fold(const T *src, int64_t stride, uint32_t part, uint32_t parts, uint32_t terms) {
  typedef Number<T> N;
  typedef Carried<T> A;
  A sum[4] = {Op::template nothing<A>(), Op::template nothing<A>(), Op::template nothing<A>(), Op::template nothing<A>()};
  src += part * stride;
  stride *= parts;
  uint32_t t = part;
  ROLLED for (; t + 7 * parts < terms; t += 8 * parts) {
    T x[8];
    UNROLL for (int i = 0; i < 8; i++) x[i] = src[i * stride];
    UNROLL for (int i = 0; i < 8; i++) sum[i % 4] = Op::of(sum[i % 4], N::load(x[i]));
    src += 8 * stride;
  }
  UNROLL for (int i = 0; i < 7; i++)
    if (t + i * parts < terms) sum[i % 4] = Op::of(sum[i % 4], N::load(src[i * stride]));
  return Op::of(Op::of(sum[0], sum[1]), Op::of(sum[2], sum[3]));
}

// fold_uneven is fold where the nest says where terms are.
template <class Op, class T> DEVICE Carried<T> fold_uneven(const T *src, const Nest &where, uint32_t part, uint32_t parts, uint32_t terms) {
  typedef Carried<T> A;
  A sum[4] = {Op::template nothing<A>(), Op::template nothing<A>(), Op::template nothing<A>(), Op::template nothing<A>()};
  uint32_t to = 0;
  ROLLED for (uint32_t t = part; t < terms; t += parts, to = (to + 1) % 4) {
    A x = Number<T>::load(src[place(where, t)]);
    UNROLL for (uint32_t i = 0; i < 4; i++)
      if (i == to) sum[i] = Op::of(sum[i], x);
  }
  return Op::of(Op::of(sum[0], sum[1]), Op::of(sum[2], sum[3]));
}

// leaf folds one leaf, the group's threads together.
template <class Op, class T> DEVICE Carried<T> leaf(const Reduce &p, const T *src, int64_t number, uint32_t part, bool here) {
  uint32_t terms = !here || number >= p.leaves ? 0 : number == p.leaves - 1 ? p.lastTerms : p.leafTerms;
  src += number * p.leafStride;
  Carried<T> x = p.even ? fold<Op>(src, p.termStride, part, p.parts, terms) : fold_uneven<Op>(src, p.terms, part, p.parts, terms);
  ROLLED for (int distance = p.parts * p.width / 2; distance >= p.width; distance /= 2) x = Op::of(x, shfl_xor(x, distance));
  return x;
}

// fold_run folds a run of leaves.
template <class Op, class T> DEVICE Carried<T> fold_run(const Reduce &p, const T *src, int64_t first, uint32_t part, bool here) {
  typedef Carried<T> A;
  A node[3], x = Op::template nothing<A>();
  ROLLED for (int k = 0; k < p.run; k++) {
    x = leaf<Op>(p, src, first + k, part, here);
    push<Op>(node, k, x);
  }
  return x;
}

// fold_terms is fold_run where every leaf is one term: it has eight of them under way.
template <class Op, class T> DEVICE Carried<T> fold_terms(const Reduce &p, const T *src, int64_t first, bool here) {
  typedef Carried<T> A;
  int64_t leaves = here ? p.leaves : 0;
  A node[3], x = Op::template nothing<A>();
  ROLLED for (int k = 0; 8 * k < p.run; k++) {
    A y[8];
    UNROLL for (int i = 0; i < 8; i++) {
      int64_t number = first + 8 * k + i;
      y[i] = Op::template nothing<A>();
      if (8 * k + i < p.run && number < leaves) y[i] = Op::of(y[i], Number<T>::load(src[number * p.leafStride]));
    }
    UNROLL for (int width = 1; width < 8; width *= 2)
      UNROLL for (int i = 0; i < 8; i += 2 * width) y[i] = Op::of(y[i], y[i + width]);
    x = y[0];
    push<Op>(node, k, x);
  }
  return x;
}

template <class Op, class T> DEVICE void reduce(const Reduce &p) {
  typedef Carried<T> A;
  SHARED(A, totals, 256);
  int size = p.parts * p.width, id = thread().x, group = id / size, part = id % size / p.width;
  int stacked = threads().x / size / p.across, row = group / p.across;
  int64_t blocks = block().x, laneBlock = blocks % p.laneBlocks, leafBlock = blocks / p.laneBlocks % p.leafBlocks;
  int64_t tree = blocks / p.laneBlocks / p.leafBlocks;
  int64_t lanes = laneBlock * p.across + group % p.across, lane = lanes * p.groupLanes + id % p.width;
  bool here = lanes < p.groups && id % p.width < p.groupLanes;

  int64_t at[2] = {};
  if (here) place(p.lane, lane, at);
  const T *src = (const T *)p.src + at[0] + place(p.trees, uint32_t(tree));
  int64_t first = (leafBlock * stacked + row) * p.run;
  A x = p.leafTerms == 1 ? fold_terms<Op>(p, src, first, here) : fold_run<Op>(p, src, first, part, here);

  totals[id] = x;
  ROLLED for (int distance = 1; distance < stacked; distance *= 2) {
    sync();
    if (row % (2 * distance) == 0) totals[id] = x = Op::of(x, totals[id + distance * p.across * size]);
  }
  if (!here || part != 0 || row != 0) return;
  if (p.dtype && p.accumulate) x = Op::of(get<A>(p.dst, at[1], p.dtype), x);
  if (p.dtype)
    store(p.dst, at[1], p.dtype, x);
  else
    ((A *)p.dst)[(tree * p.leafBlocks + leafBlock) * p.lanes + lane] = x;
}

#define REDUCE(name, Op, T) \
  BOUNDED_KERNEL(name, Reduce, p, 256, 3) { reduce<Op, T>(p); }
#define EVERY(Op, name) \
  REDUCE(name##_u8, Op, uint8_t) \
  REDUCE(name##_i32, Op, int32_t) \
  REDUCE(name##_i64, Op, int64_t) \
  REDUCE(name##_f16, Op, F16) \
  REDUCE(name##_bf16, Op, BF16) \
  REDUCE(name##_f32, Op, float) \
  REDUCE(name##_f64, Op, double)
