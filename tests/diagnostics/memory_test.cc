// What an LSTM carries over many steps and a plain network does not. Each training takes minutes on two
// cores.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "diagnostics/gradients.h"
#include "tensor/device.h"

namespace rondo::diagnostics {
namespace {

std::vector<Point> curve_of(const Problem& problem, const Options& options) {
  return run(problem, options, *open_device("cpu"), [](const Point&) {});
}

TEST(Adding, LstmLearnsToRememberOver100StepsSlow) {
  const auto curve = curve_of(*make_adding(100), {});
  EXPECT_EQ(curve.back().update, 4000);
  EXPECT_LE(curve.back().loss, 1e-3);
  EXPECT_GE(curve.back().accuracy, 0.9);
}

TEST(Adding, TanhNetworkStaysAtTheMemorylessLossSlow) {
  for (const Point& point : curve_of(*make_adding(100), {.cell = Cell::kRnn, .lr = 1e-3})) {
    EXPECT_GT(point.loss, 0.15) << point.update;
  }
}

TEST(Adding, ReluNetworkThatBeginsWithTheIdentityLearnsItOver100StepsSlow) {
  const auto curve = curve_of(*make_adding(100), {.cell = Cell::kRnn,
                                                  .nonlinearity = Nonlinearity::kRelu,
                                                  .lr = 1e-3,
                                                  .recurrent = FirstWeights::kIdentity});
  EXPECT_LE(curve.back().loss, 0.01);
}

TEST(Adding, GradientOfAGruReachesTheFirstHalfOnceItHasLearntSlow) {
  const auto profiles = measure_gradients(
      {.run = {.cell = Cell::kGru, .updates = 1000}, .problem = Sequences::kAdding, .length = 50},
      *open_device("cpu"), [](int64_t, const Point&) {});
  EXPECT_GT(profiles.front().losses[0], 0.15);
  EXPECT_LT(profiles.front().after[25].median, 1e-3);
  EXPECT_LT(profiles.back().losses[0], 0.02);
  EXPECT_GT(profiles.back().after[25].median, 0.1);
}

TEST(Copy, LstmIsTenTimesBelowTheMemorylessLossSlow) {
  const auto problem = make_copy(30);
  const Options options{.hidden = 128, .updates = 6000, .lr = 1.2e-2, .forget_bias = 4};
  const auto curve = curve_of(*problem, options);
  EXPECT_LE(curve.back().loss, problem->memoryless_loss() / 10);
}

TEST(Mnist, ReadByRowsLstmIsAboveTheTanhNetworkSlow) {
  const char* data = std::getenv("RONDO_DATA");
  const std::string folder = std::string(data ? data : "") + "/mnist";
  if (!data || !file_exists(folder)) GTEST_SKIP() << "RONDO_DATA names no folder with mnist";
  const auto problem = make_mnist(folder);
  const Options options{.hidden = 128, .updates = 1800, .batch = 100};
  Options plain = options;
  plain.cell = Cell::kRnn;
  const Point lstm = curve_of(*problem, options).back();
  const Point tanh = curve_of(*problem, plain).back();
  EXPECT_GE(lstm.accuracy, 0.975);
  EXPECT_GT(lstm.accuracy, tanh.accuracy);
}

}  // namespace
}  // namespace rondo::diagnostics
