#include "training/averaging.h"

#include <gtest/gtest.h>

#include "kernels/reference/reference_backend.h"
#include "storage/test_files.h"
#include "training/small_task.h"

namespace rondo {
namespace {

using Kind = AveragingKind;

struct Averaged {
  explicit Averaged(const AveragingOptions& options)
      : backend(make_reference_backend()),
        weights(parameters.add("weights", Tensor::from(std::vector<float>{0.1F, -3, 7e8F}))),
        averaging(*backend, parameters, options) {}

  std::unique_ptr<Backend> backend;
  ParameterSet parameters;
  Parameter& weights;
  Averaging averaging;
};

TEST(Averaging, OfAConstantIsTheConstant) {
  Averaged run({.averaging = Kind::kAlways});
  const Tensor before = run.weights.value.clone();
  for (int i = 0; i < 1000; ++i) run.averaging.update();
  const Averaging::Scope averages(run.averaging);
  EXPECT_NE(run.weights.value.raw(), before.raw());
  for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(run.weights.value.at(i), before.at(i));
}

TEST(Averaging, IsTheMeanOverTheUpdatesAndLeavesTheParametersAsTheyAre) {
  Averaged run({.averaging = Kind::kAlways});
  double sum = 0;
  for (int i = 1; i <= 50; ++i) {
    const double value = i * i % 17;
    run.weights.value.fill(value);
    sum += value;
    run.averaging.update();
    {
      const Averaging::Scope averages(run.averaging);
      EXPECT_NEAR(run.weights.value.at(1), sum / i, 1e-5);
    }
    EXPECT_EQ(run.weights.value.at(1), value);
  }
}

TEST(Averaging, NoneLeavesEverythingAsItIs) {
  Averaged run({});
  run.averaging.update();
  EXPECT_FALSE(run.averaging.report(1e9));
  EXPECT_TRUE(run.averaging.tensors().empty());
  const void* before = run.weights.value.raw();
  const Averaging::Scope averages(run.averaging);
  EXPECT_EQ(run.weights.value.raw(), before);
}

TEST(Averaging, NtBeginsAboveTheSmallestLossBeforeTheLastFew) {
  struct Case {
    int64_t patience;
    std::vector<double> losses;
    int begins;  ///< evaluation, from 0; -1: never
  };
  const double nan = std::nan("");
  const Case table[] = {{5, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, -1},
                        {5, {5, 6, 7, 8, 9, 10, 11}, 6},  // the first that has one before the last five
                        {5, {5, 6, 7, 8, 9, 5, 4, 6, 6, 6, 3, 4, 7}, 7},
                        {0, {3, 2, 2, 2.5}, 3},  // equal is not above
                        {2, {3, 4, 5, 3, 2.9, 3.1}, 5},
                        {1, {3, nan, 3.5, 2, 4}, 4},  // no figure: no evaluation
                        {1, {3, 2, nan, nan, 2.5, 2.2}, 5}};
  for (const Case& c : table) {
    Averaged run({.averaging = Kind::kNt, .averaging_patience = c.patience});
    int begun = -1;
    for (size_t i = 0; i < c.losses.size() && begun < 0; ++i) {
      EXPECT_TRUE(run.averaging.awaited());
      run.averaging.update();
      if (run.averaging.report(c.losses[i])) begun = static_cast<int>(i);
    }
    EXPECT_EQ(begun, c.begins) << c.patience << " of " << c.losses.size();
    EXPECT_TRUE(run.averaging.tensors().empty()) << "updates before it began are not averaged";
    EXPECT_EQ(run.averaging.active(), c.begins >= 0);
  }
}

TEST(Averaging, StateThatDoesNotFitIsAFormatError) {
  Averaged run({.averaging = Kind::kAlways});
  run.averaging.update();
  const nlohmann::json state = run.averaging.to_json();
  const NamedTensors good = run.averaging.tensors();
  EXPECT_NO_THROW(run.averaging.restore(state, good));
  EXPECT_THROW(run.averaging.restore(state, {}), FormatError);
  EXPECT_THROW(run.averaging.restore(state, {{"weights", Tensor::zeros({4})}}), FormatError);
  EXPECT_THROW(run.averaging.restore(state, {good[0], {"more", Tensor::zeros({1})}}), FormatError);
  EXPECT_THROW(run.averaging.restore({{"active", 3}}, good), FormatError);
  nlohmann::json none = state;
  none["updates"] = 0;
  EXPECT_THROW(run.averaging.restore(none, good), FormatError);
}

TEST(AveragingOptions, PatienceWithoutEffectIsAnError) {
  EXPECT_THROW((AveragingOptions{.averaging_patience = 3}).check(), ConfigError);
  EXPECT_THROW((AveragingOptions{.averaging = Kind::kAlways, .averaging_patience = 3}).check(), ConfigError);
  EXPECT_NO_THROW((AveragingOptions{.averaging = Kind::kNt, .averaging_patience = 3}).check());
}

}  // namespace
}  // namespace rondo
