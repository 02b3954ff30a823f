// The recurrent passes of the CPU: all inputs multiplied at once, then step by step the state, in place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "base/threads.h"
#include "kernels/cpu/cells.h"
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

/// How a pass is cut into tasks: `shards` for each direction.
struct Sharding {
  int64_t sequences = 0;
  int64_t shards = 1;

  /// @param operations  of the pass: a small one stays whole.
  Sharding(const ThreadPool& pool, int64_t sequences, int64_t directions, int64_t operations);
  Shard shard(int64_t index) const;
};

/// Whether a pass of so many operations is worth waking other threads.
bool worth_threads(const ThreadPool& pool, int64_t operations);

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
