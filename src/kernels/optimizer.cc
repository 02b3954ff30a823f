#include "kernels/optimizer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/backend.h"

namespace rondo {
namespace {

// Roundings of one step are below 1e-6 of the update; the margin covers them over and over.
constexpr float kMargin = 1 - 1e-5F;
// The square root of the smallest normal float is 1e-19: beside this epsilon a flushed v makes no difference.
constexpr float kLeastEpsilon = 1e-12F;

bool is_adam(OptimizerStep::Rule rule) {
  return rule == OptimizerStep::Rule::kAdam || rule == OptimizerStep::Rule::kAdamW;
}

}  // namespace

OptimizerNumbers numbers_of(const OptimizerStep& s) {
  const bool adam = is_adam(s.rule);
  const bool decoupled = s.rule == OptimizerStep::Rule::kAdamW;
  const double decay1 = adam ? s.beta1 : s.rule == OptimizerStep::Rule::kSgd ? s.momentum : 0;
  const double decay2 = adam ? s.beta2 : s.rule == OptimizerStep::Rule::kRmsprop ? s.alpha : 0;
  const double rate = adam ? s.rate / (1 - std::pow(s.beta1, static_cast<double>(s.step))) : s.rate;
  const double correction = adam ? 1 / std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))) : 1;
  const auto to_float = [](double value) { return static_cast<float>(value); };
  return {.rate = to_float(rate),
          .keep = decoupled ? to_float(1 - s.rate * s.weight_decay) : 1.0F,
          .correction = to_float(correction),
          .decay1 = to_float(decay1),
          .decay2 = to_float(decay2),
          .share1 = to_float(1 - decay1),
          .share2 = to_float(1 - decay2),
          .epsilon = to_float(s.epsilon),
          .weight_decay = decoupled ? 0.0F : to_float(s.weight_decay),
          .scale = to_float(s.scale)};
}

bool shrinks(const OptimizerNumbers& before, const OptimizerNumbers& after) {
  const float least = std::min(1.0F, std::sqrt(after.decay2) * (after.correction / before.correction));
  const float denominator = after.decay2 > 0 ? least : 1.0F;
  if (after.decay2 > 0 && after.epsilon < kLeastEpsilon) return false;
  return after.keep > 0 && after.rate * after.decay1 <= before.rate * denominator * after.keep * kMargin;
}

/// The definition: optimize() on the row, once a missed step, with a gradient of zeros.
void Backend::catch_up(const OptimizerCatchUp& missed) {
  const std::vector<float> zeros(static_cast<size_t>(missed.table.parameter.columns));
  const int64_t columns = missed.table.parameter.columns;
  const int64_t before = missed.table.step - static_cast<int64_t>(missed.past.size());
  for (size_t i = 0; i < missed.rows.size(); ++i) {
    OptimizerStep step = missed.table;
    step.gradient = {zeros.data(), DType::kFloat32, 1, columns, columns};
    for (Matrix* matrix : {&step.parameter, &step.first, &step.second}) {
      if (*matrix) *matrix = matrix->rows_at(missed.rows[i], 1);
    }
    for (step.step = missed.done[i] + 1; step.step <= missed.table.step; ++step.step) {
      step.rate = missed.past[step.step - before - 1].rate;
      optimize(step);
    }
  }
}

}  // namespace rondo
