#include "tensor/memory_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "tensor/tensor.h"

namespace rondo {
namespace {

constexpr int64_t kMegabyte = int64_t{1} << 20;

std::shared_ptr<void> take(MemoryPool& pool, int64_t bytes) {
  std::shared_ptr<void> block = pool.take(bytes);
  std::memset(block.get(), 1, static_cast<size_t>(bytes));
  return block;
}

TEST(MemoryPool, ShorterBatchesLiveInTheMemoryOfTheLongest) {
  MemoryPool pool;
  // A step holds five tensors at once, in proportion to its rows.
  const auto step = [&](int64_t rows) {
    std::vector<std::shared_ptr<void>> tensors;
    for (const int64_t width : {100, 400, 37, 400, 250}) tensors.push_back(take(pool, rows * width * 4));
  };
  step(4000);
  const int64_t kept = pool.idle_bytes();
  for (int64_t rows = 3999; rows > 300; rows = rows * 13 / 14) step(rows);
  step(4000);
  EXPECT_LT(pool.idle_bytes(), kept + kMegabyte);  // small blocks are kept apart
  EXPECT_EQ(pool.used_bytes(), 0);
}

TEST(MemoryPool, NeighboursThatAreFreeAreJoined) {
  MemoryPool pool;
  std::vector<std::shared_ptr<void>> blocks;
  for (int i = 0; i < 16; ++i) blocks.push_back(take(pool, kMegabyte));
  void* const first = blocks.front().get();
  // In an order that meets free neighbours on either side, on both and on none.
  for (const int i : {5, 3, 4, 0, 15, 14, 1, 2, 9, 7, 8, 6, 10, 12, 13, 11}) blocks[i].reset();
  EXPECT_EQ(take(pool, 16 * kMegabyte).get(), first);
}

TEST(MemoryPool, BlocksDoNotOverlap) {
  MemoryPool pool;
  std::vector<std::pair<std::shared_ptr<void>, int64_t>> blocks;
  for (int64_t i = 0; i < 400; ++i) {
    const int64_t bytes = 1000 + i * 7919 % 300 * 1024;
    blocks.emplace_back(pool.take(bytes), bytes);
    std::memset(blocks.back().first.get(), static_cast<int>(i % 251), static_cast<size_t>(bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().first.get()) % 64, 0U);
    if (i % 3 == 2) blocks[static_cast<size_t>(i - 2)].first.reset();
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[i].first.get());
    if (!bytes) continue;
    for (const int64_t at : {int64_t{0}, blocks[i].second / 2, blocks[i].second - 1}) {
      ASSERT_EQ(bytes[at], i % 251) << "block " << i << ", byte " << at;
    }
  }
}

TEST(MemoryPool, TrimGivesIdleMemoryBackAndKeepsWhatIsUsed) {
  MemoryPool pool;
  const auto kept = take(pool, kMegabyte);
  auto gone = take(pool, 8 * kMegabyte);
  auto small = take(pool, 1000);
  const auto last = take(pool, kMegabyte);
  gone.reset();
  small.reset();
  EXPECT_GE(pool.idle_bytes(), 8 * kMegabyte);
  pool.trim();
  EXPECT_EQ(pool.idle_bytes(), 0);
  EXPECT_GE(pool.used_bytes(), 2 * kMegabyte);
  EXPECT_EQ(static_cast<const char*>(kept.get())[kMegabyte - 1], 1);
  EXPECT_EQ(static_cast<const char*>(last.get())[0], 1);
  take(pool, 8 * kMegabyte);  // its pages come back as they are written
}

TEST(MemoryPool, TellsThePeak) {
  MemoryPool pool;
  take(pool, 3 * kMegabyte);
  const auto kept = take(pool, kMegabyte);
  EXPECT_GE(pool.peak_bytes(), 3 * kMegabyte);
  EXPECT_LT(pool.peak_bytes(), 4 * kMegabyte);
  pool.trim();
  EXPECT_EQ(pool.peak_bytes(), pool.used_bytes());
}

TEST(MemoryPool, AnImpossibleSizeIsBadAlloc) {
  MemoryPool pool;
  EXPECT_THROW(pool.take(int64_t{1} << 60), std::bad_alloc);
  EXPECT_EQ(pool.used_bytes(), 0);
}

TEST(MemoryPool, ThreadsTakeAndGiveLargeBlocks) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int64_t round = 0; round < 100; ++round) {
        const Tensor t({50'000 + i * 1000 + round * 37 % 900});
        t.fill(i);
        ASSERT_EQ(t.at(t.size() - 1), i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace rondo
