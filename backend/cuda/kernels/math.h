// The functions of elementwise programs on float32 and float64, without a library: bit operations, correctly rounded arithmetic and fused multiply-adds,
// so the same source gives the same bits on a GPU and on the host.
//
// Methods and polynomials are those of package simd, operation by operation but for sine, cosine and tanh of float32: minimax by Remez' exchange, rounded to
// the type, each with its greatest relative error after rounding. docs/NUMERICS.md has the errors of the results. What package simd leaves to Go, the angles of large arguments, atan2
// and mod, is as in package cpu. Each function has the special values of package backend.
#pragma once

#include "format.h"
#include "math_erf.h"
#include "math_exp.h"
#include "math_log.h"
#include "math_pow.h"
#include "math_trig.h"
