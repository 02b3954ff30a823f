// Sums over rows, also inside the recurrent kernels.
#pragma once

#include "kernels/reference/view.h"

namespace rondo::reference {

/// y[0, j] += x[0, j], then x[1, j], x[2, j], ...: the gradient of a bias, as the batch's sum over rows.
template <class T>
void sum_columns(const ConstMatrix& x, const Matrix& y) {
  const View<const T> from = view<T>(x);
  const View<T> to = view<T>(y);
  for (int64_t r = 0; r < from.rows; ++r) {
    for (int64_t c = 0; c < from.columns; ++c) to(0, c) += from(r, c);
  }
}

}  // namespace rondo::reference
