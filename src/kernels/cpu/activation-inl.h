// exp, sigmoid and tanh of float32 vectors, at most 2 units in the last place from the exact value.
// Polynomials: Cephes (Moshier 1989), expf and tanhf.
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

/// 1 + exp(x) for |x| <= 87.3: with x = n*log(2) + r it is 2^n + (1 + 2^n*(exp(r)-1)), so that the sum rounds
/// only where it must.
HWY_INLINE Vector one_plus_exp(Vector x) {
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
  p = hn::MulAdd(p, hn::Mul(r, r), r);
  const auto exponent = hn::ShiftLeft<23>(hn::Add(n, hn::Set(integers, 127)));
  const Vector power = hn::BitCast(Lanes(), exponent);
  return hn::Add(power, hn::MulAdd(power, p, set(1.0F)));
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
  const Vector within = at_most(87.3F, hn::Neg(at_most(87.3F, x)));
  return hn::Div(set(1.0F), one_plus_exp(within));
}

/// sign(x) * (1 - 2/(1 + exp(2|x|))), or near 0, where that subtraction would cancel, a polynomial.
HWY_INLINE Vector tanh(Vector x) {
  const Vector size = hn::Abs(x);
  const Vector z = hn::Mul(x, x);
  Vector p = hn::MulAdd(set(-5.70498872745e-3F), z, set(2.06390887954e-2F));
  p = hn::MulAdd(p, z, set(-5.37397155531e-2F));
  p = hn::MulAdd(p, z, set(1.33314422036e-1F));
  p = hn::MulAdd(p, z, set(-3.33332819422e-1F));
  const Vector near = hn::MulAdd(hn::Mul(p, z), size, size);
  const Vector within = at_most(10, size);  // tanh(10) rounds to 1
  const Vector far = hn::Sub(set(1.0F), hn::Div(set(2.0F), one_plus_exp(hn::Add(within, within))));
  return hn::CopySign(hn::IfThenElse(hn::Lt(size, set(0.625F)), near, far), x);
}

HWY_INLINE Vector relu(Vector x) { return hn::Max(x, zero()); }

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#endif
