// Threads that share every step of a recurrence, part by part, without a barrier that a sleeping thread could
// hold all others at: whoever is awake takes the parts of those who are not.
//   StepTeam team(2);
//   pool.run(2, [&](int64_t member) { team.run(member, steps, [&](int64_t step, int64_t part) { ... }); });
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace rondo {

/// A step has one part a member. A member takes its own part, whose weights stand in its core's cache;
/// another's only if that one does not come for it. So a lone thread does the work of all, and members may
/// even run one after another. Step s+1 begins when all parts of step s are done.
class StepTeam {
 public:
  static constexpr int64_t kMaxMembers = 16;  ///< shares of a step become too small for more

  /// @param members  1 to kMaxMembers.
  explicit StepTeam(int64_t members) : members_(members) {}

  int64_t members() const { return members_; }
  /// Waits that were so long that who had the part must have lost its processor.
  int64_t stalls() const { return stalls_.load(std::memory_order_relaxed); }

  /// Returns when every part of every step is done. Each work(step, part) is called once, by some member.
  template <class Work>
  void run(int64_t member, int64_t steps, Work&& work) {
    for (int64_t step = 0; step < steps; ++step) {
      if (claim(member, step)) finish(member, step, work);
      for (int64_t part = 0; part < members_; ++part) {
        if (wait_for(part, step)) finish(part, step, work);
      }
    }
  }

 private:
  // A part's counters on a cache line of their own.
  struct alignas(64) Part {
    std::atomic<int64_t> claimed{0}, done{0};  ///< steps
  };
  int64_t members_;
  std::atomic<int64_t> stalls_{0};
  std::array<Part, kMaxMembers> parts_;  // no allocation: a stream's step may have a team

  bool claim(int64_t part, int64_t step) {
    int64_t expected = step;
    return parts_[part].claimed.compare_exchange_strong(expected, step + 1, std::memory_order_acq_rel);
  }
  template <class Work>
  void finish(int64_t part, int64_t step, Work& work) {
    work(step, part);
    parts_[part].done.store(step + 1, std::memory_order_release);
    parts_[part].done.notify_all();
  }
  /// Waits until the part of this step is done. @return true: nobody came, it is the caller's now.
  bool wait_for(int64_t part, int64_t step);
};

}  // namespace rondo
