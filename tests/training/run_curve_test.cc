// A curve of any length in some points: what neighbours that go together keep.
#include "training/run_curve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/errors.h"

namespace rondo {
namespace {

TrainingProgress progress(int64_t update) {
  return {.update = update,
          .loss = 1 / static_cast<double>(update),
          .step_loss = static_cast<double>(update % 5),
          .rate = 0.5,
          .gradient_norm = update == 777 ? 1000 : static_cast<double>(update % 3),
          .clipped = update % 2 == 0};
}

RunCurve curve_of(int64_t updates) {
  RunCurve curve;
  for (int64_t update = 1; update <= updates; ++update) curve.add(progress(update));
  return curve;
}

TEST(RunCurve, AShortRunHasAPointAnUpdate) {
  const RunCurve curve = curve_of(3);
  EXPECT_EQ(curve.width(), 1);
  ASSERT_EQ(curve.points().size(), 3U);
  EXPECT_EQ(curve.points()[1].update, 2);
  EXPECT_EQ(curve.points()[1].step_loss, 2);
  EXPECT_EQ(curve.points()[1].clipped, 1);
}

TEST(RunCurve, ALongRunHasTwoThousandAtMostAndLosesNoExtreme) {
  const RunCurve curve = curve_of(100'000);
  EXPECT_LE(curve.points().size(), RunCurve::kMost);
  EXPECT_GT(curve.points().size(), RunCurve::kMost / 2 - 1);
  EXPECT_EQ(curve.width(), 64);
  int64_t updates = 0;
  double most = 0;
  for (const CurvePoint& point : curve.points()) {
    updates += point.updates;
    most = std::max(most, point.norm_most);
    EXPECT_TRUE(point.update % 64 == 0 || point.update == 100'000);
    EXPECT_EQ(point.loss, 1 / static_cast<double>(point.update));
    EXPECT_EQ(point.clipped, 0.5);
  }
  EXPECT_EQ(updates, 100'000);
  EXPECT_EQ(most, 1000);
  EXPECT_NEAR(curve.points()[3].step_loss, 2, 0.1);
}

TEST(RunCurve, SkippedUpdatesLeaveNoPoint) {
  RunCurve curve;
  for (int64_t update = 1; update <= 6000; ++update) {
    if (update % 10 != 0) curve.add(progress(update));
  }
  int64_t updates = 0;
  for (const CurvePoint& point : curve.points()) updates += point.updates;
  EXPECT_EQ(updates, 5400);
}

TEST(RunCurve, GoesOnFromItsJson) {
  RunCurve whole = curve_of(4500),
           part = RunCurve::from_json(nlohmann::json::parse(curve_of(2500).to_json().dump()));
  for (int64_t update = 2501; update <= 4500; ++update) part.add(progress(update));
  ASSERT_EQ(part.points().size(), whole.points().size());
  EXPECT_EQ(part.width(), whole.width());
  for (size_t i = 0; i < part.points().size(); ++i) {
    EXPECT_EQ(part.points()[i].update, whole.points()[i].update);
    EXPECT_FLOAT_EQ(static_cast<float>(part.points()[i].step_loss),
                    static_cast<float>(whole.points()[i].step_loss));
    EXPECT_EQ(part.points()[i].norm_most, whole.points()[i].norm_most);
  }
}

TEST(RunCurve, WhatIsNotFiniteIsNullAndComesBackSo) {
  RunCurve curve;
  TrainingProgress odd = progress(1);
  odd.loss = std::numeric_limits<double>::infinity();
  curve.add(odd);
  const nlohmann::json json = curve.to_json();
  EXPECT_TRUE(json.at("loss").at(0).is_null());
  EXPECT_TRUE(std::isnan(RunCurve::from_json(json).points()[0].loss));
}

TEST(RunCurve, ADamagedOneIsRefused) {
  nlohmann::json json = curve_of(5).to_json();
  json["width"] = 0;
  EXPECT_THROW(RunCurve::from_json(json), FormatError);
  json["width"] = 1;
  json["updates"].erase(0);
  EXPECT_THROW(RunCurve::from_json(json), FormatError);
}

}  // namespace
}  // namespace rondo
