#include "training/recomputed_loss.h"

#include <gmock/gmock.h>

#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo {
namespace {

// Documents of 9, 1 and 6 tokens in one chunk.
StreamChunk chunk() {
  StreamChunk chunk{.packing = Packing(std::vector<int64_t>{9, 1, 6})};
  for (int32_t r = 0; r < 16; ++r) {
    chunk.inputs.push_back(1 + (r * 5) % 7);
    chunk.targets.push_back(1 + (r * 3) % 7);
  }
  return chunk;
}

LanguageModelOptions options(bool tied) {
  LanguageModelOptions options{.embedding = 6,
                               .embedding_dropout = 0.2,
                               .recurrent = {.hidden = 6,
                                             .layers = 2,
                                             .input_dropout = 0.2,
                                             .dropout = 0.3,
                                             .locked_dropout = true,
                                             .weight_dropout = 0.3},
                               .output_dropout = 0.3,
                               .tied = tied};
  return options;
}

RecurrentState initial(Tape& tape) {
  Tensor h({3, 6}), c({3, 6});
  for (int64_t i = 0; i < 18; ++i) {
    h.data<float>()[i] = 0.01F * static_cast<float>(i);
    c.data<float>()[i] = 0.1F - 0.02F * static_cast<float>(i);
  }
  return {{tape.input(h), tape.input(h)}, {tape.input(c), tape.input(c)}};
}

// Every gradient, in the order of the parameters, dense.
std::vector<double> gradients(const ParameterSet& set) {
  std::vector<double> all;
  for (const Parameter& parameter : set.all()) {
    std::vector<double> dense(static_cast<size_t>(parameter.value.size()), 0);
    if (parameter.gradient) {
      for (size_t i = 0; i < dense.size(); ++i) dense[i] = parameter.gradient.at(static_cast<int64_t>(i));
    }
    const auto& rows = parameter.row_gradient.rows;
    for (size_t r = 0; r < rows.size(); ++r) {
      for (int64_t c = 0; c < 6; ++c) {
        dense[static_cast<size_t>(rows[r] * 6 + c)] =
            parameter.row_gradient.values.at(static_cast<int64_t>(r) * 6 + c);
      }
    }
    all.insert(all.end(), dense.begin(), dense.end());
  }
  return all;
}

TEST(RecomputedLoss, HasTheGradientsOfTheWholeChunk) {
  for (const bool tied : {false, true}) {
    LanguageNetwork network(options(tied), 9);
    network.initialize(Stream(4));
    const auto backend = open_device("cpu", 1);
    const auto part = std::make_shared<StreamChunk>(chunk());
    const auto run = [&](int64_t steps) {
      network.parameters().clear_gradients();
      Tape tape(*backend, {.recording = true, .training = true, .random = Stream(8)});
      const RecomputedLoss result =
          recomputed_loss(tape, network, {.chunk = part, .steps = steps, .scale = 1.0 / 16}, initial(tape));
      const double loss = result.loss.value().at(0);
      tape.backward(result.loss);
      std::vector<double> values = gradients(network.parameters());
      values.push_back(loss);
      for (const Tensor& state : {result.h[0], result.h[1], result.c[1]}) {
        for (int64_t i = 0; i < state.size(); ++i) values.push_back(state.at(i));
      }
      return values;
    };
    const std::vector<double> whole = run(9);
    double largest = 0;
    for (const double value : whole) largest = std::max(largest, std::abs(value));
    EXPECT_GT(largest, 0.01);
    for (const int64_t steps : {1, 2, 4, 8}) {
      const std::vector<double> parts = run(steps);
      ASSERT_EQ(parts.size(), whole.size());
      // Sums over rows in another order.
      for (size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 2e-6) << steps << " " << i;
    }
  }
}

TEST(RecomputedLoss, RefusesMasksAStep) {
  LanguageModelOptions wrong = options(false);
  wrong.recurrent.locked_dropout = false;
  LanguageNetwork network(wrong, 9);
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend, {.recording = true, .training = true});
  EXPECT_THROW(
      recomputed_loss(tape, network, {.chunk = std::make_shared<StreamChunk>(chunk()), .steps = 2}, {}),
      ConfigError);
}

}  // namespace
}  // namespace rondo
