#include "models/translator_batch.h"

#include <gtest/gtest.h>

namespace rondo {
namespace {

TEST(TranslatorBatch, PacksBothSidesByTheirOwnLengths) {
  const TokenPair short_source{.source = {2, 1}, .target = {5, 6}};
  const TokenPair long_source{.source = {3, 4, 1}, .target = {7}};
  const TokenPair nothing{.source = {1}, .target = {}};
  const std::vector<const TokenPair*> pairs = {&nothing, &short_source, &long_source};
  const TranslatorBatch batch = make_translator_batch(pairs, 1);
  EXPECT_EQ(batch.source_ids, (std::vector<int32_t>{3, 2, 1, 4, 1, 1}));
  EXPECT_EQ(batch.inputs, (std::vector<int32_t>{1, 1, 1, 5, 7, 6}));
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{5, 7, 1, 6, 1, 1}));
  // The longest target's source is the second longest.
  EXPECT_EQ(batch.sources, (std::vector<int32_t>{1, 0, 2}));
  EXPECT_EQ(batch.source_of_rows(), (std::vector<int32_t>{1, 0, 2, 1, 0, 1}));
  EXPECT_EQ(batch.num_targets(), 6);
}

}  // namespace
}  // namespace rondo
