// exp, sigmoid and tanh of float32 vectors, at most 2 units in the last place from the exact value.
// Polynomial: Cephes (Moshier 1989), expf.
#if defined(RONDO_KERNELS_CPU_ACTIVATION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RONDO_KERNELS_CPU_ACTIVATION_INL_H_
#undef RONDO_KERNELS_CPU_ACTIVATION_INL_H_
#else
#define RONDO_KERNELS_CPU_ACTIVATION_INL_H_
#endif

#include "kernels/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

/// exp(x) - 1 = power*part + (power - 1), for |x| <= 87.3: x = n*log(2) + r, power = 2^n, part = exp(r) - 1,
/// apart so that a sum rounds only where it must.
struct Exponential {
  Vector power, part;
};
HWY_INLINE Exponential exponential(Vector x) {
  const hn::RebindToSigned<Lanes> integers;
  const auto n = hn::NearestInt(hn::Mul(x, set(1.44269504089F)));
  const Vector whole = hn::ConvertTo(Lanes(), n);
  // log(2) in two parts: the first has few bits, so that n times it is exact.
  Vector r = hn::NegMulAdd(whole, set(0.693359375F), x);
  r = hn::NegMulAdd(whole, set(-2.12194440e-4F), r);
  Vector p = hn::MulAdd(set(1.9875691500e-4F), r, set(1.3981999507e-3F));
  p = hn::MulAdd(p, r, set(8.3334519073e-3F));
  p = hn::MulAdd(p, r, set(4.1665795894e-2F));
  p = hn::MulAdd(p, r, set(1.6666665459e-1F));
  p = hn::MulAdd(p, r, set(5.0000001201e-1F));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(n, hn::Set(integers, 127)));
  return {hn::BitCast(Lanes(), exponent), hn::MulAdd(p, hn::Mul(r, r), r)};
}

/// x where it is below the limit, and where it is not a number: one instruction, in this order of operands,
/// but for the scalar target, which would take the number.
HWY_INLINE Vector at_most(float limit, Vector x) {
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Gt(x, set(limit)), set(limit), x);
#else
  return hn::Min(set(limit), x);
#endif
}

/// 1 / (1 + exp(-x)).
HWY_INLINE Vector sigmoid(Vector x) {
  const Exponential e = exponential(at_most(87.3F, hn::Neg(at_most(87.3F, x))));
  return hn::Div(set(1.0F), hn::Add(e.power, hn::MulAdd(e.power, e.part, set(1.0F))));
}

/// sign(x) * q, q = m / (m + 2), m = exp(2|x|) - 1. Near 0 m/2 - m/2*q instead: what the sum m + 2 rounds off
/// then counts less. (1.4 units in the last place at most, 2.4 without.)
HWY_INLINE Vector tanh(Vector x) {
  const Vector size = at_most(10, hn::Abs(x));  // tanh(10) rounds to 1
  const Exponential e = exponential(hn::Add(size, size));
  const Vector m = hn::MulAdd(e.power, e.part, hn::Sub(e.power, set(1.0F)));
  const Vector q = hn::Div(m, hn::Add(m, set(2.0F)));
  const Vector half = hn::Mul(m, set(0.5F));
  const Vector near = hn::NegMulAdd(half, q, half);
  return hn::CopySign(hn::IfThenElse(hn::Lt(size, set(0.3F)), near, q), x);
}

HWY_INLINE Vector relu(Vector x) { return hn::Max(x, zero()); }

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#endif
