#include "base/profile.h"

#include <gtest/gtest.h>

#include <thread>

namespace rondo {
namespace {

using Section = Profile::Section;

double seconds_in(const Profile::Report& report, Section section) {
  return report.parts[static_cast<size_t>(section)].seconds;
}

void wait_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

TEST(Profile, WhatIsInsideAnotherSectionIsCountedOnce) {
  Profile profile;
  {
    const Profile::Scope outer(&profile, Section::kForward);
    wait_ms(5);
    {
      const Profile::Scope inner(&profile, Section::kOptimizer);
      wait_ms(10);
    }
    wait_ms(5);
  }
  wait_ms(5);
  const Profile::Report report = profile.report();
  EXPECT_GE(seconds_in(report, Section::kForward), 0.010);
  EXPECT_GE(seconds_in(report, Section::kOptimizer), 0.010);
  EXPECT_GE(seconds_in(report, Section::kRest), 0.005);
  EXPECT_EQ(seconds_in(report, Section::kBackward), 0);
}

TEST(Profile, PartsSumToTheWallTime) {
  Profile profile;
  for (const Section section : {Section::kReading, Section::kBackward, Section::kCheckpoint}) {
    const Profile::Scope scope(&profile, section);
    wait_ms(2);
  }
  const Profile::Report report = profile.report();
  ASSERT_EQ(report.parts.size(), Profile::kSections);
  double seconds = 0, share = 0;
  for (const Profile::Part& part : report.parts) seconds += part.seconds, share += part.share;
  EXPECT_NEAR(seconds, report.seconds, 1e-9);
  EXPECT_NEAR(share, 1, 1e-9);
}

TEST(Profile, RateIsOfForwardAndBackwardAlone) {
  Profile profile;
  EXPECT_EQ(profile.report().rate, 0);
  {
    const Profile::Scope scope(&profile, Section::kForward);
    wait_ms(10);
  }
  wait_ms(10);
  profile.count(1e6);
  profile.count(2e6);
  const Profile::Report report = profile.report();
  EXPECT_EQ(report.operations, 3e6);
  EXPECT_DOUBLE_EQ(report.rate, 3e6 / seconds_in(report, Section::kForward));
}

}  // namespace
}  // namespace rondo
