#include "kernels/cpu/recurrent_passes.h"

#include <atomic>
#include <cstring>

namespace rondo {

namespace {

// Of all pools: they share the processors.
std::atomic<int64_t> passes_without_team{0};
std::atomic<int64_t> penalty{1};

}  // namespace

bool TeamHealth::wants_team() {
  if (passes_without_team.load(std::memory_order_relaxed) <= 0) return true;
  passes_without_team.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void TeamHealth::report(int64_t stalls) {
  constexpr int64_t kMost = 64;
  if (stalls == 0) return penalty.store(1, std::memory_order_relaxed);
  const int64_t next = std::min(2 * penalty.load(std::memory_order_relaxed), kMost);
  penalty.store(next, std::memory_order_relaxed);
  passes_without_team.store(next, std::memory_order_relaxed);
}

bool worth_threads(const ThreadPool& pool, int64_t operations) {
  return pool.threads() > 1 && operations >= int64_t{1} << 23;
}

Sharding::Sharding(const ThreadPool& pool, const PassSize& size)
    : sequences(size.sequences), threaded_(worth_threads(pool, size.operations())) {
  if (!threaded_) return;
  constexpr int64_t kFewest = 4;  // sequences of a shard: with fewer the weights are read for too little work
  constexpr int64_t kFull = 8;    // with so many its tiles are full
  // Operations of a step that pay for the threads' meeting after it; more where shards would do, too.
  const int64_t worth_meeting = int64_t{1} << (sequences < 2 * kFewest ? 18 : 20);
  const int64_t threads = (pool.threads() + size.directions - 1) / size.directions;
  const int64_t step = 2 * sequences * size.weights;
  if (size.shares_units && sequences < threads * kFull && step >= worth_meeting && TeamHealth::wants_team()) {
    members = std::clamp<int64_t>(pool.threads() / size.directions, 1, StepTeam::kMaxMembers);
  }
  if (members == 1) shards = std::clamp<int64_t>(sequences / kFewest, 1, threads);
}

PassSize pass_size(const CellKind& kind, const PackedRows& rows, const RecurrentWeights& weights,
                   int64_t directions) {
  const bool two_products = weights.w_hr || (kind.cell == Cell::kGru && kind.reset_before);
  return {.directions = directions,
          .sequences = rows.sequences,
          .rows = rows.rows(),
          .weights = weights.w_hh.size(),
          .shares_units = !two_products};
}

void Sharding::run(ThreadPool& pool, int64_t directions,
                   const std::function<void(int64_t, int64_t)>& body) const {
  const auto task = [&](int64_t i) { body(i / shards, i % shards); };
  if (threaded_) return pool.run(directions * shards, std::ref(task));
  for (int64_t i = 0; i < directions * shards; ++i) task(i);
}

Shard Sharding::shard(int64_t index) const {
  // Alone, a shard passes each group of weights once for as many rows as stay in the first cache. Beside
  // others its chunks are low, so that all shards get long and short sequences alike.
  const int64_t highest = shards == 1 ? 64 : 16;
  const int64_t height = std::clamp<int64_t>(sequences / (shards == 1 ? 1 : 2 * shards), 1, highest);
  return {index * height, height, shards * height};
}

void copy_row(ConstRows from, int64_t row, float* to, int64_t count) {
  if (from.at == nullptr) {
    std::memset(to, 0, count * sizeof(float));
  } else {
    std::memmove(to, from.at + row * from.row, count * sizeof(float));
  }
}

void mask_row(const float* from, ConstRows mask, int64_t row, float* to, int64_t count) {
  if (mask.at == nullptr) {
    if (from != to) std::memcpy(to, from, count * sizeof(float));
    return;
  }
  const float* factors = mask.at + row * mask.row;
  for (int64_t j = 0; j < count; ++j) to[j] = from[j] * factors[j];
}

}  // namespace rondo
