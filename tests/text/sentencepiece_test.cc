#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/random.h"
#include "rondo/errors.h"
#include "text/sentencepiece_check.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace rondo {
namespace {

using testing::ElementsAre;

// A .model file written by hand, field by field of sentencepiece_model.proto.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7F) | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string field(int number, const std::string& content) {
  return varint(static_cast<uint64_t>(number) << 3 | 2) + varint(content.size()) + content;
}

enum PieceType { kNormal = 1, kUnknown = 2, kControl = 3 };

std::string piece(const std::string& text, float score, PieceType type = kNormal) {
  std::string bits(4, '\0');
  std::memcpy(bits.data(), &score, 4);
  return field(1, field(1, text) + "\x15" + bits + "\x18" + varint(type));
}

const std::string kSpace = "\xE2\x96\x81";

/// Unigram model with the unknown piece at id 1.
std::string small_model() {
  return piece("<s>", 0, kControl) + piece("<unk>", 0, kUnknown) + piece(kSpace + "the", -1) +
         piece("me", -1.5F) + piece(kSpace, -3) + piece("t", -4) + piece("h", -4) + piece("e", -4) +
         piece("m", -4);
}

std::string u32(uint32_t value) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &value, 4);
  return bytes;
}

std::string model_with_rules(const std::string& rules) {
  return small_model() + field(3, field(1, "custom") + field(2, rules));
}

/// A model trained on a few sentences with SentencePiece's own normalisation rules (nmt_nfkc).
std::string trained_model() {
  class Sentences : public sentencepiece::SentenceIterator {
   public:
    bool done() const override { return index_ == 200; }
    void Next() override { text_ = "the theme returns after episode number " + std::to_string(++index_); }
    const std::string& value() const override { return text_; }
    sentencepiece::util::Status status() const override { return {}; }

   private:
    int index_ = 0;
    std::string text_ = "a rondo is a piece of music whose theme returns";
  } sentences;
  std::string model;
  testing::internal::CaptureStderr();  // its level of messages must stay the default: later tests look at
                                       // them
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"vocab_size", "60"}, {"hard_vocab_limit", "false"}, {"num_threads", "1"}}, &sentences, &model);
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(status.ok()) << status.ToString();
  return model;
}

TEST(SentencePieceTokenizer, PiecesAreTheModels) {
  const auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, small_model());
  EXPECT_THAT(tokenizer->tokens("the theme"), ElementsAre(kSpace + "the", kSpace + "the", "me"));
  EXPECT_EQ(tokenizer->join(tokenizer->tokens("the theme")), "the theme");
  EXPECT_EQ(tokenizer->kind(), TokenizerKind::kSentencePiece);
  EXPECT_EQ(tokenizer->model(), small_model());
  EXPECT_THAT(tokenizer->tokens(""), testing::IsEmpty());
  EXPECT_THAT(tokenizer->tokens("  \n"), testing::Each(testing::Not("")));
  EXPECT_THROW(tokenizer->tokens("a\xFF"), DataError);
}

TEST(SentencePieceTokenizer, PiecesOfAnotherModelAreWrittenAsWords) {
  const auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, small_model());
  const auto join = [&](const std::vector<std::string>& pieces) { return tokenizer->join(pieces); };
  EXPECT_EQ(join({kSpace + "the", kSpace + "zebra", "me"}), "the zebrame");
  EXPECT_EQ(join({kSpace + "zebra", "x", kSpace + "the", kSpace + "x"}), "zebrax the x");
  EXPECT_EQ(join({kSpace + "zebra"}), "zebra");
}

TEST(SentencePieceTokenizer, TheUnknownPieceMovesToIdZero) {
  const Vocabulary vocabulary = Vocabulary::from_sentencepiece(small_model());
  EXPECT_EQ(vocabulary.token(0), "<unk>");
  EXPECT_EQ(vocabulary.token(1), "<s>");
  EXPECT_EQ(vocabulary.token(2), kSpace + "the");
  EXPECT_EQ(vocabulary.size(), 9);
  EXPECT_EQ(vocabulary.id("xyz"), 0);
}

TEST(SentencePieceTokenizer, ATrainedModelWithNormalisationRulesPasses) {
  const std::string model = trained_model();
  const auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, model);
  EXPECT_EQ(tokenizer->join(tokenizer->tokens("\xEF\xBC\xB4he  theme")),
            tokenizer->join(tokenizer->tokens("The theme")));
  EXPECT_GT(Vocabulary::from_sentencepiece(model).size(), 20);
}

TEST(SentencePieceTokenizer, BrokenModelsAreFormatErrorsAndNothingIsPrinted) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const std::string good = small_model();
  const std::string broken[] = {
      "not a model",
      good.substr(0, good.size() - 3),
      piece("a", -1),                            // no unknown piece
      good + piece("t", -4),                     // a piece twice
      good + piece("", -4),                      // an empty piece
      good + piece(std::string("a\0b", 3), -4),  // a NUL
      piece("<unk>", 0, kUnknown) + piece("<unk2>", 0, kUnknown),
      std::string(1, '\0'),
  };
  for (const std::string& model : broken) {
    EXPECT_THROW(make_tokenizer(TokenizerKind::kSentencePiece, model), FormatError) << model;
    EXPECT_THROW(Vocabulary::from_sentencepiece(model), FormatError) << model;
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(SentencePieceTokenizer, RulesThatPointOutsideAreFormatErrors) {
  const std::string block(1024, '\x7F');  // 256 units without a child of any label
  const std::string broken[] = {
      "ab",
      u32(4096) + "short",
      u32(1024) + block,                                             // no replacements behind
      u32(3) + "abcd",                                               // no whole unit
      u32(1024) + u32(0x7FFFFC00) + block.substr(4) + "x",           // the root's children lie outside
      u32(1024) + u32(0) + block.substr(4) + std::string("x\0", 2),  // the root is its own child
  };
  for (const std::string& rules : broken) {
    EXPECT_THROW(check_sentencepiece_model(model_with_rules(rules)), FormatError) << rules.size();
  }
}

TEST(SentencePieceTokenizer, DamagedModelsThrowOrWorkButNeverCrash) {
  const std::string model = trained_model();
  const Stream stream(7);
  int accepted = 0;
  testing::internal::CaptureStderr();
  for (uint64_t round = 0; round < 60; ++round) {
    std::string damaged = model;
    for (uint64_t i = 0; i < 1 + round % 4; ++i) {
      damaged[stream.below(round * 8 + i, damaged.size())] =
          static_cast<char>(stream.bits(9000 + round * 8 + i));
    }
    if (round % 5 == 0) damaged.resize(stream.below(20000 + round, damaged.size()));
    try {
      make_tokenizer(TokenizerKind::kSentencePiece, damaged)
          ->tokens("the \xEF\xBC\xB4heme \xE2\x91\xA0 returns");
      ++accepted;
    } catch (const Error&) {
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 60);
}

}  // namespace
}  // namespace rondo
