// Which texts, and how much of them, a report and a doctor look into.
#include "models/gate_sample.h"

#include <gtest/gtest.h>

namespace rondo {
namespace {

EncodedCorpus corpus_of(const std::vector<int64_t>& lengths) {
  EncodedCorpus corpus;
  for (size_t i = 0; i < lengths.size(); ++i) {
    for (int64_t t = 0; t < lengths[i]; ++t)
      corpus.ids.push_back(static_cast<int32_t>(100 * i) + static_cast<int32_t>(t));
    corpus.offsets.push_back(static_cast<int64_t>(corpus.ids.size()));
  }
  return corpus;
}

TEST(GateSample, TakesTheBeginningsOfTextsFromEverywhere) {
  const EncodedCorpus sample = gate_sample(corpus_of({3, 5, 0, 9, 2, 4}), {.texts = 3, .steps = 4});
  EXPECT_EQ(sample.offsets, (std::vector<int64_t>{0, 3, 3, 5}));
  EXPECT_EQ(sample.ids, (std::vector<int32_t>{0, 1, 2, 400, 401}));
  EXPECT_EQ(all_examples(sample), (std::vector<int32_t>{0, 1, 2}));
}

TEST(GateSample, TakesAllOfFewTexts) {
  EXPECT_EQ(gate_sample(corpus_of({1, 2})).size(), 2);
  EXPECT_EQ(gate_sample(EncodedCorpus()).size(), 0);
}

TEST(GateSample, TakesPartsOfARunningText) {
  TokenStream stream;
  for (int32_t i = 0; i < 100; ++i) stream.ids.push_back(i);
  stream.offsets = {0, 10, 100};
  stream.first_inputs = {-7, -8};
  const EncodedCorpus sample = gate_sample(stream, {.texts = 4, .steps = 3});
  EXPECT_EQ(sample.size(), 4);
  EXPECT_EQ(sample.ids, (std::vector<int32_t>{-7, 0, 1, 24, 25, 26, 49, 50, 51, 74, 75, 76}));
  EXPECT_EQ(gate_sample(TokenStream()).size(), 0);
}

TEST(GateSample, CutsBothSidesOfPairs) {
  const std::vector<TokenPair> sample =
      gate_sample({{{1, 2, 3}, {4}}, {{5}, {6, 7, 8}}}, {.texts = 9, .steps = 2});
  ASSERT_EQ(sample.size(), 2U);
  EXPECT_EQ(sample[0].source, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(sample[1].target, (std::vector<int32_t>{6, 7}));
}

}  // namespace
}  // namespace rondo
