#include "data/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "data/data_test_files.h"
#include "data/numbered.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LabelledCorpus small_corpus() {
  return {.path = "c.csv",
          .format = "CSV",
          .examples = {{.labels = {"x"}, .text = "a b a", .line = 1},
                       {.labels = {"y"}, .text = "", .line = 2},
                       {.labels = {"x"}, .text = "b c d e f", .line = 4}}};
}

Vocabulary vocabulary_of(const LabelledCorpus& corpus, const Tokenizer& tokenizer,
                         const VocabularyLimits& limits, ThreadPool& pool) {
  return build_vocabulary(number_corpus(corpus, tokenizer, pool), {}, limits, TieOrder::kAscending);
}

// Sequence i is i*100, i*100+1, ...
EncodedCorpus numbered_corpus(const std::vector<int64_t>& lengths) {
  EncodedCorpus corpus;
  for (size_t i = 0; i < lengths.size(); ++i) {
    for (int64_t t = 0; t < lengths[i]; ++t) corpus.ids.push_back(static_cast<int32_t>(i * 100 + t));
    corpus.offsets.push_back(static_cast<int64_t>(corpus.ids.size()));
    corpus.labels.push_back(static_cast<int32_t>(i % 3));
    corpus.label_offsets.push_back(static_cast<int64_t>(corpus.labels.size()));
    corpus.lines.push_back(static_cast<int64_t>(i) + 1);
  }
  return corpus;
}

std::vector<int64_t> some_lengths(int64_t count) {
  std::vector<int64_t> lengths(count);
  for (int64_t i = 0; i < count; ++i) lengths[i] = i * 7919 % 23;
  return lengths;
}

TEST(Encode, NumbersTokensAndLabels) {
  ThreadPool pool(2);
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const auto vocabulary = vocabulary_of(small_corpus(), *tokenizer, {.min_count = 2}, pool);
  EXPECT_THAT(vocabulary.tokens(), ElementsAre("<unk>", "a", "b"));
  const LabelSet labels(small_corpus());
  const auto corpus = encode(small_corpus(), *tokenizer, vocabulary, labels, {.max_length = 4}, pool);
  EXPECT_THAT(corpus.ids, ElementsAre(1, 2, 1, 2, 0, 0, 0));
  EXPECT_THAT(corpus.offsets, ElementsAre(0, 3, 3, 7));
  EXPECT_THAT(corpus.labels, ElementsAre(0, 1, 0));
  EXPECT_THAT(corpus.lines, ElementsAre(1, 2, 4));
  EXPECT_EQ(corpus.unknown, 3);
  EXPECT_EQ(corpus.truncated, 1);
  EXPECT_EQ(corpus.length(1), 0);
}

TEST(Encode, ThreadsChangeNothing) {
  LabelledCorpus big{.path = "b", .format = "CSV"};
  for (int i = 0; i < 3000; ++i) {
    const std::string text = fmt::format("w{} of v{}", i % 97, i % 31);
    big.examples.push_back({.labels = {i % 2 == 0 ? "x" : "y"}, .text = text, .line = i + 1});
  }
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const LabelSet labels(big);
  ThreadPool one(1);
  ThreadPool four(4);
  const auto vocabulary = vocabulary_of(big, *tokenizer, {.max_size = 100}, one);
  EXPECT_EQ(vocabulary_of(big, *tokenizer, {.max_size = 100}, four).tokens(), vocabulary.tokens());
  const auto a = encode(big, *tokenizer, vocabulary, labels, {}, one);
  const auto b = encode(big, *tokenizer, vocabulary, labels, {}, four);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.offsets, b.offsets);
  EXPECT_EQ(a.unknown, b.unknown);
  EXPECT_EQ(a.size(), 3000);
}

TEST(Encode, UnseenLabelIsReportedOrMarked) {
  ThreadPool pool(1);
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const auto vocabulary = vocabulary_of(small_corpus(), *tokenizer, {}, pool);
  const LabelSet labels({"x", "why"}, false);
  const auto error =
      message_of<DataError>([&] { encode(small_corpus(), *tokenizer, vocabulary, labels, {}, pool); });
  EXPECT_THAT(error, HasSubstr("c.csv:2: the label 'y' is none of the model's 2: x, why"));
  const auto corpus = encode(small_corpus(), *tokenizer, vocabulary, labels, {.allow_unseen = true}, pool);
  EXPECT_THAT(corpus.labels, ElementsAre(0, LabelSet::kUnseen, 0));
}

TEST(Encode, NoTokenLeftIsAnError) {
  ThreadPool pool(1);
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  EXPECT_THROW(vocabulary_of(small_corpus(), *tokenizer, {.min_count = 9}, pool), DataError);
  EXPECT_THROW(vocabulary_of({.path = "e"}, *tokenizer, {}, pool), DataError);
}

TEST(Batches, PackedRowsAreTimeMajorLongestFirst) {
  const auto corpus = numbered_corpus({3, 0, 5, 1});
  const Batch batch = make_batch(corpus, std::vector<int32_t>{0, 1, 2, 3});
  EXPECT_THAT(batch.examples, ElementsAre(2, 0, 3, 1));
  EXPECT_THAT(batch.ids, ElementsAre(200, 0, 300, 201, 1, 202, 2, 203, 204));
  EXPECT_EQ(batch.packing->sequences(), 4);
  EXPECT_THAT(batch_labels(corpus, batch), ElementsAre(2, 0, 0, 1));
}

TEST(Batches, EmptySequencesAloneHaveNoRow) {
  const Batch batch = make_batch(numbered_corpus({0, 0}), std::vector<int32_t>{0, 1});
  EXPECT_TRUE(batch.ids.empty());
  EXPECT_EQ(batch.packing->sequences(), 2);
}

TEST(Batches, EachExampleOnce) {
  const auto lengths = some_lengths(1003);
  for (const bool shuffled : {true, false}) {
    const auto plan = plan_batches(lengths, {.batch_size = 8, .shuffle = shuffled, .window = 10});
    std::vector<int32_t> all;
    for (const auto& batch : plan) {
      EXPECT_LE(batch.size(), 8U);
      all.insert(all.end(), batch.begin(), batch.end());
    }
    std::ranges::sort(all);
    std::vector<int32_t> wanted(1003);
    std::iota(wanted.begin(), wanted.end(), 0);
    EXPECT_EQ(all, wanted);
  }
}

TEST(Batches, PlanDependsOnSeedAndEpoch) {
  const auto lengths = some_lengths(500);
  const auto plan = plan_batches(lengths, {.seed = 1, .epoch = 1});
  EXPECT_EQ(plan_batches(lengths, {.seed = 1, .epoch = 1}), plan);
  EXPECT_NE(plan_batches(lengths, {.seed = 1, .epoch = 2}), plan);
  EXPECT_NE(plan_batches(lengths, {.seed = 2, .epoch = 1}), plan);
}

TEST(Batches, WindowsMakeLengthsAlike) {
  const auto lengths = some_lengths(2000);
  const auto steps = [&](int64_t window) {
    int64_t sum = 0;
    for (const auto& batch : plan_batches(lengths, {.batch_size = 16, .window = window})) {
      sum += std::ranges::max(batch | std::views::transform([&](int32_t i) { return lengths[i]; }));
    }
    return sum;
  };
  EXPECT_LT(steps(50), steps(1) * 0.65);  // the mean length is half of the longest
}

TEST(Batches, OptionsAreChecked) {
  const auto lengths = some_lengths(10);
  EXPECT_THROW(plan_batches(lengths, {.batch_size = 0}), ConfigError);
  EXPECT_THROW(plan_batches(lengths, {.window = 0}), ConfigError);
  EXPECT_TRUE(plan_batches({}, {}).empty());
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(plan_batches(lengths, {.batch_size = huge, .window = huge}).size(), 1U);
}

TEST(BatchLoader, GivesThePlanInOrderFromAnyBatch) {
  const auto corpus = numbered_corpus(some_lengths(300));
  const auto plan = plan_batches(corpus.lengths(), {.batch_size = 7});
  for (const int64_t first : {0, 1, 20, static_cast<int>(plan.size())}) {
    BatchLoader loader(corpus, plan, first, 2);
    for (auto i = static_cast<size_t>(first); i < plan.size(); ++i) {
      const auto batch = loader.next();
      ASSERT_TRUE(batch);
      EXPECT_EQ(batch->ids, make_batch(corpus, plan[i]).ids);
    }
    EXPECT_FALSE(loader.next());
    EXPECT_FALSE(loader.next());
  }
}

TEST(BatchLoader, StopsInTheMiddle) {
  const auto corpus = numbered_corpus(some_lengths(300));
  for (int taken = 0; taken < 5; ++taken) {
    BatchLoader loader(corpus, plan_batches(corpus.lengths(), {.batch_size = 2}), 0, 3);
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(loader.next());
  }
}

TEST(BatchLoader, PassesErrorsOnAtTheirBatch) {
  const auto corpus = numbered_corpus({1, 2, 3});
  BatchLoader loader(corpus, {{0, 1}, {2, 3}});
  EXPECT_TRUE(loader.next());
  EXPECT_THROW(loader.next(), ShapeError);
  EXPECT_THROW(loader.next(), ShapeError);
  EXPECT_THROW(BatchLoader(corpus, {{0}}, 2), ConfigError);
  EXPECT_THROW(BatchLoader(corpus, {{0}}, 0, 0), ConfigError);
}

}  // namespace
}  // namespace rondo
