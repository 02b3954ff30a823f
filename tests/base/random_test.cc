#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace rondo {
namespace {

using testing::ElementsAre;

// The known answers of Random123 (kat_vectors, philox4x32 with 10 rounds).
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_THAT(philox({0, 0, 0, 0}, {0, 0}), ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  const uint32_t ones = 0xffffffff;
  EXPECT_THAT(philox({ones, ones, ones, ones}, {ones, ones}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

// Computed by ten lines of Python: SplitMix64 for the key, then Philox with the counter {low, high, 0, 0}.
TEST(Stream, NumbersAreFixedForever) {
  const Stream stream(42, {1, 2, 3});
  EXPECT_THAT(stream.block(0), ElementsAre(0x8131bafd, 0x6c7d239e, 0x28f110e2, 0x7a55df8d));
  EXPECT_THAT(stream.block((uint64_t{1} << 33) + 1),
              ElementsAre(0x8d79f7bf, 0x0a07c355, 0x655af00f, 0x7e86485d));
  const double normals[] = {-1.0379430956582665, -1.8962205030660302, 0.5655136367713265, 0.5831980452322256};
  const uint64_t belows[] = {423, 477, 983, 910};
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(stream.bits(i), stream.block(0)[i]);
    EXPECT_FLOAT_EQ(stream.normal(i), static_cast<float>(normals[i]));
    EXPECT_EQ(stream.below(i, 1000), belows[i]);
  }
  EXPECT_EQ(stream.uniform(0), static_cast<float>(0x8131ba) / 16777216.0F);
}

TEST(Stream, SubExtendsThePath) {
  EXPECT_EQ(Stream(7, {1}).sub(2).block(5), Stream(7, {1, 2}).block(5));
  EXPECT_EQ(Stream(7).sub(0).block(5), Stream(7, {0}).block(5));
}

TEST(Stream, SeedsAndPathsNearEachOtherDiffer) {
  std::set<std::array<uint32_t, 4>> seen;
  size_t streams = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    seen.insert(Stream(seed).block(0));
    for (uint64_t a = 0; a < 20; ++a) {
      seen.insert(Stream(seed, {a}).block(0));
      for (uint64_t b = 0; b < 20; ++b) seen.insert(Stream(seed, {a, b}).block(0));
    }
    streams += 1 + 20 + 400;
  }
  EXPECT_EQ(seen.size(), streams);
}

TEST(Stream, UniformStaysBelowOne) {
  EXPECT_EQ(Stream::to_uniform(0), 0.0F);
  EXPECT_EQ(Stream::to_uniform(0xffffffff), 1 - 0x1p-24F);
}

// Limits: five standard deviations of each statistic; the numbers are fixed, so it never fails by chance.
TEST(Stream, UniformAndNormalHaveTheirMoments) {
  const Stream stream(1, {2});
  const int count = 200000;
  double sum = 0, square = 0, mean = 0, variance = 0, skew = 0, fourth = 0, neighbours = 0;
  for (int i = 0; i < count; ++i) {
    const double u = stream.uniform(i) - 0.5;
    sum += u;
    square += u * u;
    neighbours += u * (stream.uniform(i + 1) - 0.5);
    const double z = stream.normal(i);
    mean += z;
    variance += z * z;
    skew += z * z * z;
    fourth += z * z * z * z;
  }
  const double root = std::sqrt(count);
  EXPECT_LT(std::abs(sum / count), 5 * std::sqrt(1 / 12.0) / root);
  EXPECT_NEAR(square / count, 1 / 12.0, 5 * std::sqrt(1 / 180.0) / root);
  EXPECT_LT(std::abs(neighbours / count), 5 / 12.0 / root);
  EXPECT_LT(std::abs(mean / count), 5 / root);
  EXPECT_NEAR(variance / count, 1, 5 * std::sqrt(2) / root);
  EXPECT_LT(std::abs(skew / count), 5 * std::sqrt(15) / root);
  EXPECT_NEAR(fourth / count, 3, 5 * std::sqrt(96) / root);
}

TEST(Stream, NormalIsFiniteForEveryNumber) {
  const Stream stream(3);
  for (uint64_t i = 0; i < 100000; ++i) {
    const float z = stream.normal(i);
    ASSERT_TRUE(std::isfinite(z)) << i;
    ASSERT_LT(std::abs(z), 7) << i;
  }
}

TEST(Stream, BelowIsEven) {
  const Stream stream(4);
  std::vector<int> counts(7);
  const int count = 70000;
  for (int i = 0; i < count; ++i) ++counts.at(stream.below(i, 7));
  double chi_square = 0;
  for (const int n : counts) chi_square += (n - 10000.0) * (n - 10000.0) / 10000.0;
  EXPECT_LT(chi_square, 22.46);  // 0.999 quantile, 6 degrees of freedom
  EXPECT_EQ(stream.below(0, 1), 0U);
  EXPECT_LT(stream.below(1, UINT64_MAX), UINT64_MAX);
}

TEST(Shuffle, IsTheSameForTheSameStream) {
  std::vector<int32_t> values(10);
  std::iota(values.begin(), values.end(), 0);
  shuffle(values, Stream(42, {1, 2, 3}));
  EXPECT_THAT(values, ElementsAre(7, 5, 8, 4, 3, 0, 2, 1, 6, 9));  // from the Python script
  shuffle({}, Stream(1));
}

TEST(Shuffle, EveryOrderIsEquallyLikely) {
  std::vector<int> counts(24);
  for (uint64_t i = 0; i < 24000; ++i) {
    std::vector<int32_t> values = {0, 1, 2, 3}, order = {0, 1, 2, 3};
    shuffle(values, Stream(i));
    int rank = 0;
    while (order != values) {
      std::next_permutation(order.begin(), order.end());
      ++rank;
    }
    ++counts[rank];
  }
  double chi_square = 0;
  for (const int n : counts) chi_square += (n - 1000.0) * (n - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 49.73);  // 0.999 quantile, 23 degrees of freedom
}

}  // namespace
}  // namespace rondo
