// From the rows of a sequence to one vector: mean, maximum, or attention.
#pragma once

#include "base/random.h"
#include "layers/initialize.h"
#include "tensor/packing.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

/// y[n] = mean or maximum over the rows of sequence n, each column for itself.  x [R, D] -> [N, D], packed
/// order. An empty sequence gives zeros.
Variable pool(Pool kind, const Variable& x, const Packing& packing);

struct Attended {
  Variable y;      ///< [N, D]
  Tensor weights;  ///< [R, 1]: they sum to one over a sequence
};
/// y[n] = sum over its rows of softmax(scores) * x.  scores [R, 1], x [R, D].
Attended attend(const Variable& scores, const Variable& x, const Packing& packing);

/// Attention pooling: u = tanh(W x + b), score = u . context, weights = softmax over the sequence.
/// Parameters attention.weight [D, D], attention.bias [D], attention.context [1, D].
/// Source: Yang et al. 2016, "Hierarchical attention networks for document classification".
class AttentionPooling {
 public:
  AttentionPooling(ParameterSet& set, int64_t input, DType type = DType::kFloat32);
  void initialize(Initialization rule, const Stream& stream);
  /// @param precision  of the product with W.
  Attended forward(const Variable& x, const Packing& packing,
                   Precision precision = Precision::kFloat32) const;

 private:
  Parameter& weight_;
  Parameter& bias_;
  Parameter& context_;
};

}  // namespace rondo
