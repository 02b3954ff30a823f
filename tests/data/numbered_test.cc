#include "data/numbered.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/data_test_files.h"
#include "data/split.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// 3,000 texts: several blocks and chunks, words of all frequencies.
LabelledCorpus big_corpus() {
  LabelledCorpus big{.path = "b.csv", .format = "CSV"};
  for (int i = 0; i < 3000; ++i) {
    const std::string text = i % 50 == 7 ? "" : fmt::format("n{} of v{} and w{}", i / 2, i % 31, i % 97);
    big.examples.push_back({.labels = {i % 2 == 0 ? "x" : "y"}, .text = text, .line = i + 1});
  }
  return big;
}

// What the two-pass way gives: the texts that are not held out, then those that are.
std::pair<LabelledCorpus, LabelledCorpus> parts_of(const LabelledCorpus& corpus,
                                                   const std::vector<bool>& held_out) {
  std::pair<LabelledCorpus, LabelledCorpus> parts{{.path = corpus.path}, {.path = corpus.path}};
  for (size_t i = 0; i < corpus.examples.size(); ++i) {
    (held_out[i] ? parts.second : parts.first).examples.push_back(corpus.examples[i]);
  }
  return parts;
}

void expect_same(const EncodedCorpus& a, const EncodedCorpus& b) {
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.offsets, b.offsets);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.label_offsets, b.label_offsets);
  EXPECT_EQ(a.lines, b.lines);
  EXPECT_EQ(a.unknown, b.unknown);
  EXPECT_EQ(a.truncated, b.truncated);
}

TEST(TokenTable, NumbersTokensInTheOrderOfTheirFirstUse) {
  TokenTable table;
  EXPECT_EQ(table.size(), 0);
  for (int round = 0; round < 2; ++round) {
    for (int32_t i = 0; i < 5000; ++i) ASSERT_EQ(table.number(fmt::format("token {}", i)), i);
  }
  EXPECT_EQ(table.number(""), 5000);
  EXPECT_EQ(table.size(), 5001);
  EXPECT_EQ(table.token(4999), "token 4999");
  EXPECT_EQ(table.token(5000), "");
}

TEST(NumberedCorpus, EncodesAsTheTextsDo) {
  const LabelledCorpus big = big_corpus();
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const LabelSet labels(big);
  const std::vector<bool> held_out = choose_dev(big, 0.4, 3);
  const auto [train, dev] = parts_of(big, held_out);
  for (const int threads : {1, 4}) {
    ThreadPool pool(threads);
    NumberedCorpus numbered = number_corpus(big, *tokenizer, pool);
    EXPECT_EQ(numbered.source.empty_texts, 60);
    EXPECT_EQ(numbered.first_empty_line, 8);
    const auto vocabulary = build_vocabulary(numbered, held_out, {.min_count = 2}, TieOrder::kAscending);
    const EncodeOptions options{.max_length = 4};
    const auto parts = encode(numbered, held_out, vocabulary, labels, options);
    expect_same(parts.first, encode(train, *tokenizer, vocabulary, labels, options, pool));
    expect_same(parts.second, encode(dev, *tokenizer, vocabulary, labels, options, pool));
    EXPECT_GT(parts.second.unknown, 0);
    EXPECT_GT(parts.first.truncated, 0);
  }
}

TEST(NumberedCorpus, CountsOnlyWhatIsNotHeldOut) {
  ThreadPool pool(2);
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const LabelledCorpus corpus{
      .path = "c",
      .examples = {{{"x"}, "b b a", 1}, {{"y"}, "c c c", 2}, {{"x"}, "a b", 3}, {{"y"}, "d", 4}}};
  const NumberedCorpus numbered = number_corpus(corpus, *tokenizer, pool);
  const std::vector<bool> held_out = {false, true, false, false};
  const auto words = [&](const VocabularyLimits& limits) {
    return build_vocabulary(numbered, held_out, limits, TieOrder::kAscending).tokens();
  };
  EXPECT_THAT(words({}), ElementsAre("<unk>", "b", "a", "d"));
  EXPECT_THAT(words({.max_texts = 2}), ElementsAre("<unk>", "b", "a"));
  EXPECT_THAT(words({.min_count = 3}), ElementsAre("<unk>", "b"));
}

TEST(NumberedCorpus, ThreadsChangeNothing) {
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const TestFolder folder;
  std::string rows = "label,text\n";
  for (const Example& example : big_corpus().examples) rows += example.labels[0] + "," + example.text + "\n";
  const std::string path = folder.write("big.csv", rows);
  ThreadPool one(1), four(4);
  NumberedCorpus a = number_file(path, {}, *tokenizer, one);
  NumberedCorpus b = number_file(path, {}, *tokenizer, four);
  const auto vocabulary = build_vocabulary(a, {}, {.max_size = 100}, TieOrder::kAscending);
  EXPECT_EQ(build_vocabulary(b, {}, {.max_size = 100}, TieOrder::kAscending).tokens(), vocabulary.tokens());
  const LabelSet labels(a.source);
  expect_same(encode(a, {}, vocabulary, labels, {}).first, encode(b, {}, vocabulary, labels, {}).first);
}

TEST(NumberedCorpus, KeepsNoText) {
  ThreadPool pool(1);
  const auto tokenizer = make_tokenizer(TokenizerKind::kBytes);
  const NumberedCorpus numbered = number_corpus(big_corpus(), *tokenizer, pool);
  for (const Example& example : numbered.source.examples) ASSERT_TRUE(example.text.empty());
  EXPECT_EQ(numbered.source.examples[6].line, 7);
}

TEST(NumberedCorpus, AFileWithoutRowsIsAnError) {
  ThreadPool pool(1);
  const TestFolder folder;
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  const std::string path = folder.write("h.csv", "label,text\n");
  EXPECT_THAT(message_of<DataError>([&] { number_file(path, {}, *tokenizer, pool); }),
              HasSubstr("no examples"));
}

}  // namespace
}  // namespace rondo
