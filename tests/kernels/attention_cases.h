// Attention's operands of one shape, with the same values in every scalar type.
//   AttentionOperandsOf<float> a({.lengths = {3, 0, 5}, .queries = 7}, 1);
//   backend->attention_forward(a.forward());
#pragma once

#include "kernels/attention.h"
#include "kernels/cases.h"

namespace rondo {

struct AttentionCase {
  Score score = Score::kDot;
  bool window = false;
  std::vector<int64_t> lengths = {3, 0, 5, 1};
  int64_t queries = 9;
  int64_t size = 4;     ///< columns of queries and keys
  int64_t columns = 6;  ///< of values
  int64_t padding = 0;  ///< unused columns of all matrices
  float scale = 1;
};

inline std::ostream& operator<<(std::ostream& out, const AttentionCase& c) {
  return out << (c.score == Score::kDot ? "dot" : "additive") << (c.window ? "_window" : "") << "_N"
             << c.lengths.size() << "_Q" << c.queries << "_A" << c.size << "_D" << c.columns << "_x"
             << c.scale;
}

inline std::vector<AttentionCase> attention_cases() {
  std::vector<AttentionCase> cases;
  std::vector<int64_t> many;
  for (int64_t n = 0; n < 40; ++n) many.push_back(n * 7 % 23);
  for (const Score score : {Score::kDot, Score::kAdditive}) {
    for (const bool window : {false, true}) {
      for (const LengthsCase& lengths : lengths_cases()) {
        cases.push_back({.score = score, .window = window, .lengths = lengths.lengths, .padding = 3});
      }
      cases.push_back(
          {.score = score, .window = window, .lengths = many, .queries = 150, .size = 37, .columns = 53});
      cases.push_back({.score = score,
                       .window = window,
                       .lengths = {40},
                       .queries = 1,
                       .size = 1,
                       .columns = 1,
                       .scale = 5});
      cases.push_back({.score = score, .window = window, .lengths = {2, 2}, .queries = 0});
    }
  }
  return cases;
}

template <class T>
struct AttentionOperandsOf {
  AttentionCase shape;
  Packing packing;
  std::vector<int32_t> sources;
  Array<T> queries, keys, values, v, centers, weights, shares, contexts;
  Array<T> d_contexts, d_weights, d_queries, d_keys, d_values, d_v, d_centers;

  AttentionOperandsOf(const AttentionCase& shape_, uint64_t seed) : shape(shape_), packing(shape_.lengths) {
    const Stream stream(seed, {0x617474});
    const int64_t R = packing.num_rows(), Q = shape.queries, P = shape.padding;
    const int64_t S = packing.rows().steps(), A = shape.size, D = shape.columns;
    for (int64_t q = 0; q < Q; ++q) {
      sources.push_back(static_cast<int32_t>(stream.sub(0).below(q, shape.lengths.size())));
    }
    queries = random_array<T>(stream.sub(1), Q, A, shape.scale, P);
    keys = random_array<T>(stream.sub(2), R, A, shape.scale, P);
    values = random_array<T>(stream.sub(3), R, D, 1, P);
    if (shape.score == Score::kAdditive) v = random_array<T>(stream.sub(4), 1, A, 1, P);
    weights = Array<T>(Q, S, P);
    contexts = Array<T>(Q, D, P);
    d_contexts = random_array<T>(stream.sub(6), Q, D, 1, P);
    d_weights = random_array<T>(stream.sub(7), Q, S, 1, P);
    d_queries = Array<T>(Q, A, P);
    d_keys = Array<T>(R, A, P);
    d_values = Array<T>(R, D, P);
    if (v.given()) d_v = Array<T>(1, A, P);
    if (!shape.window) return;
    shares = Array<T>(Q, S, P);
    centers = Array<T>(Q, 1);
    for (int64_t q = 0; q < Q; ++q) centers(q, 0) = T(stream.sub(5).uniform(q));
    d_centers = Array<T>(Q, 1);
  }

  AttentionOperands operands() const {
    return {.score = shape.score,
            .rows = packing.rows(),
            .sources = sources,
            .queries = queries,
            .keys = keys,
            .values = values,
            .v = v,
            .centers = centers,
            .deviation = 1.5};
  }
  AttentionForward forward() {
    return {.in = operands(), .weights = weights, .shares = shares, .contexts = contexts};
  }
  AttentionBackward backward() {
    return {.in = operands(),
            .weights = weights,
            .shares = shares,
            .d_contexts = d_contexts,
            .d_weights = d_weights,
            .d_queries = d_queries,
            .d_keys = d_keys,
            .d_values = d_values,
            .d_v = d_v,
            .d_centers = d_centers};
  }
};

}  // namespace rondo
