// Clipping shortens a step, keeps its direction, and leaves what vanishes where it is.
#include "diagnostics/clipping.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo::diagnostics {
namespace {

/// A tanh network whose gradients explode.
Options exploding(double clip) {
  return {.cell = Cell::kRnn,
          .hidden = 32,
          .updates = 20,
          .batch = 10,
          .optimizer = OptimizerRule::kSgd,
          .lr = 0.05,
          .clip = clip,
          .recurrent = FirstWeights::kOrthogonal,
          .recurrent_scale = 2};
}

std::vector<ClippedUpdate> traced(const Options& options, int64_t length = 40) {
  return trace_clipping(*make_adding(length), options, *open_device("cpu", 1), [](const ClippedUpdate&) {});
}

// The step is read off float32 parameters: to about 1e-4 of itself.
TEST(Clipping, StepIsNoLongerThanTheThresholdAndKeepsItsDirection) {
  int64_t clipped = 0;
  for (const ClippedUpdate& update : traced(exploding(1))) {
    EXPECT_LE(update.step, 1.001) << update.update;
    EXPECT_NEAR(update.step, std::min(update.norm, 1.0), 1e-3) << update.update;
    EXPECT_NEAR(update.cosine, 1, 1e-5) << update.update;
    clipped += update.norm > 1;
  }
  EXPECT_GT(clipped, 10);
}

TEST(Clipping, WithoutItTheStepIsTheGradientAndTheLossExplodes) {
  const auto updates = traced(exploding(0));
  EXPECT_NEAR(updates[0].step / updates[0].norm, 1, 1e-3);
  double highest = 0, highest_clipped = 0;
  for (const ClippedUpdate& update : updates) {
    if (!std::isnan(update.loss)) highest = std::max(highest, update.loss);
  }
  for (const ClippedUpdate& update : traced(exploding(1))) {
    highest_clipped = std::max(highest_clipped, update.loss);
  }
  EXPECT_GT(highest, 100 * highest_clipped);
}

TEST(Clipping, DoesNotBringBackWhatVanishes) {
  Options options = exploding(0.01);
  options.recurrent = FirstWeights::kDrawn;
  options.recurrent_scale = 1;
  for (const ClippedUpdate& update : traced(options)) {
    EXPECT_LT(update.step, 0.0101);
    EXPECT_LT(update.half_way, 1e-3) << "20 steps before the end, after update " << update.update;
  }
}

TEST(Clipping, AnInfiniteGradientIsToldAndNotApplied) {
  Options options = exploding(0);
  options.lr = 1e30;
  const auto updates = traced(options);
  ASSERT_EQ(updates.size(), 20U);
  EXPECT_FALSE(std::isfinite(updates.back().norm));
  EXPECT_EQ(updates.back().step, 0);
  EXPECT_EQ(updates.back().cosine, 0);
}

TEST(Clipping, OptimisersWhoseStepIsNotTheGradientAreRefused) {
  EXPECT_THROW(traced({.cell = Cell::kRnn}), ConfigError);
  EXPECT_THROW(traced({.cell = Cell::kRnn, .layers = 2, .optimizer = OptimizerRule::kSgd}), ConfigError);
}

}  // namespace
}  // namespace rondo::diagnostics
