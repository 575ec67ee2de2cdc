// The functions that elementwise programs call: one for each instruction that takes more than a few lines of PTX.
#include "math.h"

#define FOR_FLOATS(name, f) \
  FUNCTION(float, name##_f32, float x) { return f(x); } \
  FUNCTION(double, name##_f64, double x) { return f(x); }

FOR_FLOATS(exp, exponential)
FOR_FLOATS(expm1, exponential_minus_one)
FOR_FLOATS(log, logarithm)
FOR_FLOATS(log1p, log_one_plus)
FOR_FLOATS(tanh, hyperbolic_tangent)
FOR_FLOATS(erf, error_function)
FOR_FLOATS(gelu, gelu)
FOR_FLOATS(gelu_grad, gelu_grad)
FOR_FLOATS(sigmoid, logistic)
FOR_FLOATS(softplus, soft_plus)

FUNCTION(double, sin_f64, double x) { return magnitude(x) < 0x1p-27 ? x : sine(x, 0); }
FUNCTION(double, cos_f64, double x) { return sine(x, 1); }

// far_f32 says which arguments of sine and cosine float32 cannot reduce.
DEVICE bool far_f32(float x) { return magnitude(x) >= 0x1p17f && magnitude(x) < infinity<float>(); }

FUNCTION(float, sin_f32, float x) {
  if (far_f32(x)) return float(sin_f64(x));
  return magnitude(x) < 0x1p-13f ? x : sine_near(x, 0);
}
FUNCTION(float, cos_f32, float x) { return far_f32(x) ? float(cos_f64(x)) : sine_near(x, 1); }

FUNCTION(float, pow_f32, float x, float y) { return powered(x, y); }
FUNCTION(double, pow_f64, double x, double y) { return powered(x, y); }
FUNCTION(uint32_t, pow_u8, uint32_t x, uint32_t y) { return integer_power<uint32_t, uint32_t>(x, y) & 0xff; }
FUNCTION(int32_t, pow_s32, int32_t x, int32_t y) { return integer_power<int32_t, uint32_t>(x, y); }
FUNCTION(int64_t, pow_s64, int64_t x, int64_t y) { return integer_power<int64_t, uint64_t>(x, y); }
FUNCTION(double, atan2_f64, double y, double x) { return angle(y, x); }
FUNCTION(float, atan2_f32, float y, float x) { return float(angle(y, x)); }
FUNCTION(float, mod_f32, float x, float y) { return floor_mod(x, y); }
FUNCTION(double, mod_f64, double x, double y) { return floor_mod(x, y); }
