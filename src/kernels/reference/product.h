// c = op(a) op(b) + bias: the one product of matrices, also inside the recurrent kernels.
#pragma once

#include "kernels/backend.h"
#include "kernels/reference/precision.h"
#include "kernels/reference/view.h"

namespace rondo::reference {

/// c[i,j] = start + sum over k of a[i,k]*b[k,j], where start is c[i,j] when accumulating, else bias[j] or 0.
/// The order of sums is the definition for every backend: see add_products.
template <class T>
void multiply_matrices(const Product& p) {
  const View<const T> a = view<T>(p.a), b = view<T>(p.b), bias = view<T>(p.bias);
  const View<T> c = view<T>(p.c);
  const int64_t depth = p.transpose_a ? a.rows : a.columns;
  for (int64_t i = 0; i < c.rows; ++i) {
    for (int64_t j = 0; j < c.columns; ++j) {
      const T start = p.accumulate ? c(i, j) : bias ? bias(0, j) : T(0);
      c(i, j) = add_products(
          p.precision, depth, [&](int64_t k) { return p.transpose_a ? a(k, i) : a(i, k); },
          [&](int64_t k) { return p.transpose_b ? b(j, k) : b(k, j); }, start);
    }
  }
}

}  // namespace rondo::reference
