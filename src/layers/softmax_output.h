// The output layer of a language model with its loss: a softmax over the vocabulary, or an adaptive one.
//   SoftmaxOutput output(set, {.input = 400, .vocabulary = 30000}, /*tied=*/&embedding.table());
//   Variable loss = output.loss(x, targets, 1.0 / targets.size());   // [1]; no logits are kept
#pragma once

#include <span>
#include <vector>

#include "base/random.h"
#include "layers/initialize.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct SoftmaxShape {
  int64_t input = 0;
  int64_t vocabulary = 0;
  /// First ids of the tails of an adaptive softmax, rising; ids are sorted by falling frequency. Empty: full.
  std::vector<int64_t> cutoffs = {};
  DType type = DType::kFloat32;
};

/// Full: p = softmax(W x + b). Parameters decoder.weight [V, D], unless tied, and decoder.bias [V].
/// Adaptive, with cutoffs c_0 < c_1 < ... < V: the head scores ids below c_0 and one column a tail, and
/// p(id of tail i) = head(tail i) * softmax(W_i P_i x); tail i is as wide as D / 4^(i+1). No biases.
/// Parameters decoder.head.weight [c_0 + tails, D], decoder.tail.{i}.0.weight [D / 4^(i+1), D],
/// decoder.tail.{i}.1.weight [c_{i+1} - c_i, D / 4^(i+1)].
/// Sources: Press & Wolf 2017 (tied); Grave et al. 2017 (adaptive; the names, sizes and order of
/// torch.nn.AdaptiveLogSoftmaxWithLoss).
class SoftmaxOutput {
 public:
  /// @param tied  a table [V, D] with gradients of the whole that is the weight too, or null.
  /// @throws ConfigError for cutoffs that do not rise below V, leave a tail no width, or are beside `tied`;
  /// ShapeError for a table of another shape.
  SoftmaxOutput(ParameterSet& set, const SoftmaxShape& shape, Parameter* tied = nullptr);

  /// As initialize_linear(); beside a tied weight, which its owner fills, the bias is zero.
  void initialize(Initialization rule, const Stream& stream);

  /// scale * sum over r of -log p(targets[r] | x[r]) -> [1].  x [R, D].
  /// @param smoothing  share of each target that all tokens have equally; with a full softmax alone.
  /// @throws ShapeError for another D or R; DataError for a target outside the vocabulary.
  /// Cost: 2*R*D*V operations, three times that on a recording tape; holds one block of logits at a time.
  Variable loss(const Variable& x, std::vector<int32_t> targets, double scale,
                Precision precision = Precision::kFloat32, double smoothing = 0) const;
  /// -log p(targets[r] | x[r]) -> [R], without gradients; the same bits however many rows there are.
  Tensor losses(const Variable& x, std::span<const int32_t> targets,
                Precision precision = Precision::kFloat32) const;
  /// log p(id | x[r]) of every id -> [R, V], without gradients.
  Tensor log_probabilities(const Variable& x, Precision precision = Precision::kFloat32) const;

  const SoftmaxShape& shape() const { return shape_; }
  bool adaptive() const { return !shape_.cutoffs.empty(); }

 private:
  struct Tail {
    int64_t first, size;  ///< its ids: first .. first+size-1
    Parameter *down, *up;
  };
  void check(const Variable& x, std::span<const int32_t> targets) const;
  void add_tails(ParameterSet& set);
  /// The column of the head that scores this id or its tail.
  int32_t head_column(int32_t id) const;
  std::vector<int32_t> head_columns(std::span<const int32_t> targets) const;

  SoftmaxShape shape_;
  Parameter* weight_;          ///< [V, D] or that of the head
  Parameter* bias_ = nullptr;  ///< of the full softmax
  bool tied_;
  std::vector<Tail> tails_;
};

}  // namespace rondo
