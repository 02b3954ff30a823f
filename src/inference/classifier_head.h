// What a classifier makes of a text's outputs, as they come: pooling so far, and the labels' probabilities.
#pragma once

#include <span>

#include "models/classifier_model.h"

namespace rondo {

class ClassifierHead {
 public:
  /// Both must outlive it.
  ClassifierHead(const ClassifierModel& model, Backend& backend);
  ClassifierHead(const ClassifierHead& other);
  ClassifierHead(ClassifierHead&&) noexcept = default;
  ClassifierHead& operator=(const ClassifierHead&) = delete;
  ClassifierHead& operator=(ClassifierHead&&) noexcept = default;

  /// Outputs of the top layer [T, P] of the next steps; `steps` came before.
  void add(ConstMatrix y, int64_t steps);
  /// @param h  the state of the top layer.  @throws ConfigError with pool attention.
  std::span<const float> probabilities(std::span<const float> h, int64_t steps);

  /// The pooling so far: sums, then maxima, as the pool wants them.
  std::span<float> state() const { return {pooled_.data<float>(), static_cast<size_t>(parts_ * width_)}; }
  void reset() { pooled_.fill(0); }

 private:
  bool sums() const { return kind_ == PoolKind::kMean || kind_ == PoolKind::kConcat; }
  bool maxima() const { return kind_ == PoolKind::kMax || kind_ == PoolKind::kConcat; }
  void allocate();
  Matrix sum() const { return pooled_.matrix().rows_at(0, 1); }
  Matrix maximum() const { return pooled_.matrix().rows_at(sums() ? 1 : 0, 1); }

  const ClassifierModel* model_;
  Backend* backend_;
  PoolKind kind_;
  int64_t width_, parts_;
  Tensor pooled_;                      ///< [parts, P]
  Tensor x_, logits_, probabilities_;  ///< one row each
};

}  // namespace rondo
