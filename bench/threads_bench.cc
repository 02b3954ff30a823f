// What it costs to hand two empty tasks to two threads: our pool, and oneTBB where its headers are found.
//   threads_bench [busy neighbour processes, default 0]
// Not part of the build; the command line stands in docs/adr/0003-threads.md.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "base/threads.h"

#if __has_include(<tbb/parallel_for.h>)
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/partitioner.h>
#define RONDO_BENCH_TBB 1
#endif

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

void work_for(double time_us) {
  const auto end = Clock::now() + std::chrono::duration<double, std::micro>(time_us);
  while (Clock::now() < end) {
  }
}

// Times `job` alone, with `gap_us` of the caller's own work before each.
void measure(const char* name, double gap_us, double task_us, const std::function<void()>& job) {
  const int count = gap_us + task_us > 50 ? 5000 : 50000;
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    work_for(gap_us);
    const auto begin = Clock::now();
    job();
    times.push_back(microseconds(Clock::now() - begin));
  }
  std::sort(times.begin(), times.end());
  const auto quantile = [&](double q) { return times[static_cast<size_t>(q * (count - 1))]; };
  double sum = 0;
  for (const double time : times) sum += time;
  std::printf(
      "%-6s gap %4.0f us, tasks of %3.0f us: p10 %8.2f  median %8.2f  p90 %8.2f  p99 %9.2f  mean %8.2f us\n",
      name, gap_us, task_us, quantile(0.1), quantile(0.5), quantile(0.9), quantile(0.99), sum / count);
}

void measure_all(const char* name, const std::function<void(double)>& job) {
  for (const double gap_us : {0.0, 5.0, 100.0}) measure(name, gap_us, 0, [&] { job(0); });
  for (const double gap_us : {5.0, 100.0}) measure(name, gap_us, 50, [&] { job(50); });
}

std::vector<pid_t> start_neighbours(int count) {
  std::vector<pid_t> neighbours;
  for (int i = 0; i < count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      while (true) work_for(1000);
    }
    if (child > 0) neighbours.push_back(child);
  }
  return neighbours;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<pid_t> neighbours = start_neighbours(argc > 1 ? std::atoi(argv[1]) : 0);
  {
    rondo::ThreadPool pool(2);
    measure_all("pool", [&](double task_us) { pool.run(2, [&](int64_t) { work_for(task_us); }); });
  }
#ifdef RONDO_BENCH_TBB
  const tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  measure_all("tbb", [](double task_us) {
    tbb::parallel_for(
        0, 2, [&](int) { work_for(task_us); }, tbb::static_partitioner());
  });
#endif
  for (const pid_t neighbour : neighbours) {
    kill(neighbour, SIGKILL);
    waitpid(neighbour, nullptr, 0);
  }
  return 0;
}
