#include "kernels/cpu/recurrent_passes.h"

#include <cstring>

namespace rondo {

bool worth_threads(const ThreadPool& pool, int64_t operations) {
  return pool.threads() > 1 && operations >= int64_t{1} << 23;
}

Sharding::Sharding(const ThreadPool& pool, int64_t sequences_, int64_t directions, int64_t operations)
    : sequences(sequences_) {
  if (!worth_threads(pool, operations)) return;
  constexpr int64_t kFewest = 4;  // sequences of a shard: with fewer the weights are read for too little work
  const int64_t wanted = (pool.threads() + directions - 1) / directions;
  shards = std::clamp<int64_t>(sequences / kFewest, 1, wanted);
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
