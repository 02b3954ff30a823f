// Attention of many queries over packed memory rows: what its kernels read and write.
// A query q of sequence n scores the rows r_0, r_1, ... of that sequence, S of them:
//   dot       e_s = q . k[r_s]
//   additive  e_s = v . tanh(q + k[r_s])
// and a = softmax(e). With a window the weights are w_s = a_s * exp(-(s - p)^2 / (2 sigma^2)), p = S *
// center, not normalised again; else w = a. The context is sum over s of w_s * values[r_s]. A query of an
// empty sequence sees zeros. Sources: Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/array.h"
#include "kernels/packed_rows.h"

namespace rondo {

enum class Score { kDot, kAdditive };

/// What every pass of attention reads. S is the longest sequence's length.
struct AttentionOperands {
  Score score = Score::kDot;
  PackedRows rows = {};                   ///< of the memory
  std::span<const int32_t> sources = {};  ///< [Q] sequence of each query
  ConstMatrix queries = {};               ///< [Q, A]
  ConstMatrix keys = {};                  ///< [R, A]
  ConstMatrix values = {};                ///< [R, D]
  ConstMatrix v = {};                     ///< [1, A] of the additive score, else none
  ConstMatrix centers = {};               ///< [Q, 1] in 0 .. 1, or none: no window
  double deviation = 1;                   ///< sigma, in rows
};

/// Cost: 2*S*(A + D) operations a query.
struct AttentionForward {
  AttentionOperands in = {};
  Matrix weights = {};   ///< [Q, S] out: exactly 0 behind the end of a query's sequence
  Matrix shares = {};    ///< [Q, S] out: a, where there is a window, else none
  Matrix contexts = {};  ///< [Q, D] out
};

/// Adds to each gradient that is given. The order of sums is that of the queries, whoever runs them.
struct AttentionBackward {
  AttentionOperands in = {};
  ConstMatrix weights = {};     ///< of attention_forward over the same operands
  ConstMatrix shares = {};      ///<
  ConstMatrix d_contexts = {};  ///< [Q, D], or empty: zeros
  ConstMatrix d_weights = {};   ///< [Q, S] where something else reads the weights, or empty: zeros
  Matrix d_queries = {};        ///< [Q, A]
  Matrix d_keys = {};           ///< [R, A]
  Matrix d_values = {};         ///< [R, D]
  Matrix d_v = {};              ///< [1, A]
  Matrix d_centers = {};        ///< [Q, 1]
};

}  // namespace rondo
