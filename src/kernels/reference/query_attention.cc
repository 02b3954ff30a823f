#include "kernels/reference/query_attention.h"

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/sequences.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

using reference::Checks;
using reference::length_of;
using reference::multiply_add;
using reference::real_part;
using reference::View;
using reference::view;
using reference::with_scalar;

/// One query and the rows that it sees.
template <class T>
struct Query {
  const AttentionOperands& in;
  int64_t q, length;
  View<const T> queries, keys, values, v, centers;

  Query(const AttentionOperands& in_, int64_t q_)
      : in(in_),
        q(q_),
        length(length_of(in_.rows, in_.sources[q_])),
        queries(view<T>(in_.queries)),
        keys(view<T>(in_.keys)),
        values(view<T>(in_.values)),
        v(view<T>(in_.v)),
        centers(view<T>(in_.centers)) {}

  int64_t row(int64_t s) const { return in.rows.row(s, in.sources[q]); }

  T score(int64_t s) const {
    T sum = 0;
    for (int64_t a = 0; a < keys.columns; ++a) {
      if (in.score == Score::kDot) {
        sum = multiply_add(queries(q, a), keys(row(s), a), sum);
      } else {
        sum = multiply_add(v(0, a), std::tanh(queries(q, a) + keys(row(s), a)), sum);
      }
    }
    return sum;
  }

  /// s - p.
  T distance(int64_t s) const { return T(s) - T(length) * centers(q, 0); }
  T window(int64_t s) const {
    if (!centers) return 1;
    const T x = distance(s) / T(in.deviation);
    return std::exp(-x * x / T(2));
  }
};

template <class T>
void softmax(const Query<T>& query, T* shares) {
  double most = 0;
  for (int64_t s = 0; s < query.length; ++s) {
    shares[s] = query.score(s);
    const double score = real_part(shares[s]);
    if (s == 0 || score > most) most = score;
  }
  T sum = 0;
  for (int64_t s = 0; s < query.length; ++s) {
    shares[s] = std::exp(shares[s] - T(most));
    sum += shares[s];
  }
  for (int64_t s = 0; s < query.length; ++s) shares[s] /= sum;
}

template <class T>
void forward(const AttentionForward& pass) {
  const View<T> weights = view<T>(pass.weights), shares = view<T>(pass.shares), y = view<T>(pass.contexts);
  for (int64_t q = 0; q < y.rows; ++q) {
    const Query<T> query(pass.in, q);
    for (int64_t s = 0; s < weights.columns; ++s) weights(q, s) = 0;
    softmax(query, weights.row(q));
    for (int64_t s = 0; shares && s < weights.columns; ++s) {
      shares(q, s) = weights(q, s);
      if (s < query.length) weights(q, s) *= query.window(s);
    }
    for (int64_t d = 0; d < y.columns; ++d) {
      T sum = 0;
      for (int64_t s = 0; s < query.length; ++s) {
        sum = multiply_add(weights(q, s), query.values(query.row(s), d), sum);
      }
      y(q, d) = sum;
    }
  }
}

/// d_score[s] = a_s * (d_a_s - sum over s' of a_s' * d_a_s'), in place of d_weights.
template <class T>
void softmax_backward(const T* shares, std::vector<T>& d) {
  T mean = 0;
  for (size_t s = 0; s < d.size(); ++s) mean = multiply_add(shares[s], d[s], mean);
  for (size_t s = 0; s < d.size(); ++s) d[s] = shares[s] * (d[s] - mean);
}

/// d p = sum over s of d_w_s * w_s * (s - p) / sigma^2, and p = S * center. Leaves d_a = d_w * window in d.
template <class T>
void window_backward(const Query<T>& query, const T* weights, std::vector<T>& d, View<T> d_centers) {
  T d_place = 0;
  for (int64_t s = 0; s < query.length; ++s) {
    d_place += d[s] * weights[s] * query.distance(s);
    d[s] *= query.window(s);
  }
  const double variance = query.in.deviation * query.in.deviation;
  if (d_centers) d_centers(query.q, 0) += d_place * T(query.length) / T(variance);
}

/// d_q += d_e * de/dq and so on, of one row.
template <class T>
void score_backward(const Query<T>& query, int64_t s, T d_score, const AttentionBackward& pass) {
  const View<T> d_queries = view<T>(pass.d_queries), d_keys = view<T>(pass.d_keys), d_v = view<T>(pass.d_v);
  const int64_t row = query.row(s), q = query.q;
  for (int64_t a = 0; a < query.keys.columns; ++a) {
    T by_query = query.keys(row, a), by_key = query.queries(q, a);
    if (query.in.score == Score::kAdditive) {
      const T u = std::tanh(query.queries(q, a) + query.keys(row, a));
      by_query = by_key = query.v(0, a) * (T(1) - u * u);
      if (d_v) d_v(0, a) += d_score * u;
    }
    if (d_queries) d_queries(q, a) += d_score * by_query;
    if (d_keys) d_keys(row, a) += d_score * by_key;
  }
}

template <class T>
void backward(const AttentionBackward& pass) {
  const View<const T> weights = view<T>(pass.weights), d_y = view<T>(pass.d_contexts);
  const View<const T> shares = pass.shares ? view<T>(pass.shares) : weights;
  const View<const T> d_weights = view<T>(pass.d_weights);
  const View<T> d_values = view<T>(pass.d_values);
  for (int64_t q = 0; q < weights.rows; ++q) {
    const Query<T> query(pass.in, q);
    std::vector<T> d(static_cast<size_t>(query.length));
    for (int64_t s = 0; s < query.length; ++s) {
      const int64_t row = query.row(s);
      if (d_weights) d[s] = d_weights(q, s);
      for (int64_t c = 0; c < d_y.columns; ++c) {
        d[s] = multiply_add(d_y(q, c), query.values(row, c), d[s]);
        if (d_values) d_values(row, c) = multiply_add(weights(q, s), d_y(q, c), d_values(row, c));
      }
    }
    if (query.centers) window_backward(query, weights.row(q), d, view<T>(pass.d_centers));
    softmax_backward(shares.row(q), d);
    for (int64_t s = 0; s < query.length; ++s) score_backward(query, s, d[s], pass);
  }
}

void check_operands(const Checks& checks, const AttentionOperands& in) {
  const int64_t queries = in.queries.rows, memory = in.rows.rows();
  checks.packed(in.rows);
  checks.ids("sources", in.sources, queries, in.rows.sequences);
  checks.shape("queries", in.queries, queries, in.keys.columns);
  checks.shape("keys", in.keys, memory, in.keys.columns);
  checks.shape("values", in.values, memory, in.values.columns);
  if (in.score == Score::kAdditive) checks.shape("v", in.v, 1, in.keys.columns);
  checks.optional("centers", in.centers, queries, 1);
}

}  // namespace

void reference::check_attention(const AttentionForward& pass) {
  const AttentionOperands& in = pass.in;
  const Checks checks("attention_forward", in.keys.type);
  check_operands(checks, in);
  checks.shape("weights", pass.weights, in.queries.rows, in.rows.steps());
  if (in.centers) checks.shape("shares", pass.shares, in.queries.rows, in.rows.steps());
  checks.shape("contexts", pass.contexts, in.queries.rows, in.values.columns);
}

void reference::check_attention(const AttentionBackward& pass) {
  const AttentionOperands& in = pass.in;
  const int64_t queries = in.queries.rows;
  const Checks checks("attention_backward", in.keys.type);
  check_operands(checks, in);
  checks.shape("weights", pass.weights, queries, in.rows.steps());
  if (in.centers) checks.shape("shares", pass.shares, queries, in.rows.steps());
  checks.optional("d_contexts", pass.d_contexts, queries, in.values.columns);
  checks.optional("d_weights", pass.d_weights, queries, in.rows.steps());
  checks.optional("d_queries", pass.d_queries, queries, in.keys.columns);
  checks.optional("d_keys", pass.d_keys, in.rows.rows(), in.keys.columns);
  checks.optional("d_values", pass.d_values, in.rows.rows(), in.values.columns);
  checks.optional("d_v", pass.d_v, 1, in.keys.columns);
  checks.optional("d_centers", pass.d_centers, queries, 1);
}

void ReferenceBackend::attention_forward(const AttentionForward& pass) {
  reference::check_attention(pass);
  with_scalar("attention_forward", pass.in.keys.type, [&]<class T>(T) { forward<T>(pass); });
}

void ReferenceBackend::attention_backward(const AttentionBackward& pass) {
  reference::check_attention(pass);
  with_scalar("attention_backward", pass.in.keys.type, [&]<class T>(T) { backward<T>(pass); });
}

}  // namespace rondo
