#include "data/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/data_test_files.h"
#include "data/split.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

LabelledCorpus corpus_of(const std::vector<std::vector<std::string>>& labels) {
  LabelledCorpus corpus{.path = "c.csv", .format = "CSV"};
  for (const auto& own : labels) {
    const auto line = static_cast<int64_t>(corpus.examples.size()) + 1;
    corpus.examples.push_back({.labels = own, .text = fmt::format("t{}", line), .line = line});
  }
  return corpus;
}

LabelledCorpus repeated(int a, int b) {
  std::vector<std::vector<std::string>> labels(a, {"a"});
  labels.insert(labels.end(), b, {"b"});
  return corpus_of(labels);
}

TEST(LabelSet, OrderIsByBytesOrByValue) {
  EXPECT_THAT(LabelSet(corpus_of({{"b"}, {"a"}, {"10"}, {"b"}})).names(), ElementsAre("10", "a", "b"));
  const LabelSet numbers(corpus_of({{"10"}, {"2"}, {"1"}}));
  EXPECT_THAT(numbers.names(), ElementsAre("1", "2", "10"));
  EXPECT_EQ(numbers.index("10"), 2);
  EXPECT_EQ(numbers.index("3"), LabelSet::kUnseen);
  EXPECT_FALSE(numbers.multi());
}

TEST(LabelSet, SeveralOrNoLabelsMakeItMulti) {
  EXPECT_TRUE(LabelSet(corpus_of({{"a", "b"}, {"a"}})).multi());
  EXPECT_TRUE(LabelSet(corpus_of({{"a"}, {}})).multi());
}

TEST(LabelSet, OneLabelTeachesNothing) {
  EXPECT_THAT(message_of<DataError>([] {
                LabelSet(corpus_of({{"a"}, {"a"}}));
              }),
              HasSubstr("c.csv: one label only, 'a'"));
  EXPECT_THROW(LabelSet(corpus_of({})), DataError);
}

TEST(LabelSet, StoredNamesAreChecked) {
  EXPECT_THROW(LabelSet({"a", "a"}, false), DataError);
  EXPECT_THROW(LabelSet({"a", ""}, false), DataError);
  EXPECT_EQ(LabelSet({"b", "a"}, true).index("b"), 0);
}

TEST(LabelSet, UnseenLabelsAreCounted) {
  const auto unseen = unseen_labels(corpus_of({{"a"}, {"z"}, {"z"}, {"y"}}), LabelSet({"a", "b"}, false));
  ASSERT_EQ(unseen.size(), 2U);
  EXPECT_EQ(unseen[0].name, "z");
  EXPECT_EQ(unseen[0].examples, 2);
  EXPECT_EQ(unseen[1].first_line, 4);
}

std::vector<int64_t> lines_of(const LabelledCorpus& corpus) {
  std::vector<int64_t> lines;
  for (const Example& example : corpus.examples) lines.push_back(example.line);
  return lines;
}

TEST(SplitDev, KeepsTheShareOfEveryLabel) {
  const auto [train, dev] = split_dev(repeated(80, 20), 0.1, 1);
  EXPECT_EQ(dev.examples.size(), 10U);
  EXPECT_EQ(std::ranges::count(dev.examples, "b", [](const Example& e) { return e.labels[0]; }), 2);
  EXPECT_EQ(train.examples.size(), 90U);
  EXPECT_TRUE(std::ranges::is_sorted(lines_of(dev)));
  EXPECT_TRUE(std::ranges::is_sorted(lines_of(train)));
}

TEST(SplitDev, DependsOnTheSeedOnly) {
  const auto first = lines_of(split_dev(repeated(80, 20), 0.1, 1).second);
  EXPECT_EQ(lines_of(split_dev(repeated(80, 20), 0.1, 1).second), first);
  EXPECT_NE(lines_of(split_dev(repeated(80, 20), 0.1, 2).second), first);
}

TEST(SplitDev, EverySideHasOneAtLeast) {
  for (const double fraction : {1e-9, 0.5, 1 - 1e-9}) {
    for (const int size : {2, 3, 7}) {
      const auto [train, dev] = split_dev(repeated(1, size - 1), fraction, 3);
      EXPECT_GE(train.examples.size(), 1U);
      EXPECT_GE(dev.examples.size(), 1U);
      EXPECT_EQ(train.examples.size() + dev.examples.size(), static_cast<size_t>(size));
    }
  }
}

TEST(SplitDev, TheOnlyExampleOfALabelStaysInTraining) {
  const auto [train, dev] = split_dev(repeated(1, 30), 0.3, 5);
  EXPECT_EQ(train.examples[0].labels[0], "a");
  EXPECT_EQ(dev.examples.size(), 9U);
}

TEST(SplitDev, RefusesWhatCannotBeSplit) {
  EXPECT_THROW(split_dev(repeated(1, 0), 0.5, 1), DataError);
  EXPECT_THROW(split_dev(repeated(5, 5), 0.0, 1), ConfigError);
  EXPECT_THROW(split_dev(repeated(5, 5), 1.0, 1), ConfigError);
  EXPECT_THROW(split_dev(repeated(5, 5), std::nan(""), 1), ConfigError);
}

}  // namespace
}  // namespace rondo
