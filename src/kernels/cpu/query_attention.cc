#include "kernels/cpu/query_attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/runs.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/vector_ops.h"

namespace rondo {

namespace {

/// Number of rows of every sequence.
std::vector<int64_t> lengths_of(const PackedRows& rows) {
  std::vector<int64_t> lengths(static_cast<size_t>(rows.sequences), 0);
  for (int64_t t = 0; t < rows.steps(); ++t) {
    for (int64_t n = 0; n < rows.count(t); ++n) ++lengths[static_cast<size_t>(n)];
  }
  return lengths;
}

/// One query over the rows of its sequence.
struct Query {
  const AttentionOperands& in;
  int64_t q, n, length;

  const float* query() const { return in.queries.row<float>(q); }
  const float* key(int64_t s) const { return in.keys.row<float>(in.rows.row(s, n)); }
  const float* value(int64_t s) const { return in.values.row<float>(in.rows.row(s, n)); }
  /// u = tanh(q + k_s).
  void hidden(int64_t s, float* u) const {
    const int64_t size = in.keys.columns;
    vector_ops().copy(query(), u, size);
    vector_ops().add(key(s), u, size);
    vector_ops().tanh(u, u, size);
  }
  /// (s - p) / sigma, in double: sigma may be far from 1.
  double distance(int64_t s) const {
    const double place = static_cast<double>(length) * static_cast<double>(*in.centers.row<float>(q));
    return (static_cast<double>(s) - place) / in.deviation;
  }
  float window(int64_t s) const {
    const double x = distance(s);
    return static_cast<float>(std::exp(-x * x / 2));
  }
};

void scores(const Query& query, float* to) {
  const int64_t size = query.in.keys.columns;
  if (query.in.score == Score::kDot) {
    for (int64_t s = 0; s < query.length; ++s) to[s] = vector_ops().dot(query.query(), query.key(s), size);
    return;
  }
  ScratchFrame frame;
  float* u = frame.take(size);
  for (int64_t s = 0; s < query.length; ++s) {
    query.hidden(s, u);
    to[s] = vector_ops().dot(query.in.v.row<float>(0), u, size);
  }
}

void attend(const AttentionForward& pass, const Query& query) {
  float* weights = pass.weights.row<float>(query.q);
  float* context = pass.contexts.row<float>(query.q);
  vector_ops().fill(weights, 0, pass.weights.columns);
  vector_ops().fill(context, 0, pass.contexts.columns);
  if (pass.shares) vector_ops().fill(pass.shares.row<float>(query.q), 0, pass.shares.columns);
  if (query.length == 0) return;
  scores(query, weights);
  const float most = vector_ops().largest(weights, query.length);
  vector_ops().divide(weights, vector_ops().exponentials(weights, most, weights, query.length), query.length);
  if (pass.in.centers) {
    vector_ops().copy(weights, pass.shares.row<float>(query.q), query.length);
    for (int64_t s = 0; s < query.length; ++s) weights[s] *= query.window(s);
  }
  for (int64_t s = 0; s < query.length; ++s) {
    vector_ops().add_scaled(weights[s], query.value(s), context, pass.contexts.columns);
  }
}

/// Numbers that a task works on: queries times rows times columns.
int64_t grain(const AttentionOperands& in, int64_t pieces) {
  const int64_t width = in.keys.columns + in.values.columns;
  const int64_t each = in.rows.steps() * width * in.queries.rows / std::max<int64_t>(pieces, 1);
  return 1 + kTask / std::max<int64_t>(each, 1);
}

/// Queries of each sequence in their order: those of sequence n are list[begin[n]] .. list[begin[n+1]-1].
struct BySequence {
  std::vector<int64_t> begin;
  std::vector<int32_t> list;

  explicit BySequence(const AttentionOperands& in)
      : begin(static_cast<size_t>(in.rows.sequences) + 1, 0), list(in.sources.size()) {
    for (const int32_t n : in.sources) ++begin[static_cast<size_t>(n) + 1];
    for (size_t n = 1; n < begin.size(); ++n) begin[n] += begin[n - 1];
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (size_t q = 0; q < in.sources.size(); ++q) {
      list[static_cast<size_t>(next[static_cast<size_t>(in.sources[q])]++)] = static_cast<int32_t>(q);
    }
  }
};

/// The backward pass of the queries of one sequence.
class SequenceBackward {
 public:
  /// @param d_v  [A] of this sequence alone, or null.
  SequenceBackward(const AttentionBackward& pass, float* d_v)
      : pass_(pass), size_(pass.in.keys.columns), d_v_(d_v) {}

  void run(const Query& query) {
    if (query.length == 0) return;
    ScratchFrame frame;
    float* d = frame.take(query.length);
    d_weights(query, d);
    const float* weights = pass_.weights.row<float>(query.q);
    const float* shares = pass_.in.centers ? pass_.shares.row<float>(query.q) : weights;
    if (pass_.in.centers) window(query, weights, d);
    const float mean = vector_ops().dot(shares, d, query.length);
    for (int64_t s = 0; s < query.length; ++s) d[s] = shares[s] * (d[s] - mean);
    if (pass_.in.score == Score::kDot) {
      dot(query, d);
    } else {
      additive(query, d);
    }
  }

 private:
  void d_weights(const Query& query, float* d) const {
    const int64_t columns = pass_.in.values.columns, q = query.q;
    for (int64_t s = 0; s < query.length; ++s) d[s] = pass_.d_weights ? pass_.d_weights.row<float>(q)[s] : 0;
    if (!pass_.d_contexts) return;
    const float* d_context = pass_.d_contexts.row<float>(q);
    for (int64_t s = 0; s < query.length; ++s) {
      d[s] += vector_ops().dot(d_context, query.value(s), columns);
      if (!pass_.d_values) continue;
      vector_ops().add_scaled(pass_.weights.row<float>(q)[s], d_context,
                              pass_.d_values.row<float>(pass_.in.rows.row(s, query.n)), columns);
    }
  }

  void window(const Query& query, const float* weights, float* d) const {
    double d_place = 0;
    for (int64_t s = 0; s < query.length; ++s) {
      d_place += static_cast<double>(d[s]) * weights[s] * query.distance(s);
      d[s] *= query.window(s);
    }
    if (!pass_.d_centers) return;
    *pass_.d_centers.row<float>(query.q) +=
        static_cast<float>(d_place * static_cast<double>(query.length) / pass_.in.deviation);
  }

  void dot(const Query& query, const float* d) const {
    for (int64_t s = 0; s < query.length; ++s) {
      if (pass_.d_queries) {
        vector_ops().add_scaled(d[s], query.key(s), pass_.d_queries.row<float>(query.q), size_);
      }
      if (pass_.d_keys) vector_ops().add_scaled(d[s], query.query(), d_key(query, s), size_);
    }
  }

  void additive(const Query& query, const float* d) const {
    ScratchFrame frame;
    float *u = frame.take(size_), *d_u = frame.take(size_);
    for (int64_t s = 0; s < query.length; ++s) {
      query.hidden(s, u);
      if (d_v_ != nullptr) vector_ops().add_scaled(d[s], u, d_v_, size_);
      vector_ops().copy(query.in.v.row<float>(0), d_u, size_);
      vector_ops().scale(d_u, d[s], size_);
      if (pass_.d_queries) {
        vector_ops().tanh_backward(u, d_u, pass_.d_queries.row<float>(query.q), size_);
      }
      if (pass_.d_keys) vector_ops().tanh_backward(u, d_u, d_key(query, s), size_);
    }
  }

  float* d_key(const Query& query, int64_t s) const {
    return pass_.d_keys.row<float>(pass_.in.rows.row(s, query.n));
  }

  const AttentionBackward& pass_;
  int64_t size_;
  float* d_v_;
};

}  // namespace

void cpu_attention_forward(ThreadPool& pool, const AttentionForward& pass) {
  const std::vector<int64_t> lengths = lengths_of(pass.in.rows);
  const int64_t queries = pass.in.queries.rows;
  pool.split(queries, grain(pass.in, queries), [&](int64_t begin, int64_t end) {
    for (int64_t q = begin; q < end; ++q) {
      const int64_t n = pass.in.sources[static_cast<size_t>(q)];
      attend(pass, {.in = pass.in, .q = q, .n = n, .length = lengths[static_cast<size_t>(n)]});
    }
  });
}

void cpu_attention_backward(ThreadPool& pool, const AttentionBackward& pass) {
  const std::vector<int64_t> lengths = lengths_of(pass.in.rows);
  const BySequence queries(pass.in);
  const int64_t sequences = pass.in.rows.sequences, size = pass.in.keys.columns;
  const bool sums_v = pass.d_v && pass.in.score == Score::kAdditive;
  ScratchFrame frame;
  float* d_v = sums_v ? frame.take_zeros(sequences * size) : nullptr;
  pool.split(sequences, grain(pass.in, sequences), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      SequenceBackward backward(pass, sums_v ? d_v + n * size : nullptr);
      for (int64_t i = queries.begin[static_cast<size_t>(n)]; i < queries.begin[static_cast<size_t>(n) + 1];
           ++i) {
        const int64_t q = queries.list[static_cast<size_t>(i)];
        backward.run({.in = pass.in, .q = q, .n = n, .length = lengths[static_cast<size_t>(n)]});
      }
    }
  });
  for (int64_t n = 0; sums_v && n < sequences; ++n) {
    vector_ops().add(d_v + n * size, pass.d_v.row<float>(0), size);
  }
}

}  // namespace rondo
