#include "kernels/cpu/step_team.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace rondo {
namespace {

/// Every part of every step once, and no step before all parts of the last.
struct Witness {
  int64_t members, steps;
  std::vector<std::atomic<int>> done;
  std::atomic<bool> in_order{true};

  Witness(int64_t members_, int64_t steps_) : members(members_), steps(steps_), done(members_ * steps_) {}

  void work(int64_t step, int64_t part) {
    for (int64_t p = 0; step > 0 && p < members; ++p) {
      if (done[(step - 1) * members + p] != 1) in_order = false;
    }
    ++done[step * members + part];
  }
  void expect_complete() const {
    EXPECT_TRUE(in_order);
    for (const auto& count : done) EXPECT_EQ(count, 1);
  }
};

TEST(StepTeam, DoesEveryPartOnceAndStepsInOrder) {
  for (const int64_t members : {1, 2, 3, 5}) {
    Witness witness(members, 2000);
    StepTeam team(members);
    std::vector<std::thread> threads;
    for (int64_t m = 0; m < members; ++m) {
      threads.emplace_back([&, m] {
        team.run(m, witness.steps, [&](int64_t step, int64_t part) { witness.work(step, part); });
      });
    }
    for (std::thread& thread : threads) thread.join();
    witness.expect_complete();
  }
}

TEST(StepTeam, MembersMayRunOneAfterAnother) {
  Witness witness(3, 10);
  StepTeam team(3);
  for (int64_t m = 0; m < 3; ++m) {
    team.run(m, 10, [&](int64_t step, int64_t part) {
      EXPECT_EQ(m, 0);  // the first finds nobody and does it all
      witness.work(step, part);
    });
  }
  witness.expect_complete();
}

TEST(StepTeam, AMemberThatSleepsHoldsNobodyForLong) {
  Witness witness(2, 50);
  StepTeam team(2);
  const auto begun = std::chrono::steady_clock::now();
  std::thread late([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    team.run(1, 50, [&](int64_t step, int64_t part) { witness.work(step, part); });
  });
  team.run(0, 50, [&](int64_t step, int64_t part) { witness.work(step, part); });
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(250));
  witness.expect_complete();
  late.join();
}

}  // namespace
}  // namespace rondo
