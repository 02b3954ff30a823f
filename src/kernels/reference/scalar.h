// The arithmetic of one scalar, for float, double and complex<double>.
// Complex numbers are here for the complex-step gradient: with x + i*h, h = 1e-25, the imaginary part of a
// result over h is its derivative to the last digit, as nothing is subtracted (Squire & Trapp 1998). For that
// every function must be analytic near the real line, so choices branch on the real part alone.
#pragma once

#include <cmath>
#include <complex>

namespace rondo::reference {

using Complex = std::complex<double>;

inline float real_part(float x) { return x; }
inline double real_part(double x) { return x; }
inline double real_part(Complex x) { return x.real(); }

/// a*b + c: fused for real numbers, so that a chain of them has one result on every machine.
inline float multiply_add(float a, float b, float c) { return std::fma(a, b, c); }
inline double multiply_add(double a, double b, double c) { return std::fma(a, b, c); }
/// Written out: operator* of std::complex looks for NaN in every product.
inline Complex multiply_add(Complex a, Complex b, Complex c) {
  return {a.real() * b.real() - a.imag() * b.imag() + c.real(),
          a.real() * b.imag() + a.imag() * b.real() + c.imag()};
}

/// log(1 + x), exact for small x.
inline float log_one_plus(float x) { return std::log1p(x); }
inline double log_one_plus(double x) { return std::log1p(x); }
inline Complex log_one_plus(Complex x) {
  const double a = x.real(), b = x.imag();
  return {0.5 * std::log1p(2 * a + a * a + b * b), std::atan2(b, 1 + a)};
}

/// 1 / (1 + exp(-x)); exp is taken of a number below zero only, which cannot overflow.
template <class T>
T sigmoid(T x) {
  if (real_part(x) >= 0) return T(1) / (T(1) + std::exp(-x));
  const T e = std::exp(x);
  return e / (T(1) + e);
}

template <class T>
T relu(T x) {
  return real_part(x) > 0 ? x : T(0);
}

}  // namespace rondo::reference
