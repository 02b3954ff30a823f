#include "layers/attention_reward.h"

#include <cmath>

#include "exact_gradients.h"
#include "layers/pooling.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::ElementsAre;

Tensor table(const std::vector<float>& values, int64_t columns) {
  return Tensor::from(values).reshape({static_cast<int64_t>(values.size()) / columns, columns});
}

TEST(AttentionReward, IsTheWeightedLogarithmAndTheEntropy) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Variable weights = tape.input(table({0.5, 0.25, 0.25, 0.1F, 0.9F, 0}, 3));
  const double told = attention_reward(weights, {1, 0}, {2, -3}, 0).value().at(0);
  EXPECT_NEAR(told, -2 * std::log(0.25) + 3 * std::log(0.1), 1e-6);
  const double entropy =
      -(0.5 * std::log(0.5) + 0.5 * std::log(0.25) + 0.1 * std::log(0.1) + 0.9 * std::log(0.9));
  EXPECT_NEAR(attention_reward(weights, {1, 0}, {0, 0}, 0.7).value().at(0), -0.7 * entropy, 1e-6);
}

TEST(AttentionReward, HasExactGradients) {
  ParameterSet set;
  Parameter& weights = set.add("weights", Tensor::zeros({3, 4}, DType::kComplex128));
  for (int64_t i = 0; i < 12; ++i) {
    weights.value.data<std::complex<double>>()[i] = 0.05 * static_cast<double>(i + 1);
  }
  expect_exact_gradients(set, [&](Tape& tape) {
    return attention_reward(tape.parameter(weights), {3, 0, 2}, {1.5, -0.5, 2}, 0.3);
  });
}

TEST(AttentionReward, NoWeightIsTooSmallForALogarithm) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend, {.recording = true});
  const Variable weights = tape.input(table({0, 1, 0}, 3), true);
  const Variable loss = attention_reward(weights, {0}, {1}, 0.5);
  EXPECT_TRUE(std::isfinite(loss.value().at(0)));
  tape.backward(loss);
  for (int64_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isfinite(weights.gradient().at(i)));
}

TEST(AttentionReward, RegionsAreDrawnByTheirWeights) {
  std::vector<float> rows;
  for (int i = 0; i < 2000; ++i) rows.insert(rows.end(), {0.2F, 0, 0.5F, 0.3F});
  const Tensor weights = table(rows, 4);
  std::vector<int> counts(4);
  for (const int32_t region : draw_regions(weights, Stream(8))) ++counts[static_cast<size_t>(region)];
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[0] / 2000.0, 0.2, 0.03);
  EXPECT_NEAR(counts[2] / 2000.0, 0.5, 0.03);
  EXPECT_EQ(draw_regions(weights, Stream(8)), draw_regions(weights, Stream(8)));
  EXPECT_THAT(best_regions(table({0.2F, 0.5F, 0.3F, 0.4F, 0.2F, 0.4F}, 3)), ElementsAre(1, 0));
}

TEST(AttentionReward, ShapesThatDoNotFitAreErrors) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Variable weights = tape.input(table({0.5F, 0.5F}, 2));
  EXPECT_THROW(attention_reward(weights, {2}, {1}, 0), ShapeError);
  EXPECT_THROW(attention_reward(weights, {0, 1}, {1, 1}, 0), ShapeError);
  EXPECT_THROW(attention_reward(weights, {0}, {}, 0), ShapeError);
}

}  // namespace
}  // namespace rondo
