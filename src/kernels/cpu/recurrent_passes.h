// The recurrent passes of the CPU: all inputs multiplied at once, then step by step the state, in place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/threads.h"
#include "kernels/cpu/cells.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/step_team.h"
#include "kernels/recurrent.h"

namespace rondo {

/// Float32 operands whose shapes agree.
void cpu_recurrent_forward(ThreadPool& pool, const RecurrentForward& pass);
void cpu_recurrent_backward(ThreadPool& pool, const RecurrentBackward& pass);
/// As Backend::pack_recurrent, for float32 weights whose shapes agree.
std::unique_ptr<PackedRecurrent> cpu_pack_recurrent(ThreadPool& pool, const CellKind& kind,
                                                    const RecurrentWeights& weights, Precision precision,
                                                    ConstMatrix embedding, bool streams);
/// Rows of the table of inputs that a direction's packed weights hold; 0: none.
int64_t packed_table_rows(const RecurrentDirection& direction);

/// The sequences that one task carries through all steps. Neighbours have nearly the same length, so every
/// shard takes every n-th chunk: then all have nearly the same work, and no step waits for another shard.
struct Shard {
  int64_t first = 0;   ///< sequence
  int64_t height = 0;  ///< sequences of a chunk
  int64_t stride = 0;  ///< from a chunk to the shard's next

  /// Calls body(n, rows) for each chunk within sequences begin .. end-1.
  template <class Body>
  void each(int64_t begin, int64_t end, Body&& body) const {
    for (int64_t n = first; n < end; n += stride) {
      const int64_t low = std::max(n, begin);
      const int64_t high = std::min(n + height, end);
      if (low < high) body(low, high - low);
    }
  }
};

/// Groups of units that one call works on, see PackedWeights.
struct Units {
  int64_t first = 0, end = 0;
};

/// The size of a pass, from which follows how threads share it.
struct PassSize {
  int64_t directions = 1, sequences = 0, rows = 0;
  int64_t weights = 0;        ///< of U
  bool shares_units = false;  ///< the units of a step may be computed apart: they read the step before alone

  /// Of the recurrence, all directions.
  int64_t operations() const { return 2 * directions * rows * weights; }
};

/// Whether teams are of use at the moment. Where a processor is taken by another program, a member sleeps
/// with its part for a time slice, and all wait. After such a pass the next ones do without a team, ever more
/// of them until one goes well. No result depends on it.
class TeamHealth {
 public:
  /// Asked once a pass.
  static bool wants_team();
  /// @param stalls  waits of a team that were long.
  static void report(int64_t stalls);
};

/// How threads share a pass: each direction is cut into `shards` of its sequences, which need not wait for
/// each other; where sequences are too few, a team of `members` shares the units of every step. Measured on
/// two cores (lstm): 8 or 12 sequences of 128 units and more are 1.1 to 1.9 times as fast in a team as in
/// shards of 4 and 6, whose tiles are low and which both read all weights; 64 units are slower.
struct Sharding {
  int64_t sequences = 0;
  int64_t shards = 1;
  int64_t members = 1;

  Sharding(const ThreadPool& pool, const PassSize& size);
  Shard shard(int64_t index) const;
  /// Calls body(direction, shard index) for all of them, on the pool if the pass is worth it.
  void run(ThreadPool& pool, int64_t directions, const std::function<void(int64_t, int64_t)>& body) const;

 private:
  bool threaded_ = false;
};

/// Whether work of so many operations is worth waking other threads.
bool worth_threads(const ThreadPool& pool, int64_t operations);

/// Of directions that have the shape of the first.
PassSize pass_size(const CellKind& kind, const PackedRows& rows, const RecurrentWeights& weights,
                   int64_t directions);

/// Calls body(recurrence, its team, member) for every member of each one's team, two recurrences at a time.
/// Allocates nothing.
template <class Body>
void run_teams(ThreadPool& pool, int64_t recurrences, int64_t members, const Body& body) {
  for (int64_t first = 0; first < recurrences; first += 2) {
    StepTeam teams[] = {StepTeam(members), StepTeam(members)};
    const auto task = [&](int64_t i) { body(first + i / members, teams[i / members], i % members); };
    pool.run(std::min<int64_t>(recurrences - first, 2) * members, std::ref(task));
    for (const StepTeam& team : teams) TeamHealth::report(team.stalls());
  }
}

/// to = row `row` of from, or zeros where it is not given.
void copy_row(ConstRows from, int64_t row, float* to, int64_t count);
/// to = from * row `row` of the mask, or a copy where it is not given.
void mask_row(const float* from, ConstRows mask, int64_t row, float* to, int64_t count);

/// Sequences that begin at step t when it is processed: those alive here and not at the step before.
struct Entering {
  int64_t begin = 0, end = 0;
};
inline Entering entering(const PackedRows& rows, int64_t t, bool reverse) {
  if (!reverse) return {0, t == 0 ? rows.count(0) : 0};
  return {t + 1 < rows.steps() ? rows.count(t + 1) : 0, rows.count(t)};
}

}  // namespace rondo
