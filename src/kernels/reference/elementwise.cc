#include "kernels/reference/elementwise.h"

#include <algorithm>

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {

using reference::Checks;
using reference::view;
using reference::View;
using reference::with_any_type;
using reference::with_scalar;

void ReferenceBackend::copy(ConstMatrix x, Matrix y, bool accumulate) {
  Checks("copy", x.type).shape("y", y, x.rows, x.columns);
  with_any_type("copy", x.type, [&]<class T>(T) {
    const View<const T> from = view<T>(x);
    const View<T> to = view<T>(y);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) to(r, c) = accumulate ? to(r, c) + from(r, c) : from(r, c);
    }
  });
}

void ReferenceBackend::multiply(ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate) {
  const Checks checks("multiply", a.type);
  checks.shape("b", b, b.rows == 1 ? 1 : a.rows, a.columns);
  checks.shape("y", y, a.rows, a.columns);
  with_scalar("multiply", a.type, [&]<class T>(T) {
    const View<const T> left = view<T>(a), right = view<T>(b);
    const View<T> to = view<T>(y);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) {
        const T product = left(r, c) * right(right.rows == 1 ? 0 : r, c);
        to(r, c) = accumulate ? to(r, c) + product : product;
      }
    }
  });
}

void ReferenceBackend::scale(Matrix y, double factor) {
  Checks("scale", y.type).shape("y", y, y.rows, y.columns);
  with_scalar("scale", y.type, [&]<class T>(T) {
    const View<T> to = view<T>(y);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) to(r, c) *= static_cast<T>(factor);
    }
  });
}

void ReferenceBackend::fill(Matrix y, double value) {
  Checks("fill", y.type).shape("y", y, y.rows, y.columns);
  with_any_type("fill", y.type, [&]<class T>(T) {
    const View<T> to = view<T>(y);
    for (int64_t r = 0; r < to.rows; ++r) std::fill_n(to.row(r), to.columns, static_cast<T>(value));
  });
}

void ReferenceBackend::add_column_sums(ConstMatrix x, Matrix y) {
  const Checks checks("add_column_sums", x.type);
  checks.shape("x", x, x.rows, x.columns);
  checks.shape("y", y, 1, x.columns);
  with_scalar("add_column_sums", x.type, [&]<class T>(T) { reference::sum_columns<T>(x, y); });
}

// Elements are numbered row by row, without what stands between the rows. Blocks of 4,096 are added one by
// one, then the sums of the blocks: a thread may take a block, and the rounding is that of 4,096 terms.
double ReferenceBackend::sum_of_squares(ConstMatrix x) {
  constexpr int64_t kBlock = 4096;
  Checks("sum_of_squares", x.type).shape("x", x, x.rows, x.columns);
  double total = 0;
  with_scalar("sum_of_squares", x.type, [&]<class T>(T) {
    const View<const T> from = view<T>(x);
    for (int64_t begin = 0; begin < x.size(); begin += kBlock) {
      double sum = 0;
      for (int64_t i = begin; i < std::min(begin + kBlock, x.size()); ++i) {
        const double magnitude = std::abs(from(i / x.columns, i % x.columns));
        sum += magnitude * magnitude;
      }
      total += sum;
    }
  });
  return total;
}

}  // namespace rondo
