#include "text/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rondo/errors.h"
#include "text/tokenizer.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using Tokens = std::vector<std::string>;

VocabularyCounter counted(const Tokens& tokens) {
  VocabularyCounter counter;
  counter.add(tokens);
  return counter;
}

TEST(Vocabulary, UnknownTokensHaveIdZero) {
  const Vocabulary vocabulary = Vocabulary::from_tokens({"<unk>", "a", "b"});
  EXPECT_EQ(vocabulary.size(), 3);
  EXPECT_EQ(vocabulary.id("b"), 2);
  EXPECT_EQ(vocabulary.id("zebra"), Vocabulary::kUnknown);
  EXPECT_EQ(vocabulary.id(""), 0);
  EXPECT_EQ(vocabulary.token(1), "a");
  EXPECT_THAT(vocabulary.ids(Tokens{"b", "?", "a"}), ElementsAre(2, 0, 1));
}

TEST(Vocabulary, TheDefaultKnowsNothing) {
  EXPECT_THAT(Vocabulary().tokens(), ElementsAre("<unk>"));
  EXPECT_EQ(Vocabulary().id("<unk>"), 0);
}

TEST(Vocabulary, IdsOutsideThrow) {
  const Vocabulary vocabulary = Vocabulary::from_tokens({"<unk>", "a"});
  EXPECT_THROW(vocabulary.token(2), DataError);
  EXPECT_THROW(vocabulary.token(-1), DataError);
}

TEST(Vocabulary, EmptyOrRepeatedTokensAreNoVocabulary) {
  EXPECT_THROW(Vocabulary::from_tokens({}), FormatError);
  EXPECT_THROW(Vocabulary::from_tokens({"<unk>", "a", "a"}), FormatError);
}

TEST(Vocabulary, ACopyStandsAlone) {
  Vocabulary copy;
  {
    const Vocabulary vocabulary =
        Vocabulary::from_tokens({"<unk>", "a token too long to be stored in place"});
    copy = vocabulary;
  }
  EXPECT_EQ(copy.id("a token too long to be stored in place"), 1);
}

TEST(Vocabulary, FrequentTokensComeFirst) {
  EXPECT_THAT(counted({"b", "a", "c", "c", "c", "a"}).build(1, 0).tokens(),
              ElementsAre("<unk>", "c", "a", "b"));
}

TEST(Vocabulary, TiesAreBrokenByBytes) {
  const VocabularyCounter counter = counted({"b", "\xC3\xA4", "B", "a", "a", "z"});
  EXPECT_THAT(counter.build(1, 0).tokens(), ElementsAre("<unk>", "a", "B", "b", "z", "\xC3\xA4"));
  EXPECT_THAT(counter.build(1, 0, TieOrder::kDescending).tokens(),
              ElementsAre("<unk>", "a", "\xC3\xA4", "z", "b", "B"));
}

TEST(Vocabulary, RareTokensAreLeftOut) {
  EXPECT_THAT(counted({"a", "a", "b"}).build(2, 0).tokens(), ElementsAre("<unk>", "a"));
  EXPECT_THAT(counted({"a"}).build(5, 0).tokens(), ElementsAre("<unk>"));
}

TEST(Vocabulary, TheLimitCountsTheUnknownWord) {
  const VocabularyCounter counter = counted({"a", "a", "b", "b", "c"});
  EXPECT_THAT(counter.build(1, 3).tokens(), ElementsAre("<unk>", "a", "b"));
  EXPECT_THAT(counter.build(1, 1).tokens(), ElementsAre("<unk>"));
  EXPECT_EQ(counter.build(1, 100).size(), 4);
}

TEST(Vocabulary, LimitsOutOfRangeAreConfigErrors) {
  EXPECT_THROW(counted({"a"}).build(0, 0), ConfigError);
  EXPECT_THROW(counted({"a"}).build(1, -1), ConfigError);
}

TEST(Vocabulary, ATokenNamedUnknownIsTheUnknownWord) {
  const Vocabulary vocabulary = counted({"<unk>", "<unk>", "a"}).build(1, 0);
  EXPECT_THAT(vocabulary.tokens(), ElementsAre("<unk>", "a"));
  EXPECT_EQ(vocabulary.id("<unk>"), 0);
}

TEST(VocabularyCounter, MergingIsAddingInAnyOrder) {
  const Tokens first{"a", "b", "b"};
  const Tokens second{"c", "a"};
  VocabularyCounter merged = counted(second);
  merged.merge(counted(first));
  VocabularyCounter added = counted(first);
  added.add(second);
  EXPECT_EQ(merged.build(1, 0).tokens(), added.build(1, 0).tokens());
  EXPECT_EQ(merged.distinct(), 3);
  EXPECT_EQ(merged.total(), 5);
  EXPECT_EQ(merged.count("a"), 2);
  EXPECT_EQ(merged.count("z"), 0);
}

TEST(VocabularyCounter, MergingWithItselfDoubles) {
  VocabularyCounter counter = counted({"a", "b", "b"});
  counter.merge(counter);
  EXPECT_EQ(counter.count("b"), 4);
  EXPECT_EQ(counter.total(), 6);
}

TEST(Vocabulary, OfBytesKnowsEveryByte) {
  const Vocabulary vocabulary = Vocabulary::bytes();
  EXPECT_EQ(vocabulary.size(), 257);
  const auto tokenizer = make_tokenizer(TokenizerKind::kBytes);
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(vocabulary.ids(tokenizer->tokens(text)), std::vector<int32_t>{byte + 1});
  }
}

}  // namespace
}  // namespace rondo
