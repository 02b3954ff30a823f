#include "base/memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace rondo {
namespace {

TEST(Memory, ResidentGrowsByWhatIsWritten) {
  if (resident_bytes() == 0) GTEST_SKIP() << "this system does not tell";
  const int64_t before = resident_bytes();
  constexpr int64_t kSize = 64 << 20;
  std::vector<char> block(kSize, 1);
  EXPECT_GE(resident_bytes() - before, kSize * 9 / 10);
  EXPECT_GE(peak_resident_bytes(), resident_bytes() * 9 / 10);
  EXPECT_EQ(block[kSize - 1], 1);
}

TEST(Memory, FreedMemoryGoesBack) {
  if (resident_bytes() == 0) GTEST_SKIP() << "this system does not tell";
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "this C library, or the sanitizer's, keeps it";
#endif
  // Small blocks, each other one of which goes: the heap cannot shrink from its end.
  std::vector<std::vector<char>> blocks;
  for (int i = 0; i < 4000; ++i) blocks.emplace_back(16 << 10, 1);
  const int64_t full = resident_bytes();
  for (size_t i = 0; i < blocks.size(); i += 2) std::vector<char>().swap(blocks[i]);
  release_freed_memory();
  EXPECT_LT(resident_bytes(), full - (16 << 20));
}

}  // namespace
}  // namespace rondo
