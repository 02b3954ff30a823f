// A training task of a few numbers for tests of the loop: no text, no network.
#pragma once

#include <cmath>
#include <functional>
#include <string>

#include "base/random.h"
#include "tensor/operations.h"
#include "training/training_loop.h"

namespace rondo {

/// Lowers the dot product of weights [1, 4] with a random input. The input depends on a number that is
/// carried from step to step, the learning rate on the step; the dev loss is what `dev` says.
class SmallTask final : public TrainingTask {
 public:
  SmallTask() {
    Tensor start({1, 4});
    for (int64_t i = 0; i < 4; ++i) start.data<float>()[i] = 1.0F + static_cast<float>(i);
    weights_ = &parameters_.add("weights", start);
  }

  ParameterSet& parameters() override { return parameters_; }
  int64_t updates_per_epoch() const override { return 6; }

  Step step(Tape& tape, int64_t epoch, int64_t index) override {
    const Stream stream(static_cast<uint64_t>(epoch), {static_cast<uint64_t>(index)});
    Tensor x({1, 4});
    for (int64_t i = 0; i < 4; ++i) {
      x.data<float>()[i] = carried_ + static_cast<float>(stream.uniform(static_cast<uint64_t>(i)));
    }
    carried_ = 0.5F * x.data<float>()[0];
    Step step{.loss = weighted_sum(tape.parameter(*weights_), x), .tokens = 4};
    step.rate_factor = varies_rate ? 0.5 + stream.uniform(9) : 1;
    return step;
  }

  Dev evaluate() override {
    const double loss = dev(*this);
    return {.loss = loss, .metric = -loss};
  }
  ModelFile pack(nlohmann::json metrics) const override {
    return {.kind = "classifier",
            .vocabulary = {"<unk>"},
            .metrics = std::move(metrics),
            .tensors = {{"weights", weights_->value}}};
  }
  nlohmann::json identity() const override { return {{"data", 1}}; }
  NamedTensors state() const override {
    Tensor carried({1});
    carried.fill(carried_);
    return {{"carried", carried}};
  }
  void restore_state(const NamedTensors& state) override {
    carried_ = static_cast<float>(find_tensor(state, "carried").at(0));
  }

  const Parameter& weights() const { return *weights_; }
  double first() const { return weights_->value.at(0); }

  bool varies_rate = true;
  std::function<double(const SmallTask&)> dev = [](const SmallTask& task) { return std::abs(task.first()); };

 private:
  ParameterSet parameters_;
  Parameter* weights_ = nullptr;
  float carried_ = 0;
};

}  // namespace rondo
