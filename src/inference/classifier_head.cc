#include "inference/classifier_head.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {

ClassifierHead::ClassifierHead(const ClassifierModel& model, Backend& backend)
    : model_(&model),
      backend_(&backend),
      kind_(model.options().pool),
      width_(model.network->recurrent().output_size()),
      parts_((sums() ? 1 : 0) + (maxima() ? 1 : 0)) {
  allocate();
  reset();
}

ClassifierHead::ClassifierHead(const ClassifierHead& other)
    : model_(other.model_),
      backend_(other.backend_),
      kind_(other.kind_),
      width_(other.width_),
      parts_(other.parts_) {
  allocate();
  const std::span<float> from = other.state();
  std::copy(from.begin(), from.end(), pooled_.data<float>());
}

void ClassifierHead::allocate() {
  pooled_ = Tensor({std::max<int64_t>(parts_, 1), width_});
  x_ = Tensor({1, width_ * (kind_ == PoolKind::kConcat ? 3 : 1)});
  logits_ = Tensor({1, model_->labels.size()});
  probabilities_ = Tensor({1, model_->labels.size()});
}

// The order and roundings of Backend::pool, step after step.
void ClassifierHead::add(ConstMatrix y, int64_t steps) {
  for (int64_t t = 0; t < y.rows; ++t) {
    if (sums()) backend_->copy(y.rows_at(t, 1), sum(), true);
    if (!maxima()) continue;
    const float* row = y.row<float>(t);
    float* most = maximum().row<float>(0);
    for (int64_t j = 0; j < width_; ++j) {
      if (steps + t == 0 || row[j] > most[j]) most[j] = row[j];
    }
  }
}

std::span<const float> ClassifierHead::probabilities(std::span<const float> h, int64_t steps) {
  if (kind_ == PoolKind::kAttention) {
    throw_error<ConfigError>(
        "session: --pool attention weighs all outputs of a text against each other: ask for whole texts, or "
        "train with another --pool");
  }
  float* x = x_.data<float>();
  if (kind_ == PoolKind::kFinal || kind_ == PoolKind::kConcat) x = std::copy(h.begin(), h.end(), x);
  if (sums()) {
    const float* total = sum().row<float>(0);
    const auto length = static_cast<float>(std::max<int64_t>(steps, 1));
    for (int64_t j = 0; j < width_; ++j) *x++ = total[j] / length;
  }
  if (maxima()) std::copy_n(maximum().row<float>(0), width_, x);
  const Linear& linear = model_->network->linear();
  backend_->product({.a = x_.matrix(),
                     .b = linear.weight().value.matrix(),
                     .c = logits_.matrix(),
                     .bias = linear.bias().value.matrix(),
                     .transpose_b = true});
  if (model_->labels.multi()) {
    backend_->sigmoid_cross_entropy(logits_.matrix(), {}, probabilities_.matrix(), {});
  } else {
    backend_->softmax_cross_entropy(logits_.matrix(), {}, probabilities_.matrix(), {});
  }
  return {probabilities_.data<float>(), static_cast<size_t>(model_->labels.size())};
}

}  // namespace rondo
