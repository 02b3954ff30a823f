#include "text/sentencepiece_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "rondo/errors.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace rondo {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::string> small_corpus() {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back("the theme returns after episode number " + std::to_string(i) +
                    "\nand the rondo goes on");
  }
  return texts;
}

TEST(SentencePieceTraining, GivesAModelOfTheSizeWantedThatReadsTextBack) {
  for (const SubwordKind kind : {SubwordKind::kUnigram, SubwordKind::kBpe}) {
    const std::string model = train_sentencepiece(small_corpus(), {.vocabulary = 50, .kind = kind});
    const Vocabulary vocabulary = Vocabulary::from_sentencepiece(model);
    EXPECT_EQ(vocabulary.size(), 50);
    EXPECT_EQ(vocabulary.token(0), "<unk>");
    EXPECT_EQ(vocabulary.token(1), "</s>");
    const auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, model);
    const auto tokens = tokenizer->tokens("the rondo returns");
    EXPECT_LT(tokens.size(), 16U) << "pieces, not characters";
    EXPECT_EQ(tokenizer->join(tokens), "the rondo returns");
  }
}

TEST(SentencePieceTraining, SameTextsGiveTheSameBytesAndNothingIsPrinted) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const std::string model = train_sentencepiece(small_corpus(), {.vocabulary = 50});
  const bool same = train_sentencepiece(small_corpus(), {.vocabulary = 50}) == model;
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(same);
}

TEST(SentencePieceTraining, ExactModelsGiveLineEndsAndSpacesBack) {
  const std::string text = "the  theme\nreturns \xEF\xBD\x81 after";
  std::vector<std::string> texts = small_corpus();
  for (int i = 0; i < 50; ++i) texts.push_back(text);
  const auto back = [&](bool exact) {
    const auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece,
                                          train_sentencepiece(texts, {.vocabulary = 52, .exact = exact}));
    return tokenizer->join(tokenizer->tokens(text));
  };
  EXPECT_EQ(back(true), text);
  EXPECT_EQ(back(false), "the theme returns a after");
}

TEST(SentencePieceTraining, SizeThatDoesNotFitSaysWhatWould) {
  const auto train = [](int64_t size) {
    return [size] { train_sentencepiece(small_corpus(), {.vocabulary = size}); };
  };
  EXPECT_THAT(train(50'000), ThrowsMessage<ConfigError>(HasSubstr("too many for these texts; take ")));
  EXPECT_THAT(train(10), ThrowsMessage<ConfigError>(HasSubstr("too few")));
  EXPECT_THAT(train(-5), ThrowsMessage<ConfigError>(HasSubstr("take 4 to")));
}

// The trainer ends the process where nothing is left to train on.
TEST(SentencePieceTraining, HostileTextsAreErrorsOrHarmless) {
  const std::vector<std::vector<std::string>> nothing = {
      {},
      {""},
      {"  ", "\n\n"},
      {std::string(3, '\0')},
      {"\xE2\x96\x81", "\xE2\x96\x85"},
      {"\xEF\xBF\xBD"},
      {"\xC2\xA0\xE3\x80\x80"},
      {"\x01\x02"},
      {"\xEF\xBB\xBF"},
  };
  for (const SubwordKind kind : {SubwordKind::kUnigram, SubwordKind::kBpe}) {
    for (const auto& texts : nothing) {
      EXPECT_THAT([&] { train_sentencepiece(texts, {.vocabulary = 20, .kind = kind}); },
                  ThrowsMessage<ConfigError>(HasSubstr("no letter, digit or sign")));
    }
    EXPECT_THROW(train_sentencepiece({"fine", "\xFF"}, {.vocabulary = 20, .kind = kind}), DataError);
    for (const std::string text : {"a", "</s> <unk>", "\xCC\x81", "\xE2\xA0\x80", "\xE3\x85\xA4"}) {
      EXPECT_THROW(train_sentencepiece({text}, {.vocabulary = 200, .kind = kind}), ConfigError) << text;
    }
    const std::string reserved("the\0theme\xE2\x96\x85 returns\xE2\x96\x81x </s>", 25);
    const std::string model =
        train_sentencepiece({reserved, std::string(20'000, 'a')}, {.vocabulary = 6, .kind = kind});
    EXPECT_EQ(Vocabulary::from_sentencepiece(model).size(), 6);
  }
}

}  // namespace
}  // namespace rondo
