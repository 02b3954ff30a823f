#include <algorithm>
#include <vector>

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/sequences.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

using reference::length_of;
using reference::multiply_add;
using reference::real_part;
using reference::view;
using reference::View;

/// weights[r] = exp(scores[r] - m) / sum of the same over the rows of sequence n, m their maximum.
template <class T>
void softmax_over_rows(const PackedRows& rows, int64_t n, View<const T> scores, View<T> weights) {
  const int64_t length = length_of(rows, n);
  if (length == 0) return;
  double maximum = real_part(scores(rows.row(0, n), 0));
  for (int64_t t = 1; t < length; ++t) {
    maximum = std::max<double>(maximum, real_part(scores(rows.row(t, n), 0)));
  }
  T sum = 0;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t r = rows.row(t, n);
    weights(r, 0) = std::exp(scores(r, 0) - static_cast<T>(maximum));
    sum += weights(r, 0);
  }
  for (int64_t t = 0; t < length; ++t) weights(rows.row(t, n), 0) /= sum;
}

/// y[n] = sum over the rows r of sequence n, in the order of steps, of weights[r] * x[r].
template <class T>
void attend_forward(const PackedRows& rows, View<const T> scores, View<const T> x, View<T> weights,
                    View<T> y) {
  for (int64_t n = 0; n < y.rows; ++n) {
    softmax_over_rows(rows, n, scores, weights);
    const int64_t length = length_of(rows, n);
    for (int64_t c = 0; c < y.columns; ++c) {
      T sum = 0;
      for (int64_t t = 0; t < length; ++t) {
        const int64_t r = rows.row(t, n);
        sum = multiply_add(weights(r, 0), x(r, c), sum);
      }
      y(n, c) = sum;
    }
  }
}

/// With d_w[r] = d_y[n] . x[r]:  d_scores[r] += w[r] * (d_w[r] - sum over r' of w[r'] * d_w[r']).
template <class T>
void add_d_scores(const PackedRows& rows, View<const T> weights, View<const T> x, View<const T> d_y,
                  View<T> d_scores) {
  for (int64_t n = 0; n < d_y.rows; ++n) {
    const int64_t length = length_of(rows, n);
    std::vector<T> d_weights(length);
    T mean = 0;
    for (int64_t t = 0; t < length; ++t) {
      const int64_t r = rows.row(t, n);
      for (int64_t c = 0; c < x.columns; ++c) d_weights[t] = multiply_add(d_y(n, c), x(r, c), d_weights[t]);
      mean = multiply_add(weights(r, 0), d_weights[t], mean);
    }
    for (int64_t t = 0; t < length; ++t) {
      const int64_t r = rows.row(t, n);
      d_scores(r, 0) += weights(r, 0) * (d_weights[t] - mean);
    }
  }
}

/// d_x[r] += w[r] * d_y[n].
template <class T>
void add_d_x(const PackedRows& rows, View<const T> weights, View<const T> d_y, View<T> d_x) {
  for (int64_t n = 0; n < d_y.rows; ++n) {
    const int64_t length = length_of(rows, n);
    for (int64_t t = 0; t < length; ++t) {
      const int64_t r = rows.row(t, n);
      for (int64_t c = 0; c < d_x.columns; ++c) d_x(r, c) = multiply_add(weights(r, 0), d_y(n, c), d_x(r, c));
    }
  }
}

}  // namespace

using reference::Checks;
using reference::with_scalar;

void reference::check_attend(const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights,
                             Matrix y) {
  const Checks checks("attend", x.type);
  checks.packed(rows);
  checks.shape("x", x, rows.rows(), x.columns);
  checks.shape("scores", scores, rows.rows(), 1);
  checks.shape("weights", weights, rows.rows(), 1);
  checks.shape("y", y, rows.sequences, x.columns);
}

void ReferenceBackend::attend(const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights,
                              Matrix y) {
  reference::check_attend(rows, scores, x, weights, y);
  with_scalar("attend", x.type, [&]<class T>(T) {
    attend_forward<T>(rows, view<T>(scores), view<T>(x), view<T>(weights), view<T>(y));
  });
}

void reference::check_attend_backward(const PackedRows& rows, ConstMatrix weights, ConstMatrix x,
                                      ConstMatrix d_y, Matrix d_scores, Matrix d_x) {
  const Checks checks("attend_backward", x.type);
  checks.packed(rows);
  checks.shape("x", x, rows.rows(), x.columns);
  checks.shape("weights", weights, rows.rows(), 1);
  checks.shape("d_y", d_y, rows.sequences, x.columns);
  checks.optional("d_scores", d_scores, rows.rows(), 1);
  checks.optional("d_x", d_x, rows.rows(), x.columns);
}

void ReferenceBackend::attend_backward(const PackedRows& rows, ConstMatrix weights, ConstMatrix x,
                                       ConstMatrix d_y, Matrix d_scores, Matrix d_x) {
  reference::check_attend_backward(rows, weights, x, d_y, d_scores, d_x);
  with_scalar("attend_backward", x.type, [&]<class T>(T) {
    if (d_scores) add_d_scores<T>(rows, view<T>(weights), view<T>(x), view<T>(d_y), view<T>(d_scores));
    if (d_x) add_d_x<T>(rows, view<T>(weights), view<T>(d_y), view<T>(d_x));
  });
}

}  // namespace rondo
