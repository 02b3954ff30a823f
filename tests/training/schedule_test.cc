#include "training/schedule.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace rondo {
namespace {

TEST(Schedule, ConstantIsTheBaseAtEveryStep) {
  const Schedule schedule;
  EXPECT_EQ(schedule.rate(1e-3, 0, 0), 1e-3);
  EXPECT_EQ(schedule.rate(1e-3, 1'000'000, 10), 1e-3);
}

TEST(Schedule, WarmupRisesByEqualPartsToTheBase) {
  const Schedule schedule({.warmup = 4});
  EXPECT_DOUBLE_EQ(schedule.rate(1, 0, 0), 0.25);
  EXPECT_DOUBLE_EQ(schedule.rate(1, 2, 0), 0.75);
  EXPECT_DOUBLE_EQ(schedule.rate(1, 3, 0), 1);
  EXPECT_DOUBLE_EQ(schedule.rate(1, 4, 0), 1);
}

TEST(Schedule, LinearFallsFromTheWarmupsEndToTheMinimum) {
  const Schedule schedule({.schedule = ScheduleKind::kLinear, .warmup = 2, .min_lr = 0.2});
  EXPECT_DOUBLE_EQ(schedule.rate(1, 2, 12), 1);
  EXPECT_DOUBLE_EQ(schedule.rate(1, 7, 12), 0.6);
  EXPECT_DOUBLE_EQ(schedule.rate(1, 12, 12), 0.2);
  EXPECT_DOUBLE_EQ(schedule.rate(1, 50, 12), 0.2);
}

TEST(Schedule, CosineIsHalfWayInTheMiddle) {
  const Schedule schedule({.schedule = ScheduleKind::kCosine});
  EXPECT_DOUBLE_EQ(schedule.rate(2, 0, 10), 2);
  EXPECT_DOUBLE_EQ(schedule.rate(2, 5, 10), 1);
  EXPECT_NEAR(schedule.rate(2, 10, 10), 0, 1e-15);
}

// torch 2.15, OneCycleLR(max_lr=1, total_steps=10).
TEST(Schedule, OneCycleEqualsTorch) {
  constexpr std::array kTorch{0.040000000000000036,
                              0.52,
                              1.0,
                              0.9504846320134737,
                              0.8117456539497631,
                              0.6112620219362893,
                              0.38874197806371075,
                              0.18825834605023697,
                              0.049519367986526286,
                              4e-06};
  const Schedule schedule({.schedule = ScheduleKind::kOneCycle});
  for (size_t step = 0; step < kTorch.size(); ++step) {
    EXPECT_NEAR(schedule.rate(1, static_cast<int64_t>(step), 10), kTorch[step], 1e-12) << step;
  }
}

TEST(Schedule, ShortRunsGiveFiniteRates) {
  for (ScheduleKind kind : {ScheduleKind::kLinear, ScheduleKind::kCosine, ScheduleKind::kOneCycle}) {
    const Schedule schedule({.schedule = kind});
    for (int64_t total = 1; total < 6; ++total) {
      for (int64_t step = 0; step < total + 2; ++step) {
        const double rate = schedule.rate(1, step, total);
        EXPECT_TRUE(rate >= 0 && rate <= 1)
            << name_of(kind) << " " << step << " of " << total << ": " << rate;
      }
    }
  }
}

TEST(Schedule, WarmupLongerThanTheRunIsAllWarmup) {
  const Schedule schedule({.schedule = ScheduleKind::kCosine, .warmup = 100});
  EXPECT_DOUBLE_EQ(schedule.rate(1, 9, 10), 0.1);
}

TEST(Schedule, MinimumNeverLiftsTheRate) {
  const Schedule schedule({.schedule = ScheduleKind::kLinear, .min_lr = 5});
  EXPECT_EQ(schedule.rate(1, 3, 10), 1);
}

TEST(Schedule, PlateauFallsWhenPatienceIsOver) {
  Schedule schedule(
      {.schedule = ScheduleKind::kPlateau, .min_lr = 0.2, .plateau_factor = 0.5, .plateau_patience = 1});
  EXPECT_FALSE(schedule.report(0.7));
  EXPECT_FALSE(schedule.report(0.7));  // as good is not better
  EXPECT_EQ(schedule.rate(1, 5, 0), 1);
  EXPECT_TRUE(schedule.report(0.6));
  EXPECT_EQ(schedule.rate(1, 6, 0), 0.5);
  EXPECT_FALSE(schedule.report(0.8));
  EXPECT_FALSE(schedule.report(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(schedule.report(0.1));
  EXPECT_EQ(schedule.rate(1, 7, 0), 0.25);
  for (int i = 0; i < 4; ++i) schedule.report(0);
  EXPECT_EQ(schedule.rate(1, 8, 0), 0.2);
}

TEST(Schedule, PlateauGoesOnFromItsState) {
  const ScheduleOptions options{.schedule = ScheduleKind::kPlateau, .plateau_patience = 1};
  Schedule first(options);
  for (double metric : {0.5, 0.4, 0.3, 0.2}) first.report(metric);
  Schedule second(options);
  second.from_json(nlohmann::json::parse(first.to_json().dump()));
  EXPECT_EQ(second.rate(1, 0, 0), first.rate(1, 0, 0));
  EXPECT_EQ(second.report(0.45), first.report(0.45));
  EXPECT_EQ(second.to_json(), first.to_json());
}

TEST(Schedule, DamagedStateIsAFormatError) {
  Schedule schedule;
  EXPECT_THROW(schedule.from_json(nlohmann::json::array()), FormatError);
  EXPECT_THROW(schedule.from_json({{"reported", "yes"}}), FormatError);
  EXPECT_THROW(schedule.from_json({{"reported", true}, {"best", 1}, {"bad", 0}, {"falls", -1}}), FormatError);
}

TEST(Schedule, OptionWithoutEffectIsAnError) {
  EXPECT_THROW(Schedule({.schedule = ScheduleKind::kOneCycle, .warmup = 5}), ConfigError);
  EXPECT_THROW(Schedule({.min_lr = 0.1}), ConfigError);
  EXPECT_THROW(Schedule({.schedule = ScheduleKind::kLinear, .plateau_factor = 0.1}), ConfigError);
  EXPECT_THROW(Schedule({.plateau_patience = 7}), ConfigError);
}

TEST(Schedule, UnknownTotalIsAnErrorWhereItIsNeeded) {
  EXPECT_THROW(Schedule({.schedule = ScheduleKind::kCosine}).rate(1, 0, 0), ConfigError);
}

}  // namespace
}  // namespace rondo
