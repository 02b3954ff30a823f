#include "training/averaging.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/errors.h"

namespace rondo {

namespace {

// Numbers that one task of the pool averages: about 10 us of work.
constexpr int64_t kGrain = 1 << 15;

}  // namespace

void AveragingOptions::check() const {
  if (averaging == AveragingKind::kNt || averaging_patience == AveragingOptions().averaging_patience) return;
  throw_error<ConfigError>("--averaging-patience {} has no effect with --averaging {}; leave it out",
                           averaging_patience, name_of(averaging));
}

Averaging::Averaging(Backend& backend, ParameterSet& parameters, const AveragingOptions& options)
    : backend_(backend), parameters_(parameters), options_(options) {
  options_.check();
  active_ = options_.averaging == AveragingKind::kAlways;
}

void Averaging::update() {
  if (!active_) return;
  ++updates_;
  if (averages_.empty()) {
    for (const Parameter& parameter : parameters_.all()) {
      if (parameter.trainable) averages_.emplace_back(parameter.name, parameter.value.clone());
    }
    return;
  }
  const float share = 1.0F / static_cast<float>(updates_);
  auto average = averages_.begin();
  for (const Parameter& parameter : parameters_.all()) {
    if (!parameter.trainable) continue;
    const float* x = parameter.value.data<float>();
    float* mu = (average++)->second.data<float>();
    backend_.threads().split(parameter.value.size(), kGrain, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) mu[i] += (x[i] - mu[i]) * share;
    });
  }
}

bool Averaging::report(double dev_loss) {
  if (!awaited() || !std::isfinite(dev_loss)) return false;
  const auto patience = static_cast<size_t>(options_.averaging_patience);
  if (losses_.size() > patience) {
    const auto last = losses_.end() - static_cast<std::ptrdiff_t>(patience);
    active_ = dev_loss > *std::min_element(losses_.begin(), last);
  }
  losses_.push_back(dev_loss);
  return active_;
}

void Averaging::swap() {
  auto average = averages_.begin();
  for (Parameter& parameter : parameters_.all()) {
    if (parameter.trainable && average != averages_.end()) std::swap(parameter.value, (average++)->second);
  }
}

NamedTensors Averaging::tensors() const { return averages_; }

nlohmann::json Averaging::to_json() const {
  return {{"active", active_}, {"updates", updates_}, {"losses", losses_}};
}

void Averaging::restore(const nlohmann::json& state, const NamedTensors& tensors) {
  try {
    state.at("active").get_to(active_);
    state.at("updates").get_to(updates_);
    state.at("losses").get_to(losses_);
  } catch (const nlohmann::json::exception& error) {
    throw_error<FormatError>("averaging: the state is damaged: {}", error.what());
  }
  averages_.clear();
  if (updates_ == 0 && tensors.empty()) return;
  for (const Parameter& parameter : parameters_.all()) {
    if (!parameter.trainable) continue;
    const Tensor& average = find_tensor(tensors, parameter.name);
    if (average.type() != DType::kFloat32 || average.shape() != parameter.value.shape()) {
      throw_error<FormatError>("average of {}: wanted float32 {}, got {}", parameter.name,
                               to_string(parameter.value.shape()), to_string(average.shape()));
    }
    averages_.emplace_back(parameter.name, average);
  }
  if (updates_ > 0 && averages_.size() == tensors.size()) return;
  throw_error<FormatError>("averaging: {} tensors for {} parameters after {} updates", tensors.size(),
                           averages_.size(), updates_);
}

}  // namespace rondo
