#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/sequences.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

using reference::length_of;
using reference::real_part;
using reference::view;
using reference::View;

/// y[n] = (x[step 0] + x[step 1] + ...) / length: one chain in the order of steps, then one division.
template <class T>
void pool_mean(const PackedRows& rows, View<const T> x, View<T> y) {
  for (int64_t n = 0; n < y.rows; ++n) {
    const int64_t length = length_of(rows, n);
    for (int64_t c = 0; c < y.columns; ++c) {
      T sum = 0;
      for (int64_t t = 0; t < length; ++t) sum += x(rows.row(t, n), c);
      y(n, c) = length > 0 ? sum / static_cast<T>(static_cast<double>(length)) : T(0);
    }
  }
}

/// y[n] = max over steps of x; of equal values the first is chosen.
template <class T>
void pool_max(const PackedRows& rows, View<const T> x, View<T> y, View<int32_t> chosen) {
  for (int64_t n = 0; n < y.rows; ++n) {
    const int64_t length = length_of(rows, n);
    for (int64_t c = 0; c < y.columns; ++c) {
      int64_t best = length > 0 ? rows.row(0, n) : -1;
      for (int64_t t = 1; t < length; ++t) {
        if (real_part(x(rows.row(t, n), c)) > real_part(x(best, c))) best = rows.row(t, n);
      }
      y(n, c) = best >= 0 ? x(best, c) : T(0);
      chosen(n, c) = static_cast<int32_t>(best);
    }
  }
}

/// d_x[r] += d_y[n] / length for every row r of sequence n.
template <class T>
void pool_mean_backward(const PackedRows& rows, View<const T> d_y, View<T> d_x) {
  for (int64_t n = 0; n < d_y.rows; ++n) {
    const int64_t length = length_of(rows, n);
    for (int64_t t = 0; t < length; ++t) {
      for (int64_t c = 0; c < d_y.columns; ++c) {
        d_x(rows.row(t, n), c) += d_y(n, c) / static_cast<T>(static_cast<double>(length));
      }
    }
  }
}

/// d_x[chosen[n]] += d_y[n].
template <class T>
void pool_max_backward(View<const T> d_y, View<const int32_t> chosen, View<T> d_x) {
  for (int64_t n = 0; n < d_y.rows; ++n) {
    for (int64_t c = 0; c < d_y.columns; ++c) {
      if (chosen(n, c) < 0) continue;
      if (chosen(n, c) >= d_x.rows) {
        throw_error<ShapeError>("pool_backward: chosen[{}, {}] must be below {}, got {}", n, c, d_x.rows,
                                chosen(n, c));
      }
      d_x(chosen(n, c), c) += d_y(n, c);
    }
  }
}

}  // namespace

using reference::Checks;
using reference::with_scalar;

void ReferenceBackend::pool(Pool kind, const PackedRows& rows, ConstMatrix x, Matrix y, Matrix chosen) {
  const Checks checks("pool", x.type);
  checks.packed(rows);
  checks.shape("x", x, rows.rows(), x.columns);
  checks.shape("y", y, rows.sequences, x.columns);
  if (kind == Pool::kMax) checks.shape("chosen", chosen, rows.sequences, x.columns, DType::kInt32);
  with_scalar("pool", x.type, [&]<class T>(T) {
    if (kind == Pool::kMean) return pool_mean<T>(rows, view<T>(x), view<T>(y));
    pool_max<T>(rows, view<T>(x), view<T>(y), view<int32_t>(chosen));
  });
}

void ReferenceBackend::pool_backward(Pool kind, const PackedRows& rows, ConstMatrix d_y, ConstMatrix chosen,
                                     Matrix d_x) {
  const Checks checks("pool_backward", d_y.type);
  checks.packed(rows);
  checks.shape("d_y", d_y, rows.sequences, d_y.columns);
  checks.shape("d_x", d_x, rows.rows(), d_y.columns);
  if (kind == Pool::kMax) checks.shape("chosen", chosen, rows.sequences, d_y.columns, DType::kInt32);
  with_scalar("pool_backward", d_y.type, [&]<class T>(T) {
    if (kind == Pool::kMean) return pool_mean_backward<T>(rows, view<T>(d_y), view<T>(d_x));
    pool_max_backward<T>(view<T>(d_y), view<int32_t>(chosen), view<T>(d_x));
  });
}

}  // namespace rondo
