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
  /// Calls body(direction, shard) for all of them, on the pool if the pass is worth it.
  void run(ThreadPool& pool, int64_t directions,
           const std::function<void(int64_t, const Shard&)>& body) const;

 private:
  bool threaded_ = false;
};

/// Whether work of so many operations is worth waking other threads.
bool worth_threads(const ThreadPool& pool, int64_t operations);

/// Of directions that have the shape of the first.
PassSize pass_size(const CellKind& kind, const PackedRows& rows, const RecurrentWeights& weights,
                   int64_t directions);

/// All steps of each direction by a team of its own, two directions at a time: begin() on the caller's
/// thread, run() by every member, finish(). Allocates nothing.
template <class Direction>
void run_teams(ThreadPool& pool, std::span<const Direction> directions, const Sharding& sharding) {
  const Shard all = sharding.shard(0);
  const auto num_directions = static_cast<int64_t>(directions.size());
  for (int64_t first = 0; first < num_directions; first += 2) {
    const int64_t count = std::min<int64_t>(num_directions - first, 2);
    ScratchFrame frame;
    decltype(directions[0].begin(all, frame)) carried[2];
    for (int64_t d = 0; d < count; ++d) carried[d] = directions[first + d].begin(all, frame);
    StepTeam teams[] = {StepTeam(sharding.members), StepTeam(sharding.members)};
    const auto task = [&](int64_t i) {
      const int64_t d = i / sharding.members;
      directions[first + d].run(all, carried[d], teams[d], i % sharding.members);
    };
    pool.run(count * sharding.members, std::ref(task));
    for (int64_t d = 0; d < count; ++d) directions[first + d].finish(all, carried[d]);
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
