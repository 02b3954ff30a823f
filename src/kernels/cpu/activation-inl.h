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

/// exp(x) for |x| <= 87.3: x = n*log(2) + r, exp(x) = 2^n * exp(r).
HWY_INLINE Vector exp_within(Vector x) {
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
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), set(1.0F));
  const auto exponent = hn::ShiftLeft<23>(hn::Add(n, hn::Set(integers, 127)));
  return hn::Mul(p, hn::BitCast(Lanes(), exponent));
}

/// The number first in Min and Max: where x is not a number, the result is not one either.
HWY_INLINE Vector sigmoid(Vector x) {
  const Vector within = hn::Max(set(-87.3F), hn::Min(set(87.3F), x));
  return hn::Div(set(1.0F), hn::Add(set(1.0F), exp_within(hn::Neg(within))));
}

HWY_INLINE Vector tanh(Vector x) {
  const Vector size = hn::Abs(x);
  // Near 0 the subtraction of the other form would cancel.
  const Vector z = hn::Mul(x, x);
  Vector p = hn::MulAdd(set(-5.70498872745e-3F), z, set(2.06390887954e-2F));
  p = hn::MulAdd(p, z, set(-5.37397155531e-2F));
  p = hn::MulAdd(p, z, set(1.33314422036e-1F));
  p = hn::MulAdd(p, z, set(-3.33332819422e-1F));
  const Vector near = hn::MulAdd(hn::Mul(p, z), x, x);
  const Vector within = hn::Min(set(10.0F), size);  // tanh(10) rounds to 1
  const Vector e = exp_within(hn::Add(within, within));
  const Vector far = hn::Sub(set(1.0F), hn::Div(set(2.0F), hn::Add(e, set(1.0F))));
  return hn::IfThenElse(hn::Lt(size, set(0.625F)), near, hn::CopySign(far, x));
}

HWY_INLINE Vector relu(Vector x) { return hn::Max(x, zero()); }

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#endif
