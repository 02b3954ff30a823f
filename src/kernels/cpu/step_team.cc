#include "kernels/cpu/step_team.h"

#include <chrono>

#include "base/processor.h"

namespace rondo {

bool StepTeam::wait_for(int64_t part, int64_t step) {
  constexpr int kOwn = 64;      // pauses that a member is given to come for its own part: some microseconds
  constexpr int kSpins = 1024;  // then whoever has the part may be asleep: so are we
  const std::atomic<int64_t>& done = parts_[part].done;
  for (int i = 0; i < kSpins; ++i) {
    if (done.load(std::memory_order_acquire) > step) return false;
    if (i >= kOwn && claim(part, step)) return true;
    pause_processor();
  }
  const auto begun = std::chrono::steady_clock::now();
  for (int64_t seen = done.load(std::memory_order_acquire); seen <= step;
       seen = done.load(std::memory_order_acquire)) {
    done.wait(seen, std::memory_order_acquire);
  }
  constexpr auto kTimeSlice = std::chrono::microseconds(500);  // a fraction of one
  if (std::chrono::steady_clock::now() - begun > kTimeSlice) stalls_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

}  // namespace rondo
