#include "base/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "base/errors.h"

namespace rondo {
namespace {

class Pools : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, Pools, testing::Values(1, 2, 3, 8));

TEST_P(Pools, RunEveryTaskOnce) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.threads(), GetParam());
  for (const int64_t count : {0, 1, 2, 3, 7, 100, 10000}) {
    std::vector<int> runs(count);
    pool.run(count, [&](int64_t task) { ++runs[task]; });
    EXPECT_EQ(std::count(runs.begin(), runs.end(), 1), count);
  }
  pool.run(-1, [](int64_t) { FAIL(); });
}

// Many short jobs in a row: late workers of one meet the next.
TEST_P(Pools, JobsInARowDoNotMix) {
  ThreadPool pool(GetParam());
  for (int64_t job = 0; job < 3000; ++job) {
    std::vector<int64_t> seen(1 + job % 5, -1);
    pool.run(static_cast<int64_t>(seen.size()), [&](int64_t task) { seen[task] = job; });
    for (const int64_t value : seen) ASSERT_EQ(value, job);
  }
}

TEST_P(Pools, WorkAfterSleep) {
  ThreadPool pool(GetParam());
  for (int job = 0; job < 5; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int64_t> sum = 0;
    pool.run(10, [&](int64_t task) { sum += task; });
    EXPECT_EQ(sum, 45);
  }
}

TEST_P(Pools, RethrowAfterAllTasksEnded) {
  ThreadPool pool(GetParam());
  for (int job = 0; job < 20; ++job) {
    std::atomic<int> ended = 0;
    const auto body = [&](int64_t task) {
      ++ended;
      if (task % 3 == 0) throw_error<DataError>("task {}", task);
    };
    EXPECT_THROW(pool.run(20, body), DataError);
    EXPECT_EQ(ended, 20);
  }
  int after = 0;
  pool.run(1, [&](int64_t) { ++after; });
  EXPECT_EQ(after, 1);
}

TEST_P(Pools, NestedCallsStayOnTheirThread) {
  ThreadPool pool(GetParam());
  std::atomic<int> wrong = 0, runs = 0;
  pool.run(6, [&](int64_t) {
    const auto self = std::this_thread::get_id();
    int64_t last = -1;
    pool.run(5, [&](int64_t task) {
      ++runs;
      if (std::this_thread::get_id() != self || task != last + 1) ++wrong;
      last = task;
    });
  });
  EXPECT_EQ(runs, 30);
  EXPECT_EQ(wrong, 0);
}

TEST_P(Pools, SplitCoversTheRange) {
  ThreadPool pool(GetParam());
  for (const int64_t size : {0, 1, 5, 16, 17, 1001}) {
    for (const int64_t grain : {0, 1, 4, 5000}) {
      std::vector<int> seen(size);
      std::atomic<int> parts = 0, short_parts = 0;
      pool.split(size, grain, [&](int64_t begin, int64_t end) {
        ++parts;
        if (end - begin < std::min(grain, size)) ++short_parts;
        for (int64_t i = begin; i < end; ++i) ++seen[i];
      });
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), size);
      EXPECT_LE(parts, GetParam());
      EXPECT_EQ(short_parts, 0);
    }
  }
}

#if defined(__x86_64__) || defined(__aarch64__)
float half_of_smallest_normal() {
  const volatile float small = std::numeric_limits<float>::min();
  const volatile float half = 0.5F;
  return small * half;
}

TEST_P(Pools, DenormalsAreZeroInsideOnly) {
  ThreadPool pool(GetParam());
  ASSERT_GT(half_of_smallest_normal(), 0);
  for (const int64_t count : {1, 64}) {
    std::atomic<int> not_zero = 0;
    pool.run(count, [&](int64_t) { not_zero += half_of_smallest_normal() != 0; });
    EXPECT_EQ(not_zero, 0);
    EXPECT_GT(half_of_smallest_normal(), 0);
  }
  EXPECT_THROW(pool.run(2, [](int64_t) { throw DataError("x"); }), DataError);
  EXPECT_GT(half_of_smallest_normal(), 0);
}
#endif

TEST(ThreadPool, UsesTheProcessorsItMay) {
  const ThreadPool pool;
  EXPECT_GE(pool.threads(), 1);
  EXPECT_LE(pool.threads(), static_cast<int>(std::thread::hardware_concurrency()));
  EXPECT_THROW(ThreadPool(-1), ConfigError);
  EXPECT_THROW(ThreadPool(1000000), ConfigError);
}

TEST(ThreadPool, WorkersTakeTheirShare) {
  ThreadPool pool(2);
  std::atomic<int> arrived = 0;
  // Each task waits for the other: it ends only if two threads are there.
  pool.run(2, [&](int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadPool, OneTaskRunsOnTheCallerAndMayUseThePool) {
  ThreadPool pool(2);
  std::thread::id ran_on;
  std::atomic<int> arrived = 0;
  pool.run(1, [&](int64_t) {
    ran_on = std::this_thread::get_id();
    pool.run(2, [&](int64_t) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
  });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadPool, CallersAtTheSameTimeAllGetTheirResults) {
  ThreadPool pool(3);
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job) {
        std::vector<int64_t> own(4);
        pool.run(4, [&](int64_t task) { own[task] = task; });
        sum += std::accumulate(own.begin(), own.end(), int64_t{0});
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sum, 4 * 500 * 6);
}

TEST(ThreadPool, EndsCleanlyAtEveryMoment) {
  for (int i = 0; i < 200; ++i) {
    ThreadPool pool(4);
    std::atomic<int> runs = 0;
    for (int job = 0; job < i % 3; ++job) pool.run(4, [&](int64_t) { ++runs; });
    if (i % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    ASSERT_EQ(runs, 4 * (i % 3));
  }
}

TEST(ThreadPool, WaitingWorkersSleep) {
  ThreadPool pool(2);
  pool.run(2, [](int64_t) {});
  const auto processor_ms = [] {
    rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000.0 +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000.0;
  };
  const double before = processor_ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(processor_ms() - before, 20);
}

}  // namespace
}  // namespace rondo
