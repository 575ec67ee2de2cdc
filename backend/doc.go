// Package backend is the contract between Weir and the machines it runs on.
//
// An operation is a value, a [Cmd]: what to do, and the [View] of each operand. The same value is executed, recorded,
// replayed, printed and tested, so a backend is one method, [Stream.Exec], and the nine operations it must know:
//
//	copy         strided copy, casting between dtypes
//	map          an elementwise program, a [Prog]; an eager operation is a program of length one
//	reduce       sum, prod, max, min, argmax, argmin over any axes
//	matmul       batched matrix product, accumulating if asked, summing over batch axes that the result lacks
//	gather       pick along an axis by index
//	scatter-add  add along an axis by index, in a fixed order
//	scan         cumulative sum along an axis
//	sort         stable sort along an axis, with the permutation
//	random       Philox4x32-10 words, uniforms and normals
//
// Everything else Weir does is composed of these. A backend may know more operations; it announces each one through
// [Device.Supports], exact to dtype, shape and stride, and callers keep a decomposition for backends that do not. An
// operation that a backend must know and does not is an error, never a silent trip to another device. One such operation is in the contract:
//
//	repeat       a [Loop] of commands on pieces of larger operands, so that a step on many samples runs a few at a time
//
// Streams and devices may have interfaces beside that: [Parallel] says how work is shared, and [Replayer] takes a recorded step as one thing. They change
// how fast results come, and no bit of them.
//
// # Meaning
//
// What follows is part of every operation, the same on every backend.
//
// Views. The iteration space of a command is the shape of its operands; broadcasting is a stride of 0, reversal a
// negative stride. A destination never overlaps itself (no stride of 0 along an axis longer than 1). It may be exactly
// one of the sources of a map, element for element; any other overlap with a source is not allowed.
//
// Rounding. Arithmetic is IEEE 754, to nearest even, in the dtype of the instruction, and a product is rounded before it
// is added: no contraction to fused multiply-add in programs. (Inside matmul and reduce the leaf sums of the next paragraph
// may use any arithmetic at least as accurate.) Instructions on float16 and bfloat16 compute in float32 and round their result,
// so a fused chain equals its parts. Transcendental functions are within the tolerances of backend/backendtest.
//
// Sums. The value of a float sum depends on its shape only, never on workers, tiling or whether it is replayed. See [Leaf]: the
// outermost summed axis is cut into leaves, and the leaves are added in the tree of [TreeSplit]. A leaf is summed in an order and a precision
// of the backend's choice, at least that of the carried type, which is float32 for float16 and bfloat16 and else the dtype itself; then it is
// rounded to the carried type, in which the tree adds. The result is rounded once more if its dtype is narrower. The choice for a leaf
// of a reduction depends on the leaf's shape alone; for one of a matrix product on the summed dimensions and N alone, so not on M, strides or
// batch. Accumulate adds the destination's old value to the finished sum. Integer sums wrap.
//
// Products have no grain: each result is rounded in the dtype at every step (float16 and bfloat16: carried in float32), in an order of the backend's
// choice. A scan adds one by one and a scatter-add in the order of i, both in the carried type.
//
// Special values. Min, max, argmin and argmax see NaN as the extreme value: any NaN makes min and max NaN, and the first NaN
// is the arg. Max(-0, +0) is +0 and Min is -0, but for argmax and argmin zeros tie. Ties go to the first index. Sort puts NaN last, also when
// descending, and -0 equals +0. The empty sum is 0, the empty product 1, the empty max −Inf or the least integer, the empty min +Inf
// or the greatest; an empty argmax or argmin is an error. Functions take their limits at ±Inf, so GELU(−Inf) is 0 and GELUGrad(±Inf) is 1 and 0. The sign of a zero
// sum, and which NaN a NaN is, are not defined.
//
// Integers. Arithmetic wraps. Division truncates toward zero, and x/0 = 0. Mod is the exact remainder of truncated division, plus the divisor where
// their signs differ, for floats too, where it is rounded once; x mod 0 is 0 for integers, NaN for floats, and x mod ±Inf is x or, where the
// signs differ, ±Inf.
//
// Casts. A float becomes an integer by truncation; out of range saturates and NaN becomes 0. An integer becomes a narrower one by
// wrapping. Anything but zero becomes true, NaN included; true becomes 1. Float64 becomes float16 or bfloat16 by way of
// float32, and integers become either by way of float64.
//
// Indices of gather and scatter-add are int64 in [0, n). One out of range is an error of the stream.
//
// Random numbers are a function of a seed, an offset and the logical index of the element: see [Philox4x32] and [RandomKind].
package backend
