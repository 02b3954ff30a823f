#include "training/optimizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <ostream>

#include "base/random.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference_backend.h"
#include "training/clipping.h"

namespace rondo {
namespace {

constexpr int64_t kRows = 23;
constexpr int64_t kColumns = 19;  // no multiple of a vector

Tensor random_tensor(Shape shape, const Stream& stream, double scale) {
  Tensor tensor(std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) {
    tensor.data<float>()[i] = static_cast<float>(scale * stream.normal(static_cast<uint64_t>(i)));
  }
  return tensor;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

/// A table, as a sparse parameter or as an ordinary one, with its optimiser.
struct Table {
  Table(Backend& backend, const OptimizerOptions& options, bool sparse, int64_t rows = kRows) {
    Parameter& table = parameters.add("table", random_tensor({rows, kColumns}, Stream(1), 0.5));
    table.sparse = sparse;
    optimizer.emplace(backend, parameters, options);
  }
  Parameter& table() { return parameters.all().front(); }

  /// Gives a gradient of these rows, drawn from `stream`, and steps.
  Optimizer::StepReport step(const std::vector<int32_t>& rows, const Stream& stream, double rate) {
    const auto count = static_cast<int64_t>(rows.size());
    const Tensor values = random_tensor({count, kColumns}, stream, 0.1);
    if (table().sparse) {
      if (table().before_read) table().before_read(rows);
      table().row_gradient = {rows, values};
    } else {
      table().gradient = Tensor::zeros(table().value.shape());
      for (int64_t i = 0; i < count; ++i) {
        std::copy_n(values.data<float>() + i * kColumns, kColumns,
                    table().gradient.data<float>() + rows[i] * kColumns);
      }
    }
    return optimizer->step(rate);
  }

  ParameterSet parameters;
  std::optional<Optimizer> optimizer;
};

/// Rows of step `t`: some often, some seldom, the last two never before step 400.
std::vector<int32_t> rows_of_step(int64_t t, int64_t rows) {
  const Stream stream(7, {static_cast<uint64_t>(t)});
  std::vector<int32_t> chosen;
  for (int64_t row = 0; row < rows; ++row) {
    const double share = row >= rows - 2 && t < 400 ? 0 : 1.0 / static_cast<double>(1 + row * row / 2);
    if (stream.uniform(static_cast<uint64_t>(row)) < share) chosen.push_back(static_cast<int32_t>(row));
  }
  return chosen;
}

/// Warms up, falls, jumps up once, and stops for a while.
double rate_of_step(int64_t t) {
  if (t < 20) return 1e-2 * static_cast<double>(t + 1) / 20;
  if (t >= 300 && t < 310) return 0;
  return t == 350 ? 0.5 : 1e-2 * std::exp(-static_cast<double>(t) / 200);
}

struct Case {
  const char* name;
  OptimizerOptions options;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  using Rule = OptimizerRule;
  return {{"Sgd", {.optimizer = Rule::kSgd, .clip = 0}},
          {"SgdMomentum", {.optimizer = Rule::kSgd, .momentum = 0.9, .clip = 0}},
          {"SgdWeightDecay", {.optimizer = Rule::kSgd, .momentum = 0.9, .weight_decay = 1e-2, .clip = 0}},
          {"Adam", {.clip = 0}},
          {"AdamWeightDecay", {.weight_decay = 1e-2, .clip = 0}},
          {"AdamGrowingUpdates", {.beta1 = 0.95, .beta2 = 0.8, .clip = 0}},
          {"AdamFast", {.beta1 = 0.5, .beta2 = 0.9, .clip = 0}},
          {"AdamWithoutMean", {.beta1 = 0, .clip = 0}},
          {"AdamTinyEpsilon", {.epsilon = 1e-18, .clip = 0}},
          {"AdamW", {.optimizer = Rule::kAdamW, .clip = 0}},
          {"AdamWDecay", {.optimizer = Rule::kAdamW, .weight_decay = 0.3, .clip = 0}},
          {"Rmsprop", {.optimizer = Rule::kRmsprop, .clip = 0}},
          {"Adagrad", {.optimizer = Rule::kAdagrad, .clip = 0}}};
}

class OptimizerCases : public testing::TestWithParam<Case> {
 protected:
  static std::vector<std::unique_ptr<Backend>> backends() {
    std::vector<std::unique_ptr<Backend>> list;
    list.push_back(make_reference_backend());
    list.push_back(make_cpu_backend(1));
    list.push_back(make_cpu_backend(3));
    return list;
  }
};

INSTANTIATE_TEST_SUITE_P(Rules, OptimizerCases, testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(OptimizerCases, RowsLeftBehindEndWithTheBitsOfDenseSteps) {
  for (const auto& backend : backends()) {
    Table dense(*backend, GetParam().options, false);
    Table lazy(*backend, GetParam().options, true);
    for (int64_t t = 0; t < 600; ++t) {
      const std::vector<int32_t> rows = rows_of_step(t, kRows);
      const Stream stream(3, {static_cast<uint64_t>(t)});
      dense.step(rows, stream, rate_of_step(t));
      lazy.step(rows, stream, rate_of_step(t));
      if (t % 97 != 96 && t != 599) continue;
      const auto expected = dense.optimizer->tensors();
      const auto got = lazy.optimizer->tensors();
      ASSERT_TRUE(same_bits(dense.table().value, lazy.table().value)) << backend->name() << " step " << t;
      for (size_t i = 0; i < expected.size(); ++i) {
        ASSERT_TRUE(same_bits(expected[i].second, got[i].second)) << got[i].first << " step " << t;
      }
    }
  }
}

TEST_P(OptimizerCases, SettlingInBetweenChangesNothing) {
  for (const auto& backend : backends()) {
    Table often(*backend, GetParam().options, true);
    Table once(*backend, GetParam().options, true);
    for (int64_t t = 0; t < 300; ++t) {
      const Stream stream(3, {static_cast<uint64_t>(t)});
      often.step(rows_of_step(t, kRows), stream, rate_of_step(t));
      once.step(rows_of_step(t, kRows), stream, rate_of_step(t));
      if (t % 7 == 0) often.optimizer->settle();
    }
    often.optimizer->settle();
    once.optimizer->settle();
    EXPECT_TRUE(same_bits(often.table().value, once.table().value)) << backend->name();
  }
}

TEST_P(OptimizerCases, GoesOnFromItsState) {
  for (const auto& backend : backends()) {
    Table whole(*backend, GetParam().options, true);
    Table resumed(*backend, GetParam().options, true);
    for (int64_t t = 0; t < 100; ++t) {
      const Stream stream(3, {static_cast<uint64_t>(t)});
      whole.step(rows_of_step(t, kRows), stream, rate_of_step(t));
      if (t == 50) {
        const auto tensors = whole.optimizer->tensors();
        resumed.optimizer->restore(tensors, whole.optimizer->steps());
        std::memcpy(resumed.table().value.raw(), whole.table().value.raw(),
                    static_cast<size_t>(whole.table().value.bytes()));
      }
      if (t > 50) resumed.step(rows_of_step(t, kRows), stream, rate_of_step(t));
    }
    whole.optimizer->settle();
    resumed.optimizer->settle();
    EXPECT_EQ(whole.optimizer->steps(), resumed.optimizer->steps());
    EXPECT_TRUE(same_bits(whole.table().value, resumed.table().value)) << backend->name();
  }
}

TEST_P(OptimizerCases, BackendsAgree) {
  const auto list = backends();
  std::vector<Tensor> results;
  for (const auto& backend : list) {
    Table table(*backend, GetParam().options, true);
    for (int64_t t = 0; t < 100; ++t) {
      table.step(rows_of_step(t, kRows), Stream(3, {static_cast<uint64_t>(t)}), rate_of_step(t));
    }
    table.optimizer->settle();
    results.push_back(table.table().value);
  }
  for (int64_t i = 0; i < results[0].size(); ++i) EXPECT_NEAR(results[0].at(i), results[1].at(i), 2e-5) << i;
  EXPECT_TRUE(same_bits(results[1], results[2])) << "one thread and three";
}

/// Three steps from {1, -2} at rate 0.1, by torch 2.15.
struct TorchCase {
  const char* name;
  OptimizerOptions options;
  double expected[3][2];
};

TEST(Optimizer, EqualsTorchOverThreeSteps) {
  using Rule = OptimizerRule;
  const TorchCase table[] = {
      {"sgd", {.optimizer = Rule::kSgd, .clip = 0}, {{0.95, -1.9}, {0.925, -2.1}, {0.9375, -2.1}}},
      {"sgd, momentum and weight decay",
       {.optimizer = Rule::kSgd, .momentum = 0.9, .weight_decay = 0.01, .clip = 0},
       {{0.949, -1.898}, {0.8771510124, -2.0043020248}, {0.8241097331, -2.0979695320}}},
      {"adam", {.clip = 0}, {{0.9, -1.9}, {0.8067820668, -1.9366103411}, {0.7504159212, -1.9649102688}}},
      {"adam, weight decay",
       {.weight_decay = 0.1, .clip = 0},
       {{0.9, -1.9}, {0.8050097823, -1.9250178337}, {0.7358517051, -1.9386368990}}},
      {"adamw",
       {.optimizer = Rule::kAdamW, .weight_decay = 0.1, .clip = 0},
       {{0.89, -1.88}, {0.7878820896, -1.8978103399}, {0.7236371040, -1.9071321487}}},
      {"rmsprop",
       {.optimizer = Rule::kRmsprop, .clip = 0},
       {{2.384185791e-07, -1.0}, {-0.4490129650, -1.8953230381}, {-0.2289088070, -1.8953230381}}},
      {"adagrad",
       {.optimizer = Rule::kAdagrad, .epsilon = 1e-10, .clip = 0},
       {{0.9, -1.9}, {0.8552786112, -1.9894427061}, {0.8771004081, -1.9894427061}}}};
  constexpr float kGradients[3][2] = {{0.5F, -1.0F}, {0.25F, 2.0F}, {-0.125F, 0.0F}};
  for (const auto& backend : {make_reference_backend(), make_cpu_backend(1)}) {
    for (const TorchCase& c : table) {
      ParameterSet parameters;
      Parameter& p = parameters.add("p", Tensor::from(std::vector<float>{1, -2}));
      Optimizer optimizer(*backend, parameters, c.options);
      for (int step = 0; step < 3; ++step) {
        p.gradient = Tensor::from(kGradients[step]);
        optimizer.step(0.1);
        for (int i = 0; i < 2; ++i) {
          EXPECT_NEAR(p.value.at(i), c.expected[step][i], 5e-7) << c.name << " step " << step;
        }
      }
      EXPECT_EQ(optimizer.steps(), 3);
    }
  }
}

TEST(Optimizer, ClipsAllGradientsByOneFactor) {
  const auto backend = make_reference_backend();
  ParameterSet parameters;
  Parameter& a = parameters.add("a", Tensor::zeros({1}));
  Parameter& b = parameters.add("b", Tensor::zeros({2, 1}));
  b.sparse = true;
  Optimizer optimizer(*backend, parameters, {.optimizer = OptimizerRule::kSgd, .clip = 1});
  a.gradient = Tensor::from(std::vector<float>{3});
  b.row_gradient = {{1}, Tensor::from(std::vector<float>{4}).reshape({1, 1})};
  const Optimizer::StepReport report = optimizer.step(1);
  EXPECT_DOUBLE_EQ(report.gradient_norm, 5);
  EXPECT_TRUE(report.clipped);
  EXPECT_NEAR(a.value.at(0), -3 / (5 + 1e-6), 1e-7);
  EXPECT_NEAR(b.value.at(1), -4 / (5 + 1e-6), 1e-7);
  EXPECT_EQ(b.value.at(0), 0);
}

TEST(Optimizer, GradientThatIsNotFiniteChangesNothing) {
  for (float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    const auto backend = make_cpu_backend(1);
    ParameterSet parameters;
    Parameter& a = parameters.add("a", Tensor::from(std::vector<float>{1, 2}));
    Optimizer optimizer(*backend, parameters, {});
    a.gradient = Tensor::from(std::vector<float>{bad, 0});
    const Optimizer::StepReport report = optimizer.step(1e-3);
    EXPECT_FALSE(report.finite);
    EXPECT_EQ(optimizer.steps(), 0);
    EXPECT_EQ(a.value.at(0), 1);
    EXPECT_EQ(optimizer.tensors()[0].second.at(0), 0);
  }
}

TEST(Optimizer, FrozenParametersStayAndDoNotCountInTheNorm) {
  const auto backend = make_reference_backend();
  ParameterSet parameters;
  Parameter& frozen = parameters.add("frozen", Tensor::from(std::vector<float>{1}));
  Parameter& free = parameters.add("free", Tensor::from(std::vector<float>{1}));
  frozen.trainable = false;
  Optimizer optimizer(*backend, parameters, {});
  frozen.gradient = Tensor::from(std::vector<float>{100});
  free.gradient = Tensor::from(std::vector<float>{0.5F});
  EXPECT_DOUBLE_EQ(optimizer.step(0.1).gradient_norm, 0.5);
  EXPECT_EQ(frozen.value.at(0), 1);
  EXPECT_LT(free.value.at(0), 1);
}

TEST(Optimizer, ReadingBringsTheRowsReadUpToDateAndNoOther) {
  const auto backend = make_cpu_backend(1);
  Table table(*backend, {.clip = 0}, true);
  table.step({3, 4}, Stream(5), 1e-2);
  const Tensor before = table.table().value.clone();
  table.step({0}, Stream(6), 1e-2);
  const std::vector<int32_t> rows{3};
  table.table().before_read(rows);
  EXPECT_NE(table.table().value.at(3 * kColumns), before.at(3 * kColumns));
  EXPECT_EQ(table.table().value.at(4 * kColumns), before.at(4 * kColumns));
}

TEST(Optimizer, StateHasTorchsNames) {
  const auto backend = make_reference_backend();
  const auto names = [&](OptimizerOptions options) {
    Table table(*backend, options, true);
    std::vector<std::string> result;
    for (const auto& [name, tensor] : table.optimizer->tensors()) result.push_back(name);
    return result;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names({}), (Names{"table.exp_avg", "table.exp_avg_sq"}));
  EXPECT_EQ(names({.optimizer = OptimizerRule::kSgd}), Names{});
  EXPECT_EQ(names({.optimizer = OptimizerRule::kSgd, .momentum = 0.5}), Names{"table.momentum_buffer"});
  EXPECT_EQ(names({.optimizer = OptimizerRule::kRmsprop}), Names{"table.square_avg"});
  EXPECT_EQ(names({.optimizer = OptimizerRule::kAdagrad}), Names{"table.sum"});
}

TEST(Optimizer, StateThatDoesNotFitIsAFormatError) {
  const auto backend = make_reference_backend();
  Table table(*backend, {}, true);
  const auto state = table.optimizer->tensors();
  EXPECT_THROW(table.optimizer->restore({state[0]}, 1), FormatError);
  EXPECT_THROW(table.optimizer->restore({state[0], {"table.exp_avg_sq", Tensor::zeros({2, 2})}}, 1),
               FormatError);
  EXPECT_THROW(table.optimizer->restore({state[0], state[1], {"more", Tensor::zeros({1})}}, 1), FormatError);
  EXPECT_THROW(table.optimizer->restore(state, -1), FormatError);
}

TEST(OptimizerOptions, OptionWithoutEffectIsAnErrorThatNamesIt) {
  using Rule = OptimizerRule;
  const OptimizerOptions wrong[] = {{.momentum = 0.9},
                                    {.optimizer = Rule::kSgd, .beta1 = 0.8},
                                    {.optimizer = Rule::kAdagrad, .beta2 = 0.9},
                                    {.alpha = 0.9},
                                    {.optimizer = Rule::kSgd, .epsilon = 1e-6}};
  for (const OptimizerOptions& options : wrong) EXPECT_THROW(options.check(), ConfigError);
  EXPECT_NO_THROW(OptimizerOptions{}.check());
  EXPECT_NO_THROW((OptimizerOptions{.optimizer = Rule::kSgd, .momentum = 0.9}).check());
  try {
    wrong[0].check();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("--momentum 0.9 has no effect with --optimizer adam"),
              std::string::npos);
  }
}

TEST(Clipping, ScaleIsTorchs) {
  EXPECT_EQ(clip_scale(0.5, 1), 1);
  EXPECT_DOUBLE_EQ(clip_scale(4, 1), 1 / (4 + 1e-6));
  EXPECT_EQ(clip_scale(1e9, 0), 1);
}

}  // namespace
}  // namespace rondo
