// Operations on variables: each checks its shapes, runs one kernel and records its gradient.
// Recurrent layers, embeddings and pooling are in layers/.
#pragma once

#include <span>
#include <vector>

#include "tensor/tape.h"

namespace rondo {

/// y = x w^T + b.  x [R, D], w [K, D], b [1, K] or none -> [R, K].
/// @throws ShapeError if x.dim(1) != w.dim(1).  Cost: 2*R*D*K operations.
Variable linear(const Variable& x, const Variable& w, const Variable& b = {},
                Precision precision = Precision::kFloat32);

/// y = act(x), elementwise.
Variable activate(Activation kind, const Variable& x);

/// Inverted dropout: each element becomes 0 with `probability`, else x/(1-probability). x itself when not
/// training or 0. Source: Srivastava et al. 2014.
Variable dropout(const Variable& x, double probability);

/// Rows and columns of a matrix; 0 rows or columns: all from the first on.
struct Slice {
  int64_t first_row = 0, rows = 0;
  int64_t first_column = 0, columns = 0;
};
/// y = x[first_row .. , first_column ..].  @throws ShapeError if it reaches beyond x.
Variable slice(const Variable& x, const Slice& part);

/// Columns of all inputs side by side: [N, A], [N, B] -> [N, A+B].
Variable concatenate(std::span<const Variable> parts);

/// Rows of all inputs one below the other: [A, D], [B, D] -> [A+B, D].
/// @throws ShapeError if they differ in columns.
Variable stack_rows(std::span<const Variable> parts);

/// a + b, elementwise.  @throws ShapeError if their shapes differ.
Variable add(const Variable& a, const Variable& b);

/// sum over n of weights[n] * losses[n].  losses [1, N] or [N] -> [1].
Variable weighted_sum(const Variable& losses, const Tensor& weights);

struct Loss {
  Variable losses;       ///< [1, N]
  Tensor probabilities;  ///< [N, K]
};
/// losses[n] = -log softmax(logits[n])[targets[n]].  logits [N, K].
Loss softmax_cross_entropy(const Variable& logits, std::vector<int32_t> targets);
/// losses[n] = sum over k of the binary cross-entropy of sigmoid(logits[n,k]) with targets[n,k] in {0, 1}.
/// both [N, K].
Loss sigmoid_cross_entropy(const Variable& logits, const Tensor& targets);

}  // namespace rondo
