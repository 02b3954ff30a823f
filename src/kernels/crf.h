// A linear-chain conditional random field (CRF) over packed rows: what its kernels read and write.
// A path y of a sequence of T rows scores
//   s(y) = start[y_1] + sum over t of scores[t, y_t] + sum over t > 1 of A[y_{t-1}, y_t] + end[y_T],
// and has the probability exp(s(y)) / Z, Z the sum over all K^T paths. An empty sequence has one path, of
// score 0. Source: Lafferty, McCallum & Pereira 2001; Rabiner 1989 for the recursions.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/array.h"
#include "kernels/packed_rows.h"

namespace rondo {

/// Finite numbers; a transition that shall not be has kForbiddenScore.
struct CrfWeights {
  ConstMatrix transitions;  ///< A [K, K]: A[i, j] from label i to label j
  ConstMatrix start;        ///< [1, K]: from START to the first label
  ConstMatrix end;          ///< [1, K]: from the last label to END
};

/// exp of it is zero in every type, yet sums of it stay finite: a sequence that has no allowed path has a
/// loss.
inline constexpr double kForbiddenScore = -10000;

/// losses[n] = log Z - s(targets): the negative log-likelihood. Cost: R*K^2 multiply-adds.
struct CrfForward {
  PackedRows rows = {};
  ConstMatrix scores = {};                ///< [R, K]
  CrfWeights weights = {};                ///<
  std::span<const int32_t> targets = {};  ///< [R], or empty: losses[n] = log Z
  Matrix alphas = {};                     ///< [R, K] out: what crf_backward wants
  Matrix losses = {};                     ///< [1, N] out
};

/// Adds d_losses[n] * d losses[n] / d input to each gradient; one that is not given is not made.
/// Without targets d losses / d scores[r, k] = p(y_r = k): the marginals.
struct CrfBackward {
  PackedRows rows = {};
  ConstMatrix scores = {};
  CrfWeights weights = {};
  std::span<const int32_t> targets = {};
  ConstMatrix alphas = {};    ///< of crf_forward over the same operands
  ConstMatrix d_losses = {};  ///< [1, N]
  Matrix d_scores = {};       ///< [R, K]
  Matrix d_transitions = {};  ///< [K, K]
  Matrix d_start = {};        ///< [1, K]
  Matrix d_end = {};          ///< [1, K]
};

/// The B best paths of each sequence by falling score, sums in double. Of equal paths the one whose last
/// label is lower comes first, then the label before it, and so on. Cost: R*K^2*B.
struct CrfDecode {
  PackedRows rows = {};
  ConstMatrix scores = {};
  CrfWeights weights = {};
  Matrix labels = {};       ///< [R, B] int32 out: column b is path b; -1 where a sequence has fewer paths
  Matrix path_scores = {};  ///< [N, B] float64 out: s(y); -infinity where there are fewer
};

}  // namespace rondo
