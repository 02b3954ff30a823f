// Gradient checks by the complex step: f(x + i*h)/h has df/dx as its imaginary part, without a difference
// that could cancel, so the check is good to the rounding of double (Squire & Trapp 1998).
//   Twin x(stream, 2, 3);  ...backward in double into Array<double> d_x...
//   expect_gradient("x", x.complex, d_x, [&] { return loss of the forward kernel in complex; });
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <string>

#include "cases.h"

namespace rondo {

using Complex = std::complex<double>;

/// One operand in both types, with the same values.
struct Twin {
  Array<double> real;
  Array<Complex> complex;

  Twin(const Stream& stream, int64_t rows, int64_t columns, float scale = 1)
      : real(random_array<double>(stream, rows, columns, scale)),
        complex(random_array<Complex>(stream, rows, columns, scale)) {}
};

/// sum of a * b elementwise: the loss with weights b on an output a, whose gradient is b.
inline Complex weighted_sum(const Array<Complex>& a, const Array<double>& b) {
  Complex sum = 0;
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < a.columns; ++c) sum += a(r, c) * b(r, c);
  }
  return sum;
}

/// Expects d loss / d input = gradient, element by element, to 1e-9 of the element (or of 1e-4 of the largest
/// element: a small one among large ones is a difference of large terms).
template <class Loss>
void expect_gradient(const std::string& name, Array<Complex>& input, const Array<double>& gradient,
                     Loss&& loss) {
  constexpr double kStep = 1e-25, kTolerance = 1e-9;
  if (!input.given()) return;
  double largest = 0;
  for (int64_t r = 0; r < gradient.rows; ++r) {
    for (int64_t c = 0; c < gradient.columns; ++c) largest = std::max(largest, std::abs(gradient(r, c)));
  }
  for (int64_t r = 0; r < input.rows; ++r) {
    for (int64_t c = 0; c < input.columns; ++c) {
      const Complex kept = input(r, c);
      input(r, c) += Complex(0, kStep);
      const double want = loss().imag() / kStep;
      input(r, c) = kept;
      const double scale = std::max(std::abs(want), 1e-4 * largest);
      ASSERT_NEAR(gradient(r, c), want, kTolerance * scale) << name << "[" << r << ", " << c << "]";
    }
  }
}

}  // namespace rondo
