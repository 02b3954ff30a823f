// A linear layer and its softmax cross-entropy as one operation that never holds all logits: with a
// vocabulary of 30,000 they would be most of a step's memory.
//   Variable loss = linear_cross_entropy({.x = x, .w = w, .b = b, .targets = ids, .scale = 1.0 /
//   ids.size()});
#pragma once

#include <span>
#include <vector>

#include "tensor/tape.h"

namespace rondo {

struct LinearCrossEntropy {
  Variable x;                    ///< [R, D]
  Variable w;                    ///< [V, D]
  Variable b = {};               ///< [V] or none
  std::vector<int32_t> targets;  ///< [R], each below V
  double scale = 1;
  Precision precision = Precision::kFloat32;
  double smoothing = 0;  ///< share of the target that all V columns have equally
};

/// scale * sum over r of -log softmax(x[r] w^T + b)[targets[r]] -> [1]; with smoothing s (Szegedy et al.
/// 2016) (1 - s) times that and s times the mean of it over all columns as targets. Blocks of rows go through
/// logits, softmax and, on a recording tape, their part of the gradients at once; the backward pass only
/// scales what the forward pass has left. The bits are those of linear() and softmax_cross_entropy(). @throws
/// ShapeError if shapes differ or a target is no row of w. Cost: 2*R*D*V operations, 6*R*D*V where x and w
/// want gradients. Holds kLogitBytes of logits, and where recording d_w.
Variable linear_cross_entropy(const LinearCrossEntropy& pass);

/// losses[r] = -log softmax(x[r] w^T + b)[targets[r]], outside any tape.  losses [1, R]; an empty b is none.
void linear_cross_entropies(Backend& backend, const Product& logits, std::span<const int32_t> targets,
                            Matrix losses);

/// log_probabilities[r] = log softmax(x[r] w^T + b), outside any tape. `logits.c` [R, V] is where they go.
void linear_log_probabilities(Backend& backend, const Product& logits);

/// Bytes of logits that are held at once (one row, where a row is larger). Each block packs w anew, twice
/// where it has gradients: at R = 1400, D = 400, V = 30000 a step took 1.04, 0.86, 0.79 and 0.77 s of one
/// core with 8, 16, 24 and 32 MiB, and 0.94 s with all 160 MiB of them at once (bench/softmax_bench).
inline constexpr int64_t kLogitBytes = int64_t{32} << 20;

}  // namespace rondo
