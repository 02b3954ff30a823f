// Parameter::rate: a parameter's share of the learning rate, 0 while it is frozen.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "base/random.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference_backend.h"
#include "layers/embedding.h"
#include "tensor/operations.h"
#include "training/optimizer.h"

namespace rondo {
namespace {

constexpr int64_t kRows = 11;
constexpr int64_t kColumns = 7;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

Tensor random_tensor(Shape shape, const Stream& stream) {
  Tensor tensor(std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) {
    tensor.data<float>()[i] = stream.normal(static_cast<uint64_t>(i));
  }
  return tensor;
}

/// A table that is trained by rows or as a whole, to the same end.
struct Table {
  Table(Backend& backend, const OptimizerOptions& options, bool sparse) {
    table = &parameters.add("table", random_tensor({kRows, kColumns}, Stream(1)));
    table->sparse = sparse;
    optimizer.emplace(backend, parameters, options);
  }

  void step(int64_t t, double rate) {
    table->rate = rate;
    std::vector<int32_t> rows;
    for (int32_t row = 0; row < kRows; ++row) {
      if (t % (row + 1) == 0) rows.push_back(row);
    }
    const Tensor values =
        random_tensor({static_cast<int64_t>(rows.size()), kColumns}, Stream(3, {static_cast<uint64_t>(t)}));
    parameters.clear_gradients();
    if (table->before_read) table->before_read(rows);
    if (rate == 0) {
      // A tape gives none.
    } else if (table->sparse) {
      table->row_gradient = {rows, values};
    } else {
      table->gradient = Tensor::zeros(table->value.shape());
      for (size_t i = 0; i < rows.size(); ++i) {
        std::memcpy(table->gradient.data<float>() + rows[i] * kColumns,
                    values.data<float>() + static_cast<int64_t>(i) * kColumns, kColumns * sizeof(float));
      }
    }
    optimizer->step(0.01);
  }

  ParameterSet parameters;
  Parameter* table = nullptr;
  std::optional<Optimizer> optimizer;
};

std::vector<OptimizerOptions> rules() {
  using Rule = OptimizerRule;
  return {{.optimizer = Rule::kSgd},     {.optimizer = Rule::kSgd, .momentum = 0.9, .weight_decay = 0.01},
          {.optimizer = Rule::kAdam},    {.optimizer = Rule::kAdamW, .weight_decay = 0.1},
          {.optimizer = Rule::kRmsprop}, {.optimizer = Rule::kAdagrad}};
}

double rate_of_step(int64_t t) {
  if (t < 20 || t >= 80) return 1;
  return t < 40 || t >= 60 ? 0.3 : 0;
}

TEST(ParameterRate, TableByRowsEndsWithTheBitsOfDenseSteps) {
  for (const OptimizerOptions& options : rules()) {
    for (const auto& backend : {make_reference_backend(), make_cpu_backend(2)}) {
      Table dense(*backend, options, false);
      Table sparse(*backend, options, true);
      for (int64_t t = 0; t < 100; ++t) {
        dense.step(t, rate_of_step(t));
        sparse.step(t, rate_of_step(t));
        if (t % 13 == 0) sparse.optimizer->settle();
      }
      sparse.optimizer->settle();
      EXPECT_TRUE(same_bits(dense.table->value, sparse.table->value)) << name_of(options.optimizer);
    }
  }
}

TEST(ParameterRate, FrozenForAWhileIsAsIfThoseStepsHadNotBeen) {
  for (const OptimizerOptions& options : rules()) {
    for (const bool sparse : {false, true}) {
      const auto backend = make_cpu_backend(1);
      Table frozen(*backend, options, sparse);
      Table without(*backend, options, sparse);
      for (int64_t t = 0; t < 60; ++t) {
        const bool rests = t >= 20 && t < 40;
        frozen.step(t, rests ? 0 : 1);
        if (!rests) without.step(t, 1);
      }
      const auto moments = frozen.optimizer->tensors();
      const auto expected = without.optimizer->tensors();
      EXPECT_TRUE(same_bits(frozen.table->value, without.table->value)) << name_of(options.optimizer);
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(same_bits(moments[i].second, expected[i].second)) << expected[i].first;
      }
    }
  }
}

TEST(ParameterRate, RunGoesOnFromACheckpointMadeWhileFrozen) {
  for (const bool sparse : {false, true}) {
    const auto backend = make_cpu_backend(1);
    Table whole(*backend, {}, sparse);
    Table resumed(*backend, {}, sparse);
    for (int64_t t = 0; t < 100; ++t) {
      whole.step(t, rate_of_step(t));
      if (t > 50) resumed.step(t, rate_of_step(t));
      if (t != 50) continue;
      resumed.optimizer->restore(whole.optimizer->tensors(), whole.optimizer->steps());
      resumed.table->value = whole.table->value.clone();
    }
    whole.optimizer->settle();
    resumed.optimizer->settle();
    EXPECT_TRUE(same_bits(whole.table->value, resumed.table->value));
  }
}

TEST(ParameterRate, CountOfFrozenStepsIsChecked) {
  const auto backend = make_reference_backend();
  Table table(*backend, {}, false);
  table.step(0, 0);
  auto state = table.optimizer->tensors();
  ASSERT_EQ(state.back().first, "table.frozen_steps");
  EXPECT_NO_THROW(table.optimizer->restore(state, 1));
  EXPECT_THROW(table.optimizer->restore(state, 0), FormatError);
  state.back().second = Tensor::zeros({1});
  EXPECT_THROW(table.optimizer->restore(state, 1), FormatError);
}

TEST(ParameterRate, ScalesTheStep) {
  const auto backend = make_reference_backend();
  ParameterSet parameters;
  Parameter& p = parameters.add("p", Tensor::from(std::vector<float>{1}));
  p.rate = 0.25;
  Optimizer optimizer(*backend, parameters, {.optimizer = OptimizerRule::kSgd, .clip = 0});
  p.gradient = Tensor::from(std::vector<float>{1});
  optimizer.step(0.5);
  EXPECT_EQ(p.value.at(0), 0.875F);
}

TEST(ParameterRate, TapeGivesFrozenParametersNoGradient) {
  const auto backend = make_reference_backend();
  ParameterSet parameters;
  Parameter& frozen = parameters.add("frozen", Tensor::from(std::vector<float>{1, 2}).reshape({1, 2}));
  const Embedding embedding(parameters, {.vocabulary = 3, .dimension = 2});
  Parameter& table = parameters.find("embedding.weight");
  for (const double rate : {0.0, 1.0}) {
    frozen.rate = table.rate = rate;
    parameters.clear_gradients();
    Tape tape(*backend, {.recording = true});
    const std::vector<int32_t> ids{1};
    const Variable parts[] = {tape.parameter(frozen), embedding.forward(tape, ids).x,
                              tape.input(Tensor::zeros({1, 1}), true)};
    tape.backward(weighted_sum(concatenate(parts), random_tensor({1, 5}, Stream(2))));
    EXPECT_EQ(static_cast<bool>(frozen.gradient), rate > 0);
    EXPECT_EQ(static_cast<bool>(table.row_gradient.values), rate > 0);
  }
}

}  // namespace
}  // namespace rondo
